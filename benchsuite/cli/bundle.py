"""`benchsuite bundle`: a study as one file to archive and to cite."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from benchsuite.cli import options as given


def bundle(
    study: given.StudyName,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The zip to write [dim](default: STUDY.crate.zip here)[/dim]."),
    ] = None,
    report: Annotated[bool, typer.Option(help="Include the study's report.")] = True,
    licence: Annotated[
        str, typer.Option("--licence", help="Licence (or its URL) you publish it under.")
    ] = "",
    results: given.Results = None,
    allow_damage: given.AllowDamage = False,
) -> None:
    """Write a study as an RO-Crate zip: records, curves, report, environment, data hashes, matrix, citation.

    A journal with a damaged line is refused, for what is published should be whole.
    """
    import tempfile

    from benchsuite.cli.studies import open_study
    from benchsuite.publishing.bundle import write_bundle
    from benchsuite.report.formatting import format_value

    found = open_study(study, results, allow_damage=allow_damage)
    path = output or Path(f"{found.name}.crate.zip")
    if not report:
        write_bundle(found, path, None, licence)
    else:
        from benchsuite.report import write_report

        with tempfile.TemporaryDirectory(prefix="benchsuite-report-") as made:
            write_report([found], Path(made), ["html"])
            write_bundle(found, path, Path(made), licence)
    size = format_value(path.stat().st_size, form="bytes")
    typer.echo(f"{path} ({size}); read it with: benchsuite report {shlex.quote(str(path))}")
