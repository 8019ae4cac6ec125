"""`benchsuite plan`: what a run would do."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from benchsuite.cli import options as given
from benchsuite.cli import request
from benchsuite.cli.output import console, installed, print_json, table, warn

if TYPE_CHECKING:
    from benchsuite.analysis.identity import Labels
    from benchsuite.contracts import RunOptions
    from benchsuite.running.matrix import Plan
    from benchsuite.running.study import StoredStudy
    from benchsuite.schema import Record


def plan(
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
    executor: given.ExecutorName = "local",
    executor_options: given.ExecutorOptions = None,
    jobs: given.Jobs = request.AUTO_JOBS,
    pythons: given.Pythons = None,
    rerun: given.Rerun = None,
    shard: given.ShardOf = None,
    times: given.Times = None,
    json: given.AsJson = False,
) -> None:
    """Print what a matrix would run: the trials, what is skipped and why, the estimated time."""
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
    count = request.job_count(jobs)
    options = request.run_options(jobs=count, pythons=pythons, settings=executor_options or ())
    print_plan(matrix, filters, overrides, results, name, executor, options, rerun, shard, times, json)


def print_plan(
    matrix: str,
    filters: dict[str, list[str]],
    overrides: Iterable[str],
    results: Path | None,
    name: str | None,
    executor: str,
    options: RunOptions,
    rerun: str | None,
    shard: str | None = None,
    times: str | None = None,
    json: bool = False,
) -> None:
    """Plan as a run of the same arguments would, and print it. Starts workers, runs no trial."""
    from benchsuite.analysis.identity import Labels
    from benchsuite.running.environments import interpreters
    from benchsuite.running.matrix import load_matrix, make_plan, select
    from benchsuite.running.shards import parse_shard
    from benchsuite.running.store import study_folder
    from benchsuite.running.study import results_folder
    from benchsuite.running.study.api import cut_changes, part, suite_notes
    from benchsuite.running.study.past import PastTimes

    request.check_rerun(rerun)
    found = installed()
    asked = load_matrix(matrix)
    overrides = tuple(overrides)
    expansion = select(asked, found, filters, overrides)
    own = None if shard is None else parse_shard(shard)
    wanted = name or asked.name
    expansion, asking = part(expansion, wanted, asked, filters, overrides, own, open_times(times, results))
    study = wanted if own is None else own.study(wanted)
    folder = study_folder(results_folder(results), study)
    for sentence in cut_changes(folder, asking) if own is not None else ():
        warn(sentence)
    for sentence in suite_notes(asked, expansion):
        warn(sentence)
    records = _recorded(folder) if folder.exists() else {}
    with found.start_executor(executor, options) as runner:
        planned = make_plan(
            expansion.trials,
            runner.check_support(expansion.trials),
            expansion.skipped,
            records,
            rerun,
            PastTimes(folder, list(records.values())),
        )
        planned = replace(planned, jobs=runner.jobs([item.trial for item in planned.of("run")]))
    label = Labels([*(item.trial for item in planned.items), *(record.trial for record in records.values())])
    used = interpreters(options.pythons)
    if json:
        _print_json(planned, label, used)
    else:
        _print_table(planned, study, label)
        _print_interpreters(planned, used)


def open_times(name: str | None, results: Path | None) -> StoredStudy | None:
    """The study that --times names. Raises RequestError for one that is not there."""
    from benchsuite.cli.studies import open_study

    return None if name is None else open_study(name, results)


def _recorded(folder: Path) -> dict[str, Record]:
    """Trial id -> the study's latest record, with a warning of what is damaged."""
    from benchsuite.running.store import StudyStore, latest

    store = StudyStore.open(folder)
    records, damage = store.history()
    for one in damage:
        warn(one.sentence(store.name))
    return latest(records)


def _print_interpreters(planned: Plan, used: Mapping[str, str]) -> None:
    """A line for each backend that lives in another interpreter than this one."""
    from benchsuite.running.environments import serving

    environments = serving()
    for backend in dict.fromkeys(item.trial.backend for item in planned.items):
        if backend in used:
            own = environments.get(backend)
            name = f", environment {own.name}" if own and own.interpreter == used[backend] else ""
            typer.echo(f"{backend} runs with {used[backend]}{name}")


def _print_json(planned: Plan, label: Labels, used: Mapping[str, str]) -> None:
    print_json(
        [
            {
                "id": item.trial.id,
                "label": label(item.trial),
                "action": item.action,
                "reason": item.reason,
                "seconds": item.seconds,
                "python": used.get(item.trial.backend, sys.executable),
                "seconds_from": item.expected.known_from if item.expected else "",
                "trial": item.trial.model_dump(mode="json"),
            }
            for item in planned.items
        ]
    )


def _print_table(planned: Plan, name: str, label: Labels) -> None:
    from benchsuite.analysis.expected_time import expected_sources
    from benchsuite.api.progress import begun_line
    from benchsuite.report.formatting import format_count, format_value

    rows = [
        (
            item.trial.id,
            item.action,
            label(item.trial),
            item.reason,
            format_value(item.seconds, form="seconds", rough=True),
        )
        for item in planned.items
    ]
    console().print(table("", ["id", "", "trial", "why", ">takes about"], rows))
    typer.echo(begun_line(name, planned))
    due = planned.of("run")
    if due and planned.seconds is None:
        typer.echo("estimated time: unknown, no study in the results folder has records")
    elif due:
        typer.echo("the time is known from:")
        for words, count in expected_sources(item.expected for item in due):
            typer.echo(f"  {words} ({format_count(count, 'trial')})")
