"""Parts of the reference that are made from the code: commands, fields, licences of data."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import groupby
from typing import Any

import typer

from _extensions.cell_pages import cell_page
from _extensions.markdown import code, table
from benchsuite.api.compared import COMPARISON_COLUMNS
from benchsuite.api.study import CURVE_COLUMNS
from benchsuite.api.tables import RANKING_COLUMNS
from benchsuite.cli.app import app
from benchsuite.cli.listing import LISTS
from benchsuite.running.study.columns import FRAME_COLUMNS, FRAME_PATTERNS, trial_columns


def commands() -> list[tuple[str, Any]]:
    """(words, command) of the command line, those of groups one by one."""
    found = []

    def walk(words: str, command: Any) -> None:
        children = getattr(command, "commands", None)
        if children is None:
            found.append((words, command))
            return
        for name, child in children.items():
            walk(f"{words} {name}", child)

    walk("benchsuite", typer.main.get_command(app))
    return found


def command_line() -> str:
    """Every command with its arguments and options, from the application itself."""
    return "\n\n".join(_command(words, command) for words, command in commands())


def _command(words: str, command: Any) -> str:
    context = typer.Context(command, info_name=words)
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and "--help" not in one.opts]
    usage = " ".join([words, *(["[OPTIONS]"] if options else []), *map(_placeholder, arguments)])
    parts = [f"## {words.removeprefix('benchsuite ')}", _sentence(command.help), f"```\n{usage}\n```"]
    if rows := [_parameter(one, context) for one in [*arguments, *options]]:
        parts.append(table(["argument or option", "meaning"], rows))
    return "\n\n".join(parts)


def _placeholder(argument: Any) -> str:
    name = argument.metavar or argument.name.upper()
    return name if argument.required else f"[{name}]"


def _parameter(parameter: Any, context: Any) -> tuple[str, str]:
    """How an argument or option is given, and what it means, as `--help` says it."""
    given, meaning = parameter.get_help_record(context)
    plain = re.sub(r"\[/?[a-z]+\]", "", meaning)  # rich's markup
    value = re.sub(r"<(\w+)[^>]*>", lambda kind: _KINDS.get(kind[1], kind[1].upper()), given)
    text, _, notes = f"  {plain}".partition("  [")  # the notes may be all there is
    name = parameter.metavar or value if parameter.param_type_name == "argument" else value
    return code(name), f"{_sentence(text)} {_notes(notes)}".strip()


_KINDS = {"str": "TEXT", "path": "PATH", "int": "NUMBER", "float": "NUMBER", "list": "..."}


def _notes(notes: str) -> str:
    """`default: 1; x>=1]` as a sentence."""
    parts = [part for part in notes.removesuffix("]").split("; ") if part and part != "required"]
    named = [re.sub(r"^x>=(.+)$", r"at least \1", part) for part in parts]
    named = [part.replace("env var: ", "environment variable: ") for part in named]
    return " ".join(f"{part[0].upper()}{part[1:]}." for part in named)


def _sentence(text: str | None) -> str:
    plain = " ".join((text or "").replace("\b", "").split())
    plain = re.sub(r"(?<![\w`-])--[a-z][a-z-]*", r"`\g<0>`", plain)
    plain = plain[:1].upper() + plain[1:]
    return plain if not plain or plain.endswith((".", "?", "!", ":")) else f"{plain}."


def fields() -> str:
    """Every field of a trial that a matrix may set, by group (`benchsuite list fields`)."""
    parts = []
    rows = LISTS["fields"]()
    for group, members in groupby(rows, lambda row: row["field"].rpartition(".")[0]):
        parts.append(f"## {f'{group}.*' if group else 'The trial itself'}")
        parts.append(
            table(
                ["field", "default", "allowed values", "meaning"],
                (
                    (code(row["field"]), code(row["default"]), row["accepts"], _sentence(row["meaning"]))
                    for row in members
                ),
            )
        )
    return "\n\n".join(parts)


def task_options() -> str:
    """The sources and options of every task (`benchsuite list tasks`)."""
    parts = []
    for row in LISTS["tasks"]():
        parts.append(f"## {row['name']}")
        parts.append(_sentence(row["summary"]))
        parts.append(
            table(["source", "what it is"], ((code(name), text) for name, text in row["sources"].items()))
        )
        if row["options"]:
            parts.append(
                table(["option", "meaning"], ((code(name), text) for name, text in row["options"].items()))
            )
    return "\n\n".join(parts)


def data_files() -> str:
    """Every file that a task may download, with its size and licence (`benchsuite list data`)."""
    rows = (
        (code(row["task"]), code(row["file"]), f"{row['bytes']:,}", row["licence"]) for row in LISTS["data"]()
    )
    return table(["task", "file", "bytes", "licence"], rows)


def finished_report() -> str:
    """A link to the report that `tox run -e docs` writes beside the site's pages."""
    return (
        '<p><a href="example/index.html">The whole report</a>, made by '
        "<code>benchsuite report results/quick@1</code>.</p>"
    )


def frame_columns() -> str:
    """The columns of Study.frame(): its own, those of a trial's fields, and those named by what they hold."""
    meanings = {row["field"]: row["meaning"] for row in LISTS["fields"]()}
    own = ((code(name), _sentence(text)) for name, text in FRAME_COLUMNS.items())
    fields = (
        (code(name), code(path), _sentence(meanings.get(path, ""))) for name, path in trial_columns().items()
    )
    patterns = ((code(name), _sentence(text)) for name, text in FRAME_PATTERNS.items())
    return "\n\n".join(
        [
            table(["column", "what it is"], own),
            "One column for each field of the trial, without its group:",
            table(["column", "field", "meaning"], fields),
            "And as many as there is something to say:",
            table(["column", "what it is"], patterns),
        ]
    )


def _columns(described: dict[str, str]) -> Callable[[], str]:
    return lambda: table(
        ["column", "what it is"], ((code(name), _sentence(text)) for name, text in described.items())
    )


GENERATORS: dict[str, Callable[..., str]] = {
    "cell": cell_page,
    "command_line": command_line,
    "data_files": data_files,
    "comparison_columns": _columns(COMPARISON_COLUMNS),
    "curve_columns": _columns(CURVE_COLUMNS),
    "fields": fields,
    "frame_columns": frame_columns,
    "ranking_columns": _columns(RANKING_COLUMNS),
    "finished_report": finished_report,
    "task_options": task_options,
}
