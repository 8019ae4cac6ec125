"""`benchsuite report`: studies as a site, and as tables for papers and READMEs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchsuite.cli import options as given
from benchsuite.cli.output import installed, warn


def report(
    studies: Annotated[
        list[str],
        typer.Argument(metavar="STUDY...", help="Studies by name, by path, or as bundles (X.crate.zip)."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write.")] = Path("report"),
    formats: Annotated[
        str,
        typer.Option("--format", "-f", metavar="html,markdown,latex", help="One or several."),
    ] = "html",
    results: given.Results = None,
) -> None:
    """Write the report of one or several studies: a site to publish, tables for papers and READMEs.

    The site needs no server: open index.html, or put the folder on any web host.
    """
    from benchsuite.cli.studies import open_study
    from benchsuite.report import write_report

    opened = [open_study(name, results) for name in studies]
    wanted = [name.strip() for name in formats.split(",") if name.strip()]
    for path in write_report(opened, output, wanted, plugins=installed(), on_problem=warn):
        typer.echo(str(path))
