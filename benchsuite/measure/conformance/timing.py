"""What a timing takes for granted of a program: each check is one of those that every timing passes, or a
figure of a record that a program states itself."""

from __future__ import annotations

import contextlib
import gc
import itertools
import math
from collections.abc import Callable, Iterator

import psutil

from benchsuite.contracts import Program, State
from benchsuite.errors import KernelFallbackError
from benchsuite.measure.conformance.backend import ConformanceError, Kit
from benchsuite.measure.conformance.cases import HIDDEN_UNITS, Case
from benchsuite.measure.timing import (
    StepAudit,
    answers_from_memory,
    exceeds_threads,
    steady_state,
    too_many_threads,
    unsynchronised,
)
from benchsuite.measure.worker.heap import trim_heap
from benchsuite.measure.worker.kernels import LOOPS, check_kernel
from benchsuite.schema import (
    BUILTIN_CELLS,
    INVALID_TIMING,
    Convolutional,
    Dense,
    Features,
    ModelSpec,
    Protocol,
    Recipe,
    Recurrent,
)

BRIEF = Protocol(rounds=3, round_seconds=0.005, warmup_seconds=0.1)
AUDITED_STEPS = 16
MEMORY_BLOCKS, MEMORY_STEPS = 4, 4
LARGE_ROWS, LARGE_TIME, LARGE_WIDTH, LARGE_HIDDEN = 512, 2, 128, 2
"""Of the batches whose memory is watched: 1 MiB of inputs in float64, half in float32; little to compute."""


def check_synchronised(kit: Kit, case: Case) -> None:
    """synchronize() returns when the work of all steps is done, so that reading the parameters afterwards does
    not wait for it."""
    program, steps = _steps(kit, case)
    found = steady_state(steps, program.synchronize, BRIEF)
    if unsynchronised(program, steps, found.summary.median):
        raise ConformanceError(f"{case.name}: {INVALID_TIMING['unsynchronised']}")


def check_steps_work(kit: Kit, case: Case) -> None:
    """Every step updates the parameters and logs its loss, and neither losses nor predictions repeat."""
    program = kit.build(case)
    batches = [program.place(case.batch(kit.dtype, index)) for index in range(2)]
    audit = StepAudit(program, batches[0])
    for step in range(AUDITED_STEPS):
        program.step(batches[step % 2])
    program.synchronize()
    if word := audit.problem(AUDITED_STEPS):
        raise ConformanceError(f"{case.name}: {AUDITED_STEPS} steps: {INVALID_TIMING[word]}")


def check_computed_predictions(kit: Kit, case: Case) -> None:
    """predict() computes its answers each time, and does not look them up while the parameters stay as they
    are."""
    program = kit.build(case)
    placed = [program.place(case.batch(kit.dtype))]

    def inference() -> None:
        program.predict(placed[0])

    found = steady_state(inference, program.synchronize, BRIEF)
    if answers_from_memory(program, placed, found.summary.median):
        raise ConformanceError(f"{case.name}: predict(): {INVALID_TIMING['cached']}")


def check_threads(kit: Kit, case: Case) -> None:
    """On a CPU a step takes no more processor time than the execution's threads have."""
    if kit.execution.device != "cpu":
        return
    program, steps = _steps(kit, case)
    threads = kit.execution.threads
    found = steady_state(steps, program.synchronize, BRIEF)
    placed = [program.place(case.batch(kit.dtype))]
    if too_many_threads(found, threads) or exceeds_threads(program, placed, threads):
        raise ConformanceError(f"{case.name}: {threads} threads were asked for: {INVALID_TIMING['threads']}")


def check_memory(kit: Kit, case: Case) -> None:
    """Memory does not grow with the steps and predictions that were made: neither that of the process, nor what
    memory() says of the device."""
    program = kit.build(case)
    batch = case.batch(kit.dtype)
    placed = program.place(batch)
    _work(program, placed)
    with _collecting_new_objects():
        seen = [_memory(program)]
        for _ in range(MEMORY_BLOCKS):
            _work(program, placed)
            seen.append(_memory(program))
    allowed = MEMORY_STEPS * batch.inputs.nbytes // 2
    for name in seen[0]:
        grown = [after.get(name, 0) - before.get(name, 0) for before, after in itertools.pairwise(seen)]
        if min(grown) > allowed:
            raise ConformanceError(
                f"{case.name}: {name} grows with every step, by {min(grown) / MEMORY_STEPS / 2**20:.1f} MiB or "
                f"more on batches of {batch.inputs.nbytes / 2**20:.1f} MiB"
            )


def _work(program: Program, placed: object) -> None:
    for _ in range(MEMORY_STEPS):
        program.step(placed)
        program.predict(placed)
    program.drain()
    program.synchronize()


@contextlib.contextmanager
def _collecting_new_objects() -> Iterator[None]:
    """Collections inside visit no object that is there already, such as a framework's hundreds of thousands."""
    if gc.get_freeze_count():  # this process does so anyway
        yield
        return
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _memory(program: Program) -> dict[str, int]:
    """Bytes in use. What is free is given back first: what a program keeps would else fill the free memory of
    the process, and not be seen."""
    gc.collect()
    trim_heap()
    return {"resident memory": int(psutil.Process().memory_info().rss), **program.memory()}


def check_kernel_word(kit: Kit, case: Case) -> None:
    """kernel() names what ran: a fused kernel under unroll `fused`, a loop over steps or a scan under the
    others, and no loop for the convolutional baseline."""
    program = kit.build(case)
    program.step(program.place(case.batch(kit.dtype)))
    program.synchronize()
    word = program.kernel()
    if not isinstance(word, str) or not word.strip() or word == "none":
        raise ConformanceError(f"{case.name}: kernel() says {word!r} after a step, must name what ran")
    unroll, loops = kit.execution.unroll, any(loop in word for loop in LOOPS)
    if isinstance(case.model.body, Convolutional):
        if loops:
            raise ConformanceError(
                f"{case.name}: kernel() says {word!r}, but a picture has no steps to loop over"
            )
        return
    try:
        check_kernel(word, kit.execution, case.model)
    except KernelFallbackError as error:
        raise ConformanceError(f"{case.name}: kernel(): {error}") from None
    if unroll != "fused" and not loops:
        raise ConformanceError(
            f"{case.name}: kernel() says {word!r} under unroll {unroll}, which is taken for a fused kernel; a "
            f"loop is named by one of {', '.join(LOOPS)}"
        )


def _steps(kit: Kit, case: Case) -> tuple[Program, Callable[[], None]]:
    """A program and what is timed of it: a step on each of two batches."""
    program = kit.build(case)
    placed = [program.place(case.batch(kit.dtype, index)) for index in range(2)]

    def steps() -> None:
        state: State | None = None
        for each in placed:
            state = program.step(each, state)

    return program, steps


def timing_cases() -> list[Case]:
    """A model of each cell, on usual batches."""
    return [
        Case(
            f"{cell}-timed",
            _plain(cell, 5, HIDDEN_UNITS),
            Recipe(optimiser="sgd", learning_rate=0.01),
            rows=16,
            time=8,
        )
        for cell in BUILTIN_CELLS
    ]


def large_cases() -> list[Case]:
    """A model of each cell, on batches large enough that keeping one is seen in the memory of the process."""
    recipe = Recipe(optimiser="sgd", learning_rate=0.01)
    return [
        Case(
            f"{cell}-large",
            _plain(cell, LARGE_WIDTH, LARGE_HIDDEN),
            recipe,
            LARGE_ROWS,
            LARGE_TIME,
            ragged=False,
            weights=1 / math.sqrt(LARGE_WIDTH),
        )
        for cell in BUILTIN_CELLS
    ]


def _plain(cell: str, inputs: int, hidden: int) -> ModelSpec:
    return ModelSpec(Features(inputs), Recurrent(cell, hidden), Dense(4), "cross_entropy")
