"""What a program must own: memory of its own for batches and parameters, and answers that follow from its
current parameters alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchsuite.contracts import Batch, Parameters
from benchsuite.measure.conformance.backend import ConformanceError, Kit, forward_tolerance, near
from benchsuite.measure.conformance.cases import Case

REPEATED_STEPS = 3


def check_placed_copies(kit: Kit, case: Case) -> None:
    """place() copies: what is written to a batch's arrays afterwards changes no prediction and no gradient. A
    placed batch can be used any number of times."""
    program = kit.build(case)
    batch = _copied(case.batch(kit.dtype))
    placed = program.place(batch)
    before = program.gradients(placed)
    for array in (batch.inputs, batch.targets, batch.lengths, batch.target_lengths, batch.resets):
        if array is not None:
            array[...] = array[::-1].copy()
    for mask in batch.masks.values():
        mask[...] = mask[::-1].copy()
    after = program.gradients(placed)
    if not np.array_equal(before.predictions, after.predictions) or before.loss != after.loss:
        raise ConformanceError(
            f"{case.name}: place() keeps the caller's arrays: the batch changed when they were written to"
        )
    program.step(placed)
    program.load_parameters(case.parameters(kit.dtype))
    if not np.array_equal(before.predictions, program.gradients(placed).predictions):
        raise ConformanceError(f"{case.name}: a placed batch cannot be used again after step()")


def check_parameter_copies(kit: Kit, case: Case) -> None:
    """build() and load_parameters() copy what they are given, and parameters() is a copy: neither does the
    program see what is written to it, nor do later steps change it."""
    given = case.parameters(kit.dtype)
    program = kit.build(case, given)
    placed = program.place(case.batch(kit.dtype))
    before, _ = program.predict(placed)
    _overwrite(given)
    if not np.array_equal(before, program.predict(placed)[0]):
        raise ConformanceError(f"{case.name}: build() keeps the caller's arrays of parameters")
    given = case.parameters(kit.dtype)
    program.load_parameters(given)
    _overwrite(given)
    if not np.array_equal(before, program.predict(placed)[0]):
        raise ConformanceError(f"{case.name}: load_parameters() keeps the caller's arrays")
    read = program.parameters()
    for value in read.values():
        value += 1
    if not np.array_equal(before, program.predict(placed)[0]):
        raise ConformanceError(f"{case.name}: parameters() gives away the program's own memory")
    wanted = {name: value.copy() for name, value in read.items()}
    program.step(placed)
    program.synchronize()
    changed = [name for name, value in read.items() if not np.array_equal(value, wanted[name])]
    if changed:
        raise ConformanceError(
            f"{case.name}: parameters() gives no copy: {changed[0]} changed in a later step()"
        )


def check_optimiser_state(kit: Kit, case: Case) -> None:
    """load_parameters() keeps the optimiser's state: with the parameters that are there already it changes
    nothing."""
    trained = []
    for loads in (False, True):
        program = kit.build(case)
        placed = program.place(case.batch(kit.dtype))
        program.step(placed)
        program.step(placed)
        if loads:
            program.load_parameters(program.parameters())
        program.step(placed)
        trained.append(program.parameters())
    plain, loaded = trained
    for name, value in plain.items():
        near(f"{case.name}: {name} after load_parameters(parameters())", loaded[name], value, _limit(kit))


def check_current_parameters(kit: Kit, case: Case) -> None:
    """predict() follows the parameters: after steps it gives what a new program with these parameters gives,
    and that is something else than before."""
    program, batch = kit.build(case), case.batch(kit.dtype)
    placed = program.place(batch)
    first, _ = program.predict(placed)
    for _ in range(REPEATED_STEPS):
        program.step(placed)
    found, _ = program.predict(placed)
    new = kit.build(case, program.parameters())
    wanted, _ = new.predict(new.place(batch))
    near(f"{case.name}: predict() after {REPEATED_STEPS} steps", found, wanted, forward_tolerance(kit))
    if np.array_equal(found, first):
        raise ConformanceError(f"{case.name}: {REPEATED_STEPS} steps change no prediction")


def check_repeatable(kit: Kit, case: Case) -> None:
    """Two programs that are built and trained alike end with the same parameters, and predict() gives the same
    scores each time: on a CPU bit for bit, elsewhere within the tolerance of a forward pass."""
    ends: list[Parameters] = []
    for _ in range(2):
        program = kit.build(case)
        for index in range(REPEATED_STEPS):
            program.step(program.place(case.batch(kit.dtype, index)))
        ends.append(program.parameters())
        placed = program.place(case.batch(kit.dtype))
        _same(kit, f"{case.name}: predict() twice", *(program.predict(placed)[0] for _ in range(2)))
    for name, value in ends[0].items():
        _same(kit, f"{case.name}: {name} after {REPEATED_STEPS} steps, done twice", ends[1][name], value)


def _same(kit: Kit, what: str, found: np.ndarray, expected: np.ndarray) -> None:
    if kit.execution.device != "cpu":
        near(what, found, expected, _limit(kit))
    elif not np.array_equal(found, expected):
        error = float(np.max(np.abs(found.astype(np.float64) - expected.astype(np.float64))))
        raise ConformanceError(f"{what}: not the same bits, a difference of {error:.1e}")


def _limit(kit: Kit) -> float:
    return 10 * forward_tolerance(kit)


def _overwrite(parameters: Parameters) -> None:
    for value in parameters.values():
        value[...] = 3


def _copied(batch: Batch) -> Batch:
    """A batch with arrays of its own; inputs and lengths may be written to."""
    return replace(
        batch,
        inputs=batch.inputs.copy(),
        lengths=batch.lengths.copy(),
        targets=batch.targets.copy(),
        masks={name: mask.copy() for name, mask in batch.masks.items()},
    )
