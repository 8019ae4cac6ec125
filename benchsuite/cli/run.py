"""`benchsuite run` and `benchsuite plan`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from benchsuite.cli import options as given
from benchsuite.cli.output import console, installed, print_json, table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from benchsuite.contracts import RunOptions
    from benchsuite.matrix import Plan
    from benchsuite.spec import Record
    from benchsuite.study import Study

MatrixArgument = Annotated[
    str, typer.Argument(metavar="MATRIX", help="smoke | quick | standard | paper, or a TOML file.")
]
RERUNS = ("failed", "all")
ISOLATIONS = ("worker", "trial")


def run(
    matrix: MatrixArgument = "quick",
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
    results: given.Results = None,
    name: given.Name = None,
    tracking_uri: Annotated[
        str | None,
        typer.Option(
            metavar="URI|none",
            help="MLflow mirror of the records [dim](default: sqlite database in the results folder)[/dim].",
        ),
    ] = None,
    executor: given.ExecutorName = "local",
    isolation: given.Isolation = "worker",
    jobs: given.Jobs = 1,
    timeout: given.Timeout = None,
    rerun: given.Rerun = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and run nothing.")] = False,
) -> None:
    """Run a matrix: what is new, failed or stale; then print the table of results.

    A filter narrows the matrix to the values named; --set changes it. Ends with 1 when a trial failed or
    broke parity, with 2 when the request was wrong.
    """
    filters = _filters(
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
    if dry_run:
        _print_plan(
            matrix,
            filters,
            overrides or (),
            results,
            name,
            executor,
            _options(isolation, jobs, timeout),
            rerun,
        )
        return
    from benchsuite import study as studies
    from benchsuite.cli.progress import display
    from benchsuite.cli.summary import failed, print_summary
    from benchsuite.matrix import load_matrix, select

    _check_choice("--rerun", rerun, RERUNS)
    options = _options(isolation, jobs, timeout)
    found = installed()
    asked = load_matrix(matrix)
    out = console()
    with display(out) as shown:
        done = studies.run(
            asked,
            filters=filters,
            overrides=overrides or (),
            name=name,
            results=results,
            tracking_uri=tracking_uri,
            executor=executor,
            options=options,
            rerun=rerun,
            on_event=shown,
        )
    expansion = select(asked, found, filters, overrides or ())
    wanted = [*expansion.trials, *(skip.trial for skip in expansion.skipped)]
    records = _records_of(done, [trial.id for trial in wanted])
    print_summary(out, records)
    typer.echo(f"study: {done.folder} ({len(done.records)} records)")
    typer.echo(
        f"  look again: benchsuite show {done.name}; as a table: benchsuite export {done.name} --format csv"
    )
    if done.interrupted:
        left = f"interrupted; {len(done.left)} trials are left, run the same command to go on"
        typer.echo(left, err=True)
        raise typer.Exit(130)
    if failed(records):
        raise typer.Exit(1)


def plan(
    matrix: MatrixArgument = "quick",
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
    results: given.Results = None,
    name: given.Name = None,
    executor: given.ExecutorName = "local",
    rerun: given.Rerun = None,
    json: given.AsJson = False,
) -> None:
    """Print what a matrix would run: the trials, what is skipped and why, the estimated time."""
    _print_plan(
        matrix,
        _filters(
            task=task,
            source=source,
            cell=cell,
            architecture=architecture,
            backend=backend,
            device=device,
            unroll=unroll,
            precision=precision,
            seed=seed,
        ),
        overrides or (),
        results,
        name,
        executor,
        _options("worker", 1, None),
        rerun,
        json,
    )


def _filters(**arguments: str | None) -> dict[str, list[str]]:
    from benchsuite.matrix import split_values

    return {name: split_values(text) for name, text in arguments.items() if text is not None}


def _options(isolation: str, jobs: int, timeout: float | None) -> RunOptions:
    from benchsuite.contracts import RunOptions

    _check_choice("--isolation", isolation, ISOLATIONS)
    return RunOptions(isolation, jobs, timeout)


def _check_choice(option: str, value: str | None, allowed: Sequence[str]) -> None:
    from benchsuite.errors import UnknownNameError

    if value is not None and value not in allowed:
        raise UnknownNameError(f"value of {option}", value, allowed)


def _records_of(study: Study, ids: Iterable[str]) -> list[Record]:
    """The records of the trials asked for; a study may hold many more."""
    by_id = {record.trial_id: record for record in study.records}
    return [by_id[each] for each in ids if each in by_id]


def _print_plan(
    matrix: str,
    filters: dict[str, list[str]],
    overrides: Iterable[str],
    results: Path | None,
    name: str | None,
    executor: str,
    options: RunOptions,
    rerun: str | None,
    json: bool = False,
) -> None:
    from benchsuite.matrix import load_matrix, make_plan, select
    from benchsuite.store import StudyStore, study_folder
    from benchsuite.study import results_folder

    _check_choice("--rerun", rerun, RERUNS)
    found = installed()
    asked = load_matrix(matrix)
    expansion = select(asked, found, filters, overrides)
    folder = study_folder(results_folder(results), name or asked.name)
    records = StudyStore.open(folder).latest() if folder.exists() else {}
    with found.executor(executor).load(options) as runner:
        planned = make_plan(runner.examine(expansion.trials), expansion.skipped, records, rerun)
    if json:
        _plan_json(planned)
    else:
        _plan_table(planned, name or asked.name)


def _plan_json(planned: Plan) -> None:
    print_json(
        [
            {
                "id": item.trial.id,
                "label": item.trial.label,
                "fate": item.fate,
                "reason": item.reason,
                "seconds": item.seconds,
                "trial": item.trial.model_dump(mode="json"),
            }
            for item in planned.items
        ]
    )


def _plan_table(planned: Plan, name: str) -> None:
    from benchsuite.cli.progress import begun_line, duration

    rows = [
        (
            item.trial.id,
            item.fate,
            item.trial.label,
            item.reason,
            "" if item.seconds is None else duration(item.seconds),
        )
        for item in planned.items
    ]
    console().print(table("", ["id", "", "trial", "why", ">earlier took"], rows))
    typer.echo(begun_line(name, planned))
    if planned.of("run") and planned.seconds is None:
        typer.echo("estimated time: unknown, too few of these configurations were run before")
