"""`benchsuite site`: the board of a results repository."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchsuite.cli.output import warn

if TYPE_CHECKING:
    from benchsuite.publishing.repository import Repository as Opened


def site(
    repository: Annotated[
        Path,
        typer.Argument(
            metavar="REPOSITORY", help="The folder of a results repository (`benchsuite publish`)."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder to write [dim](default: site)[/dim]."),
    ] = None,
    title: Annotated[
        str, typer.Option(help="Title of the site [dim](default: the folder's name)[/dim].")
    ] = "",
    check: Annotated[
        bool,
        typer.Option(
            "--check",
            help="Write no site; judge every submission again by its bundle: ends with 1 where any differs.",
        ),
    ] = False,
    readme: Annotated[
        bool,
        typer.Option(
            "--readme",
            help="Write no site; write its first page into the repository's README.md, between the lines "
            "<!-- board --> and <!-- end of board -->.",
        ),
    ] = False,
    address: Annotated[
        str,
        typer.Option(
            "--url", help="Where the site is published, for citations, badges and links of README.md."
        ),
    ] = "",
) -> None:
    """Write the board of a results repository: rankings by machine, the history of every configuration, and the
    bundles to download.

    The site needs no server: open index.html, or put the folder on any web host. --check is for those who
    accept pull requests: each bundle is verified again, and its summary and index are made again from it.
    """
    from benchsuite.errors import RequestError
    from benchsuite.publishing.repository import Repository

    if check and readme:
        raise RequestError("--check and --readme do different things: give one of them")
    if output is not None and (check or readme):
        raise RequestError(
            f"{'--check' if check else '--readme'} writes no site: leave --output {output} out"
        )
    opened = Repository.open(repository)
    if check:
        _check(opened)
        return
    from benchsuite.publishing.board import write_board, write_readme

    if readme:
        typer.echo(str(write_readme(opened, title=title, address=address)))
    else:
        typer.echo(
            str(write_board(opened, output or Path("site"), title=title, address=address, on_problem=warn))
        )


def _check(repository: Opened) -> None:
    from benchsuite.publishing.repository.check import check_repository
    from benchsuite.report.formatting import format_count

    faults = 0
    for fault in check_repository(repository):
        typer.echo(f"{fault.submission}: {fault.sentence}")
        faults += 1
    if faults:
        raise typer.Exit(1)
    held = format_count(len(repository.submissions()), "submission")
    typer.echo(f"{held}: each is what its bundle says")
