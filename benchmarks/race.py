"""Contestants side by side, by the suite's own races: each in a worker of its own, one at work at a time.

Peers are no backends: benchmarks.contestant_worker replaces the worker's session alone. Processes,
pinning, rotation, judging and storing are those of `benchsuite race`. Times are CPU seconds per call. Processes
of one and the same code differ by 2 to 4 per cent, for as long as they live: where their memory lies. Closer
ones race in several.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.contestants import FRAMEWORKS, entry_name
from benchmarks.corners import CORNER
from benchmarks.shapes import Shape
from benchmarks.unsupported import UNSUPPORTED
from benchsuite.contracts import Backend, BackendEntry, RunOptions
from benchsuite.plugins import registry
from benchsuite.running.races import RaceGroup, Racer, run_races
from benchsuite.running.races.workers import RaceRunner
from benchsuite.schema import Execution, Trial

ROUNDS = 9
SAME_LOSS = 1e-3
"""Relative difference of the first loss above which a contestant is not training the same model."""
WORKER = "benchmarks.contestant_worker"


@dataclass(frozen=True)
class Entry:
    """Who races on what, and under which allocator. `number`: of several processes of the same."""

    name: str
    shape: Shape
    allocator: str = "tuned"
    number: int = 0

    @property
    def trial(self) -> Trial:
        execution = Execution.model_validate({"allocator": self.allocator})
        return Trial(
            task="benchmark", source="random", options={"shape": self.shape.name}, cell=self.shape.cell,
            architecture="plain", backend=entry_name(self.name), execution=execution, seed=self.number,
        )  # fmt: skip


def race(entries: Sequence[Entry], what: str = "step", rounds: int = ROUNDS) -> dict[Entry, float]:
    """Median CPU seconds per call of those that can run their shape.

    :param what: `step` or `predict`.

    Raises RuntimeError where one dies or trains another model.
    """
    _let_every_kernel_run()
    group = RaceGroup("benchmark", {str(place): entry.trial for place, entry in enumerate(entries)})
    trials, backends = (
        list(group.racers.values()),
        {entry_name(entry.name): _card(entry.name) for entry in entries},
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        RaceRunner(trials, RunOptions(), backends, WORKER) as runner,
    ):
        found = run_races(Path(folder), [group], runner, what=what, rounds=rounds, on_event=lambda _: None)
    if found.interrupted:
        raise KeyboardInterrupt
    (result,) = found.races
    by_entry = dict(zip(entries, result.racers, strict=True))
    for entry, racer in by_entry.items():
        if racer.problem and not racer.problem.startswith(UNSUPPORTED):
            raise RuntimeError(f"{entry.name} on {entry.shape.name}: {racer.problem}")
    _check_losses(by_entry)
    if result.judgement is None:
        raise RuntimeError(f"fewer than two of {', '.join(entry.name for entry in entries)} could race")
    medians = {rank.racer: rank.median for rank in result.judgement.ranks}
    return {entry: medians[racer.name] for entry, racer in by_entry.items() if racer.name in medians}


def _let_every_kernel_run() -> None:
    """Drop what holds the kernels of one library back and not those of the others, which a corner does not."""
    if CORNER in os.environ:
        return
    for name in [name for name in os.environ if name.startswith("OPENBLAS_")]:
        del os.environ[name]


def _card(name: str) -> BackendEntry:
    """A contestant as the races know it: with the environment of its framework's workers."""
    framework = name.partition(":")[0]
    backend = registry().backend(framework if framework in FRAMEWORKS else "numpy")

    def load() -> Backend:
        raise AssertionError("a contestant is no backend")

    return BackendEntry(entry_name(name), load, "a contestant", (), None, environment=backend.environment)


def _check_losses(racers: dict[Entry, Racer]) -> None:
    """Raises RuntimeError where the first losses on one shape differ."""
    for shape in {entry.shape for entry in racers}:
        found = {
            entry: float(racer.facts.get("loss", "nan"))
            for entry, racer in racers.items()
            if entry.shape == shape
        }
        losses = {entry: loss for entry, loss in found.items() if not np.isnan(loss)}
        expected = float(np.median(list(losses.values()))) if losses else 0.0
        for entry, loss in losses.items():
            if abs(loss - expected) > SAME_LOSS * abs(expected):
                raise RuntimeError(
                    f"{entry.name} does not train the same {shape.name}: first loss {loss}, "
                    f"the others' {expected}"
                )
