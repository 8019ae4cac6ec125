"""`benchsuite run`: the main job."""

from __future__ import annotations

import contextlib
import io
import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from benchsuite.cli import options as given
from benchsuite.cli import request
from benchsuite.cli.interrupts import ended_by_signals, interrupted_code
from benchsuite.cli.output import console
from benchsuite.cli.plan import open_times, print_plan
from benchsuite.cli.streams import unstoppable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchsuite.running.matrix import Planned
    from benchsuite.running.study import StoredStudy, StudyEvent


def run(
    matrix: given.MatrixName = "quick",
    task: given.Tasks = None,
    source: given.Sources = None,
    cell: given.Cells = None,
    architecture: given.Architectures = None,
    backend: given.Backends = None,
    device: given.Devices = None,
    unroll: given.Unrolls = None,
    precision: given.Precisions = None,
    seed: given.Seeds = None,
    overrides: given.Overrides = None,
    calibration: given.Calibration = None,
    results: given.Results = None,
    name: given.Name = None,
    tracking_uri: Annotated[
        str | None,
        typer.Option(
            metavar="URI|none",
            help="MLflow mirror of the records [dim](default: sqlite database in the results folder)[/dim].",
        ),
    ] = None,
    log_models: Annotated[
        bool,
        typer.Option("--log-models", help="Keep the best weights, and mirror them as models of MLflow."),
    ] = False,
    system_metrics: Annotated[
        bool,
        typer.Option("--system-metrics", help="Mirror the machine's load during each trial to MLflow."),
    ] = False,
    log_report: given.LogReport = False,
    executor: given.ExecutorName = "local",
    executor_options: given.ExecutorOptions = None,
    isolation: given.Isolation = "worker",
    jobs: given.Jobs = request.AUTO_JOBS,
    timeout: given.Timeout = request.DEFAULT_TIMEOUT,
    memory: given.Memory = request.DEFAULT_MEMORY,
    retry: given.Retry = None,
    pin: given.Pin = True,
    pythons: given.Pythons = None,
    rerun: given.Rerun = None,
    shard: given.ShardOf = None,
    times: given.Times = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and run nothing.")] = False,
) -> None:
    """Run a matrix: what is new, failed or stale; then print the table of results.

    A filter narrows the matrix to the values named; --set changes it. Ends with 1 when a trial failed or
    broke parity or its timing was refused, with 2 when the request was wrong.
    """
    overrides = request.with_calibration(overrides, calibration)
    filters = request.filters(
        task=task,
        source=source,
        cell=cell,
        architecture=architecture,
        backend=backend,
        device=device,
        unroll=unroll,
        precision=precision,
        seed=seed,
    )
    request.check_rerun(rerun)
    count = request.job_count(jobs)
    options = request.run_options(
        isolation, count, timeout, pythons, pin, memory, retry or (), executor_options or ()
    )
    if dry_run:
        print_plan(matrix, filters, overrides, results, name, executor, options, rerun, shard, times)
        return
    from benchsuite.api.progress import display
    from benchsuite.running import study as studies

    planned: list[Planned] = []
    out = console()
    said = io.StringIO()
    # what plugins print (where to look at the mirror) belongs below the table, not above it
    with ended_by_signals(), display(out) as shown, contextlib.redirect_stdout(said):

        def hear(event: StudyEvent) -> None:
            if isinstance(event, studies.Begun):
                planned.extend(event.plan.items)
            unstoppable(shown)(event)

        done = studies.run(
            matrix,
            filters=filters,
            overrides=overrides,
            name=name,
            results=results,
            tracking_uri=tracking_uri,
            log_models=log_models,
            system_metrics=system_metrics,
            log_report=log_report,
            executor=executor,
            options=options,
            rerun=rerun,
            shard=shard,
            times=open_times(times, results),
            on_event=hear,
        )
    _conclude(done, planned, said.getvalue(), shard)


def _conclude(done: StoredStudy, planned: Sequence[Planned], said: str, shard: str | None = None) -> None:
    """Print the table of the trials asked for (a study may hold many more) and end with the right code."""
    from benchsuite.cli.summary import failed, print_summary
    from benchsuite.running.study import results_folder

    by_id = {record.trial_id: record for record in done.records}
    records = [by_id[item.trial.id] for item in planned if item.trial.id in by_id]
    print_summary(console(), records, done.label)
    typer.echo(f"study: {done.folder} ({len(done.records)} records)")
    where = shlex.quote(done.name if done.folder.parent == results_folder() else str(done.folder))
    again = f"benchsuite show {where}; as a table: benchsuite export {where} --format csv"
    typer.echo(f"  look again: {again}")
    if shard is not None:
        typer.echo("  when the others have run: benchsuite merge SHARD... --output STUDY")
    typer.echo(said, nl=False)
    if done.interrupted:
        left = f"interrupted; {len(done.left)} trials are left, run the same command to go on"
        typer.echo(left, err=True)
        raise typer.Exit(interrupted_code())
    if failed(records) or any(item.action == "fail" for item in planned):
        raise typer.Exit(1)
