"""`benchsuite sync`: mirror a stored study to MLflow, after the fact or to another server."""

from __future__ import annotations

from typing import Annotated

import typer

from benchsuite.cli import options as given


def sync(
    study: given.StudyName,
    tracking_uri: Annotated[
        str, typer.Option(metavar="URI", help="As MLflow writes it: sqlite:///FILE or a server's address.")
    ],
    log_report: given.LogReport = False,
    results: given.Results = None,
) -> None:
    """Send a study's records to MLflow; what is there already is left as it is."""
    from benchsuite.cli.studies import open_study
    from benchsuite.trackers import mlflow
    from benchsuite.trackers.addresses import without_password

    found = open_study(study, results)
    sent, lines = mlflow.sync(found.folder, tracking_uri, log_report)
    where = without_password(tracking_uri)
    typer.echo(f"{sent} of {len(found.records)} records sent to {where}, the others were there")
    for line in lines:
        typer.echo(line)
