"""`benchsuite cancel`: end what an interrupted run left to a cluster."""

from __future__ import annotations

import typer

from benchsuite.cli import options as given


def cancel(study: given.StudyName, results: given.Results = None) -> None:
    """End the jobs that go on for a study whose run was left.

    What they have recorded goes into the study at the next run.
    """
    from benchsuite.cli.output import installed
    from benchsuite.cli.studies import open_study
    from benchsuite.contracts import StudyInfo
    from benchsuite.running.cluster.runs import runs_of

    found = open_study(study, results)
    asked = {run.executor: run.options for run in (folder.read() for folder in runs_of(found.folder))}
    said = []
    for name, options in asked.items():
        with installed().start_executor(name, options) as executor:
            said += executor.cancel(StudyInfo(found.name, found.folder))
    for sentence in said or [f"nothing of {found.name} runs on a cluster"]:
        typer.echo(sentence)
