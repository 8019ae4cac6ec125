"""`benchsuite data`: the files that tasks download."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from benchsuite.cli import options as given
from benchsuite.cli.output import installed
from benchsuite.cli.single_options import Commands

if TYPE_CHECKING:
    from benchsuite.contracts import TaskEntry

app = Commands(no_args_is_help=True, help="List, fetch and verify the data files of the tasks.")

TaskNames = Annotated[list[str] | None, typer.Argument(metavar="TASK", help="Tasks; all of them by default.")]


@app.command("list")
def list_(json: given.AsJson = False) -> None:
    """List every file with its state (present, missing, corrupt) and where it lies or should lie."""
    from benchsuite.cli.listing import list_ as list_kind

    list_kind("data", json)


@app.command()
def fetch(tasks: TaskNames = None) -> None:
    """Download the files of these tasks, each checked against its pinned SHA-256."""
    from benchsuite import data
    from benchsuite.cli.downloads import download_bar
    from benchsuite.errors import DataError

    broken: list[str] = []
    for entry in _chosen(tasks):
        for file in entry.files:
            try:
                with download_bar(file.name) as bar:
                    path = data.fetch(file, bar)
                typer.echo(f"{entry.name}  {path}")
            except DataError as error:
                broken.append(str(error))
    if broken:
        raise DataError("\n".join(broken))


@app.command()
def verify(tasks: TaskNames = None) -> None:
    """Read every byte of these tasks' files and compare SHA-256; ends with 1 when a file is corrupt."""
    from benchsuite import data
    from benchsuite.errors import DataError

    corrupt: list[str] = []
    for entry in _chosen(tasks):
        for cached in data.list_files(entry.files):
            typer.echo(f"{cached.state:8} {entry.name}  {cached.path}")
            if cached.state == "corrupt":
                corrupt.append(
                    f"{cached.path} is not the pinned file; remove it and run `benchsuite data fetch`"
                )
    if corrupt:
        raise DataError("\n".join(corrupt))


def _chosen(names: list[str] | None) -> list[TaskEntry]:
    found = installed()
    return [found.task(name) for name in names or sorted(found.tasks)]
