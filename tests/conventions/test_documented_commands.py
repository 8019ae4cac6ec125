"""Commands of the pages: they parse, there are such trials, and environments of tox and scripts are there."""

from __future__ import annotations

import configparser
import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from fixtures.sources import ROOT, tracked_files

from benchsuite.cli import request
from benchsuite.cli.app import app
from benchsuite.plugins import registry
from benchsuite.running.matrix import builtin_matrices, load_matrix, select
from benchsuite.running.matrix.filters import FIELDS

# what a release said holds for that release
PAGES = [path for path in tracked_files() if path.suffix == ".md" and path.name != "CHANGELOG.md"]
FENCE = re.compile(r"^( *)```(?!python|toml|json|math|text)\w*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
SETTING = re.compile(r"^(?:[A-Z][A-Z_]*=\S+ )+")
PLACEHOLDER = re.compile(r"(?<![\w.-])[A-Z]+(?![\w.-])|\[|\.\.\.")
"""A word that a reader puts something else in place of: STUDY, NAME, [MATRIX]."""
MADE_BY_THE_READER = re.compile(r"\bmy_(backend|task|cell)\b")
"""What `benchsuite new` makes in the documentation is not installed here."""
STARTS = ("benchsuite ", "tox ", "python ", "python3 ")


def commands(text: str) -> list[tuple[str, bool]]:
    """(command, whether it can be typed as it is) of a page: the lines of its blocks, without comments and
    settings, and what is between backquotes. There a command without its arguments is a name."""
    found = []
    for _, block in FENCE.findall(text):
        for line in block.splitlines():
            for part in re.sub(r"\s{2,}.*|\s+#.*", "", line.strip()).split("&&"):
                command = SETTING.sub("", part.strip())
                found.append((command, not PLACEHOLDER.search(command)))
    found += [(SETTING.sub("", code), False) for code in INLINE.findall(FENCE.sub("", text))]
    return [(command, whole) for command, whole in found if command.startswith(STARTS)]


ALL = sorted(
    {(*one, page.relative_to(ROOT).as_posix()) for page in PAGES for one in commands(page.read_text("utf-8"))}
)


def alternatives(words: list[str]) -> list[list[str]]:
    """The commands that `list|fetch|verify` stands for; a value such as `html|none` is one word."""
    for place, word in enumerate(words):
        if re.fullmatch(r"[a-z]+(\|[a-z]+)+", word):
            return [
                one
                for name in word.split("|")
                for one in alternatives([*words[:place], name, *words[place + 1 :]])
            ]
    return [words]


def problem(command: str, whole: bool) -> str:
    """Why a command would be refused before it does anything; "" where it would not."""
    program, *words = shlex.split(command)
    if program == "tox":
        return _tox_problem(words)
    if program != "benchsuite":
        return _python_problem(words)
    return next((found for one in alternatives(words) if (found := _parse_problem(one, whole))), "")


@cache
def application() -> Any:
    """The command line as one group. It is the same for every command, and takes long to make."""
    return typer.main.get_command(app)


def _parse_problem(words: list[str], whole: bool) -> str:
    command = application()
    rest = list(words)
    while hasattr(command, "commands"):
        if not rest or rest[0].startswith("-") or rest[0] == "COMMAND":
            return ""
        if rest[0] not in command.commands:
            return f"there is no command {rest[0]}"
        command = command.commands[rest.pop(0)]
    try:
        command.make_context("benchsuite", rest)
    except Exception as error:
        missing = type(error).__name__ == "MissingParameter"
        return "" if missing and not whole else f"{type(error).__name__}: {getattr(error, 'message', error)}"
    except SystemExit:
        return ""  # --help
    return ""


def _tox_problem(words: list[str]) -> str:
    if words[:1] != ["run"] or words[1:2] != ["-e"]:
        return "" if words in (["run"], []) else f"tox {words[0]}"
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini", encoding="utf-8")
    sections = [name.removeprefix("testenv:") for name in parser.sections()]
    there = {part for name in sections for part in name.strip("{}").split(",")}
    strangers = sorted(set(words[2].split(",")) - there) if not PLACEHOLDER.search(words[2]) else []
    return f"tox.ini has no environment {', '.join(strangers)}" if strangers else ""


def _python_problem(words: list[str]) -> str:
    """Modules and scripts of the repository; installers and modules of others are not looked for."""
    if words[:1] == ["-m"] and words[1].split(".")[0] in ("benchmarks", "benchsuite"):
        path = ROOT.joinpath(*words[1].split("."))
        return "" if path.is_dir() or path.with_suffix(".py").is_file() else f"there is no module {words[1]}"
    if words and words[0].endswith(".py") and "/" in words[0]:
        return "" if (ROOT / words[0]).is_file() else f"there is no {words[0]}"
    return ""


def test_the_documentation_has_commands() -> None:
    assert len(ALL) > 80


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_of_a_page_can_be_run(page: Path) -> None:
    found = {
        command: reason
        for command, whole in commands(page.read_text(encoding="utf-8"))
        if (reason := problem(command, whole))
    }
    assert not found


@pytest.mark.parametrize(
    "command",
    [
        "benchsuite runn quick",
        "benchsuite data fetch|burn",
        "benchsuite run quick --cells lstm",
        "benchsuite show",
        "tox run -e nothing",
        "tox walk",
        "python docs/nothing.py",
        "python3 -m benchmarks.nothing",
    ],
)
def test_a_command_that_would_be_refused_is_found(command: str) -> None:
    [(read, whole)] = commands(f"# Page\n\n```sh\n{command}  # why\n```\n")
    assert read == command
    assert problem(read, whole)


@pytest.mark.parametrize(
    "code", ["benchsuite show", "benchsuite data list|fetch", "benchsuite COMMAND --help"]
)
def test_the_name_of_a_command_needs_no_arguments(code: str) -> None:
    [(read, whole)] = commands(f"Text with `{code}` in it.\n")
    assert not problem(read, whole)


def trials_asked_for() -> list[str]:
    """Runs and plans of matrices that are here, in README and docs/; other pages name plugins of their own."""
    lines = {
        command
        for command, _, page in ALL
        if re.match(r"benchsuite (run|plan) (?!\S*[A-Z\[])", command) and page.startswith(("README", "docs/"))
    }
    asked = (line for line in lines if not MADE_BY_THE_READER.search(line))
    return sorted(line for line in asked if _has_matrix(line.split()[2]))


def _has_matrix(name: str) -> bool:
    return name in builtin_matrices() or (name.startswith("docs/") and (ROOT / name).is_file())


@pytest.mark.parametrize("line", trials_asked_for())
def test_a_documented_command_asks_for_trials_that_there_are(
    line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    _, name, *arguments = shlex.split(line)
    given = application().commands[name].make_context(name, arguments).params
    filters = request.filters(**{field: given[field] for field in FIELDS})
    assert select(load_matrix(given["matrix"]), registry(), filters, given["overrides"] or ()).trials


@pytest.mark.parametrize("file", sorted((ROOT / "docs").glob("*.toml")), ids=lambda file: file.name)
def test_a_matrix_of_the_documentation_has_no_trial_that_would_be_skipped(file: Path) -> None:
    found = select(load_matrix(str(file)), registry(), {}, ())
    assert found.trials
    assert not found.skipped
