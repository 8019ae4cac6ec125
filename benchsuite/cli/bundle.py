"""`benchsuite bundle`: a study as one file to archive and to cite."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchsuite.cli import options as given

if TYPE_CHECKING:
    from benchsuite.running.study import StoredStudy


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
    samples: Annotated[
        bool,
        typer.Option(
            "--samples",
            help="Keep samples of data whose licence does not let them be passed on: for your own archive.",
        ),
    ] = False,
    results: given.Results = None,
    allow_damage: given.AllowDamage = False,
) -> None:
    """Write a study as an RO-Crate zip: records, curves, report, environment, data hashes, matrix, citation.

    Of data whose licence does not let them be passed on (no changes, no commerce, none stated), the texts,
    forecasts and pictures of the report are left out.
    A journal with a damaged line is refused, for what is published should be whole.
    """
    from benchsuite.cli.studies import open_study
    from benchsuite.publishing.bundle import write_bundle
    from benchsuite.publishing.samples import withheld, withheld_words
    from benchsuite.report.formatting import format_value

    def write(study: StoredStudy, folder: Path) -> None:
        from benchsuite.report import write_report

        write_report([study], folder, ["html"])

    found = open_study(study, results, allow_damage=allow_damage)
    path = output or Path(f"{found.name}.crate.zip")
    write_bundle(found, path, write if report else None, licence, samples=samples)
    if not samples and (left_out := withheld(found.folder)):
        typer.echo(f"without {withheld_words(left_out)}; --samples keeps them", err=True)
    size = format_value(path.stat().st_size, form="bytes")
    typer.echo(f"{path} ({size}); read it with: benchsuite report {shlex.quote(str(path))}")
