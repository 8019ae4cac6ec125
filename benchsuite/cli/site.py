"""`benchsuite site`: the board of a results repository."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchsuite.cli.output import warn


def site(
    repository: Annotated[
        Path,
        typer.Argument(
            metavar="REPOSITORY", help="The folder of a results repository (`benchsuite publish`)."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write.")] = Path("site"),
    title: Annotated[
        str, typer.Option(help="Title of the site [dim](default: the folder's name)[/dim].")
    ] = "",
    address: Annotated[
        str, typer.Option("--url", help="Where it will be published, for citations and badges.")
    ] = "",
) -> None:
    """Write the board of a results repository: rankings by machine, the history of every configuration, and the
    bundles to download.

    The site needs no server: open index.html, or put the folder on any web host.
    """
    from benchsuite.publishing.board import write_board
    from benchsuite.publishing.repository import Repository

    typer.echo(
        str(write_board(Repository.open(repository), output, title=title, address=address, on_problem=warn))
    )
