"""Where commands print: tables, JSON, warnings."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from benchsuite.plugins import Registry

PLAIN_WIDTH = 160
"""Columns of a table that goes to a file or a pipe."""
NO_VALUE = "-"
"""Printed in a cell whose figure is absent."""


def console() -> Console:
    """The console of standard output; as wide as the terminal, or PLAIN_WIDTH where there is none."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else PLAIN_WIDTH
    return Console(file=sys.stdout, width=width, highlight=False)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]] = (), **more: Any) -> Table:
    """A plain table; columns whose heading starts with `>` hold numbers: aligned right, never broken."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    made = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, **more
    )
    for column in columns:
        number = column.startswith(">")
        made.add_column(
            column.lstrip(">"), justify="right" if number else "left", no_wrap=number, overflow="fold"
        )
    for row in rows:
        made.add_row(*(escape(str(cell)) for cell in row))
    return made


def table_width(columns: Mapping[str, Sequence[str]]) -> int:
    """Characters that a table of these cells by heading needs so that no cell is broken."""
    return sum(
        max(len(text) for text in (heading.lstrip(">"), *cells)) + 2 for heading, cells in columns.items()
    )


def print_json(data: Any) -> None:
    typer.echo(json.dumps(data, indent=2, ensure_ascii=False, default=str))


def warn(text: str) -> None:
    typer.echo(f"warning: {text}", err=True)


def installed() -> Registry:
    """The installed plugins; broken ones are named on standard error, once a process."""
    from benchsuite.plugins import registry

    found = registry()
    if not _warned:
        _warned.append(True)
        for plugin in found.problems:
            who = f"plugin {plugin.name} of {plugin.distribution} {plugin.version}"
            warn(f"{who} is broken and left out: {plugin.problem}")
    return found


_warned: list[bool] = []
