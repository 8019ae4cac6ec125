"""`benchsuite list`: what is here to benchmark. Only `devices` starts workers; no framework is imported."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchsuite.cli.output import console, installed, print_json, table

if TYPE_CHECKING:
    from benchsuite.contracts import Option

ListRow = dict[str, Any]


def list_(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="tasks | backends | cells | architectures | fields | devices | data | plugins | matrices | "
            "suites | executors",
        ),
    ],
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """List what is here to benchmark, and with what."""
    from benchsuite.errors import UnknownNameError

    if kind not in LISTS:
        raise UnknownNameError("kind of list", kind, LISTS)
    rows = LISTS[kind]()
    if json:
        print_json(rows)
        return
    if not rows:
        typer.echo(f"no {kind}")
        return
    cells = [[_shown(row[column]) for column in rows[0]] for row in rows]
    console().print(table("", [column.replace("_", " ") for column in rows[0]], cells))


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{key}: {text}" for key, text in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _tasks() -> list[ListRow]:
    return [
        {
            "name": entry.name,
            "summary": entry.summary,
            "sources": {
                name: text + (" (offline)" if name in entry.offline else "")
                for name, text in entry.sources.items()
            },
            "architectures": list(entry.architectures),
            "options": {name: _option_text(option) for name, option in entry.options.items()},
            **_requirements(
                {name for source in entry.sources for name in entry.required(source)}, entry.extra
            ),
        }
        for entry in _sorted(installed().tasks)
    ]


def _backends() -> list[ListRow]:
    return [
        {
            "name": entry.name,
            "summary": entry.summary,
            **_requirements(entry.requirements, entry.extra),
        }
        for entry in _sorted(installed().backends)
    ]


def _option_text(option: Option) -> str:
    """What an option sets, its default, and what else it may be."""
    limits = option.limits()
    return f"{option.help} (default {option.default}{f'; {limits}' if limits else ''})"


def _requirements(names: Iterable[str], extra: str | None) -> ListRow:
    """The distributions that a plugin needs, with their versions here, and what installs them."""
    return {
        "installed": {name: distribution_version(name) or "no" for name in sorted(names)},
        "install_with": f"pip install 'benchsuite[{extra}]'" if extra else "",
    }


def _cells() -> list[ListRow]:
    from benchsuite.schema import known_cells

    installed()
    return [
        {"name": name, "summary": entry.summary, "source": entry.source}
        for name, entry in known_cells().items()
    ]


def _architectures() -> list[ListRow]:
    from benchsuite.schema import ARCHITECTURES

    tasks = installed().tasks.values()
    return [
        {
            "name": name,
            "summary": text,
            "tasks": sorted(entry.name for entry in tasks if name in entry.architectures),
        }
        for name, text in ARCHITECTURES.items()
    ]


def _fields() -> list[ListRow]:
    from benchsuite.cli.listing_fields import field_rows

    installed()
    return list(field_rows())


def _devices() -> list[ListRow]:
    from benchsuite.contracts import RunOptions

    found = installed()
    rows: list[ListRow] = []
    with found.executor("local").load(RunOptions()) as executor:
        for info in executor.describe_backends(sorted(found.backends)):
            for device, text in info.devices.items():
                rows.append({"backend": info.backend, "device": device, "description": text})
            if info.problem:
                rows.append({"backend": info.backend, "device": "none", "description": info.problem})
    return rows


def _data() -> list[ListRow]:
    from benchsuite.data import list_files

    return [
        {
            "task": entry.name,
            "file": cached.file.name,
            "state": cached.state,
            "bytes": cached.file.bytes,
            "licence": cached.file.licence,
            "path": str(cached.path),
        }
        for entry in _sorted(installed().tasks)
        for cached in list_files(entry.files)
    ]


def _plugins() -> list[ListRow]:
    return [
        {
            "name": plugin.name,
            "distribution": plugin.distribution,
            "version": plugin.version,
            "problem": plugin.problem,
        }
        for plugin in installed().plugins
    ]


def _matrices() -> list[ListRow]:
    from benchsuite.errors import BenchsuiteError
    from benchsuite.running.matrix import builtin_matrices, expand

    rows: list[ListRow] = []
    for matrix in builtin_matrices().values():
        trials: int | str
        try:
            trials = len(expand(matrix, installed()).trials)
        except BenchsuiteError:
            trials = "needs plugins that are missing"
        rows.append({"name": matrix.name, "trials": trials, "summary": matrix.summary})
    return rows


def _suites() -> list[ListRow]:
    from benchsuite.running.suites import frozen_suites

    return [
        {
            "name": suite.name,
            "trials": len(suite.trials),
            "seeds": list(suite.seeds),
            "reference_bands": len(suite.bands),
            "summary": suite.summary,
        }
        for suite in frozen_suites().values()
    ]


def _executors() -> list[ListRow]:
    return [
        {"name": entry.name, "summary": entry.summary, "options": sorted(entry.settings)}
        for entry in _sorted(installed().executors)
    ]


LISTS: dict[str, Callable[[], list[ListRow]]] = {
    "tasks": _tasks,
    "backends": _backends,
    "cells": _cells,
    "architectures": _architectures,
    "fields": _fields,
    "devices": _devices,
    "data": _data,
    "plugins": _plugins,
    "matrices": _matrices,
    "suites": _suites,
    "executors": _executors,
}


def distribution_version(name: str) -> str | None:
    """Version of an installed distribution, from its metadata alone."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _sorted(entries: dict[str, Any]) -> list[Any]:
    return [entries[name] for name in sorted(entries)]
