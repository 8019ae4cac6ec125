"""`benchsuite calibrate`: measure again which way of running a model is the fastest on this machine."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import typer

from benchsuite.cli import options as given
from benchsuite.cli import request
from benchsuite.cli.output import console, installed, print_json, table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchsuite.contracts import CalibratedTrial
    from benchsuite.schema import Trial


def calibrate(
    matrix: given.MatrixName = "quick",
    task: given.Tasks = None,
    source: given.Sources = None,
    cell: given.Cells = None,
    architecture: given.Architectures = None,
    backend: given.Backends = None,
    device: given.Devices = None,
    unroll: given.Unrolls = None,
    precision: given.Precisions = None,
    overrides: given.Overrides = None,
    pythons: given.Pythons = None,
    json: given.AsJson = False,
) -> None:
    """Measure in which way the trials of a matrix run fastest on this machine, and keep that.

    A run does so by itself where nothing is kept. This command measures again, such as after an update of the
    system. One seed of each trial is taken, since seeds run alike; trials of nearly the same size share one
    measurement.
    """
    from benchsuite.running.calibrations import calibrate as measure
    from benchsuite.running.matrix import load_matrix, select

    filters = request.filters(
        task=task, source=source, cell=cell, architecture=architecture, backend=backend, device=device,
        unroll=unroll, precision=precision,
    )  # fmt: skip
    options = request.run_options(pythons=pythons)
    expansion = select(load_matrix(matrix), installed(), filters, tuple(overrides or ()))
    trials = _one_seed(expansion.trials)
    begin = time.time()
    found = []
    with console().status("") as status:
        for trial, result in measure(trials, options.pythons, begin):
            found.append((trial, result))
            status.update(f"{len(found)} of {len(trials)}: {trial.backend} {trial.task} {trial.cell}")
    if json:
        _print_json(found)
    else:
        _print_table(found)
    if found and all(result.problem for _, result in found):
        raise typer.Exit(1)


def _one_seed(trials: Iterable[Trial]) -> list[Trial]:
    """Of trials that differ in their seed alone, the first."""
    kept: dict[str, Trial] = {}
    for trial in trials:
        kept.setdefault(trial.configuration_id, trial)
    return list(kept.values())


def _print_json(found: Iterable[tuple[Trial, CalibratedTrial]]) -> None:
    print_json(
        [
            {
                "id": trial.id,
                "backend": trial.backend,
                "way": result.way,
                "seconds": result.seconds,
                "measured_seconds": result.measured,
                "problem": result.problem,
            }
            for trial, result in found
        ]
    )


def _print_table(found: list[tuple[Trial, CalibratedTrial]]) -> None:
    from benchsuite.analysis.identity import Labels
    from benchsuite.report.formatting import format_value

    label = Labels([trial for trial, _ in found])
    rows = [
        (
            label(trial),
            result.way,
            format_value(result.seconds.get(result.way), form="seconds"),
            _gain(result),
            result.problem or ("" if result.seconds else "only one way"),
        )
        for trial, result in found
    ]
    console().print(table("", ["trial", "runs by", ">step", ">default takes", ""], rows))


def _gain(result: CalibratedTrial) -> str:
    """How many times as long the default takes, which is the first of the ways."""
    if not result.seconds:
        return ""
    default = next(iter(result.seconds.values()))
    return f"{default / result.seconds[result.way]:.2f} times"
