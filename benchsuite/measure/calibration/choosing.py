"""The choice itself: the model is built in every way that is open, and training steps are timed in turn."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchsuite.contracts import Backend, BackendEntry, Batch, Parameters, Program, ways
from benchsuite.errors import UnsupportedError
from benchsuite.measure.calibration import kept
from benchsuite.measure.calibration.rounds import interleaved, winner
from benchsuite.measure.calibration.size_class import size_class
from benchsuite.measure.provenance import hardware, kernel_variables, software_facts
from benchsuite.schema import Execution, ModelSpec, Recipe


@dataclass(frozen=True)
class Way:
    """How a trial runs: the unroll, and every choice of the backend, named."""

    execution: Execution

    @property
    def name(self) -> str:
        """`dynamic products=onednn tanh=plain`."""
        return " ".join(filter(None, (self.execution.unroll, self.execution.choices)))


@dataclass(frozen=True)
class Choice:
    """The way that is taken, and the medians of a training step by the name of each way that was measured, in
    seconds, the default first; empty where there was nothing to measure.

    measured_seconds  what the measurement took now; 0 where it was kept from before
    """

    way: Way
    seconds: Mapping[str, float]
    measured_seconds: float = 0.0

    def facts(self) -> dict[str, str]:
        """For a record's environment."""
        found = {"calibration.way": self.way.name}
        if self.seconds:
            chosen = self.seconds[self.way.name]
            costs = [f"{name}: {taken / chosen:.3f}" for name, taken in self.seconds.items()]
            found["calibration.relative_seconds"] = "; ".join(costs)
        return found


def default_way(backend: Backend, model: ModelSpec, recipe: Recipe, execution: Execution) -> Choice:
    """The framework's own default, unroll dynamic where that is open; nothing is measured.

    Raises UnsupportedError where the backend has no way to run the model so.
    """
    return Choice(_open_ways(backend, model, recipe, execution)[0], {})


def calibrated(
    entry: BackendEntry,
    backend: Backend,
    model: ModelSpec,
    parameters: Callable[[], Parameters],
    recipe: Recipe,
    execution: Execution,
    batch: Callable[[], Batch],
    since: float = 0.0,
    alone: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext,
) -> Choice:
    """The fastest way to take a training step, as it was measured before on this machine, or as it is now.

    :param batch: makes one that the model is trained on; called where more than one way is open.
    :param parameters: makes those of the model, in the execution's dtype; called where steps are timed.
    :param since: seconds since 1970; what was measured before is measured again.
    :param alone: what is measured is measured in this context.

    Raises UnsupportedError where the backend has no way to run the model so.
    """
    found = _open_ways(backend, model, recipe, execution)
    if len(found) == 1:
        return Choice(found[0], {})
    machine = hardware() | kernel_variables() | software_facts(entry)
    trained = batch()
    size = size_class(model, recipe, execution, trained)
    by_name = {way.name: way for way in found}

    def known_choice() -> Choice | None:
        known = kept.find(machine, entry.name, size)
        valid = known is not None and known.made >= since and known.chosen in by_name
        return Choice(by_name[known.chosen], known.seconds) if known is not None and valid else None

    if choice := known_choice():
        return choice
    with alone():
        if choice := known_choice():  # measured by another process, while this one waited
            return choice
        begin = time.perf_counter()
        seconds = measured(backend, model, parameters(), recipe, found, trained)
        taken_in_all = time.perf_counter() - begin
    medians = {name: float(np.median(taken)) for name, taken in seconds.items()}
    known = kept.keep(machine, entry.name, size, winner(seconds), medians, since)
    return Choice(by_name[known.chosen], known.seconds, taken_in_all)


def measured(
    backend: Backend,
    model: ModelSpec,
    parameters: Parameters,
    recipe: Recipe,
    found: Sequence[Way],
    batch: Batch,
) -> dict[str, np.ndarray]:
    """Seconds of a training step in each way, (rounds,), by its name; a way that only building shows to be
    impossible is left out."""
    steps: dict[str, Callable[[], None]] = {}
    for way in found:
        with contextlib.suppress(UnsupportedError):
            program = backend.build(model, parameters, recipe, way.execution)
            steps[way.name] = _steps(program, program.place(batch))
            steps[way.name]()  # compiles
    alone = all(way.execution.alone for way in found)
    return interleaved(steps, time.process_time if alone else time.perf_counter)


def _steps(program: Program, placed: object) -> Callable[[], None]:
    def step() -> None:
        program.step(placed)
        program.synchronize()

    return step


def _open_ways(backend: Backend, model: ModelSpec, recipe: Recipe, execution: Execution) -> list[Way]:
    found = [Way(one) for one in ways(backend, model, recipe, execution)]
    if not found:
        raise UnsupportedError(f"no unroll of this backend runs this model on {execution.device}")
    return found
