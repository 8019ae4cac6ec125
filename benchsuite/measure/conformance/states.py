"""What a backend must satisfy where recurrent states are passed in and out, and where h_t is read."""

from __future__ import annotations

import numpy as np

from benchsuite.contracts import Batch, State
from benchsuite.measure.conformance.backend import (
    ConformanceError,
    Kit,
    forward_tolerance,
    near,
    other_than_zero,
    rows_of,
)
from benchsuite.measure.conformance.cases import Case, padded
from benchsuite.measure.initialisation import stream
from benchsuite.measure.parity import in_double
from benchsuite.schema import Recurrent, state_shapes
from benchsuite.schema.thresholds import TOLERANCES


def check_two_streams(kit: Kit, case: Case) -> None:
    """Two streams, trained and predicted in turn, do not touch each other: each goes on from its own
    states."""
    program, reference = kit.build(case), kit.build_reference(case)
    states: list[State | None] = [None, None]
    there: list[State | None] = [None, None]
    limit = TOLERANCES[kit.execution.precision].loss_10
    for index in range(6):
        batch, which = case.batch(kit.dtype, index), index % 2
        double = reference.place(in_double(batch))
        found, _ = program.predict(program.place(batch), states[which])
        expected, _ = reference.predict(double, there[which])
        near(f"{case.name}: predictions of stream {which}, chunk {index // 2}", found, expected, 10 * limit)
        states[which] = program.step(program.place(batch), states[which])
        there[which] = reference.step(double, there[which])
    near(f"{case.name}: losses of two streams", program.drain().loss, reference.drain().loss, limit)


def check_state_given(kit: Kit, case: Case) -> None:
    """Two halves of a sequence, the second one from the state that the first one returned, are the sequence;
    the state can be used again, whatever was done in between."""
    program, batch = kit.build(case), case.batch(kit.dtype)
    weights = case.parameters(kit.dtype)
    half = batch.time // 2
    first, second = (program.place(part) for part in _halves(batch, half))
    whole, _ = program.predict(program.place(batch))
    _, state = program.predict(first)
    if state is None:
        raise ConformanceError(f"{case.name}: predict() returned no state, though recipe.carry is true")
    for when in ("at first", "used again"):
        found, _ = program.predict(second, state)
        near(f"{case.name}: state {when}", found, whole[:, half:], forward_tolerance(kit))
        program.step(second, state)
        program.load_parameters(weights)
    stepped = program.step(first)
    program.load_parameters(weights)
    found, _ = program.predict(second, stepped)
    near(f"{case.name}: state returned by step()", found, whole[:, half:], forward_tolerance(kit))


def check_state_values(kit: Kit, case: Case) -> None:
    """read_state() gives the reference's states at each row's own last step, as copies, and make_state()
    takes them back."""
    program, reference = kit.build(case), kit.build_reference(case)
    batch = padded(case.batch(kit.dtype), 0, other_than_zero(case))
    placed = program.place(batch)
    _, state = program.predict(placed)
    _, there = reference.predict(reference.place(in_double(batch)))
    values, expected = program.read_state(state), reference.read_state(there)
    _check_names(kit, case, values, batch.size)
    for name, array in expected.items():
        near(f"{case.name}: {name}", values[name], array, TOLERANCES[kit.execution.precision].states)
    before, _ = program.predict(placed, state)
    made = program.make_state(values)
    for array in values.values():
        array[...] = 9  # a copy: neither state may see this
    for what, each in (("the state read", state), ("the state made of its values", made)):
        if not np.array_equal(program.predict(placed, each)[0], before):
            raise ConformanceError(f"{case.name}: {what} does not give the predictions of the state itself")


def check_initial_state(kit: Kit, case: Case) -> None:
    """An initial state made from arrays: predictions, h_t and training follow the reference, whether or not
    the recipe carries; None is zero, and without `carry` no state is returned."""
    program, reference = kit.build(case), kit.build_reference(case)
    batch = case.batch(kit.dtype)
    placed, double = program.place(batch), reference.place(in_double(batch))
    values = {
        name: stream(31, f"{case.name}/{name}").uniform(-0.9, 0.9, (batch.size, *width)).astype(np.float32)
        for name, width in state_shapes(case.model).items()
    }
    state = program.make_state({name: array.astype(kit.dtype) for name, array in values.items()})
    there = reference.make_state({name: array.astype(np.float64) for name, array in values.items()})
    found, final = program.predict(placed, state)
    expected, _ = reference.predict(double, there)
    near(f"{case.name}: predictions from an initial state", found, expected, forward_tolerance(kit))
    _same_outputs(kit, case, program.outputs(placed, state), reference.outputs(double, there))
    zeros = program.make_state({name: np.zeros_like(array, kit.dtype) for name, array in values.items()})
    near(
        f"{case.name}: an initial state of zeros",
        program.predict(placed, zeros)[0],
        program.predict(placed)[0],
        forward_tolerance(kit),
    )
    stepped = program.step(placed, state)
    reference.step(double, there)
    limit = TOLERANCES[kit.execution.precision].forward
    near(f"{case.name}: loss from an initial state", program.drain().loss, reference.drain().loss, limit)
    if not case.recipe.carry and (final is not None or stepped is not None):
        raise ConformanceError(f"{case.name}: a final state was returned though recipe.carry is false")


def check_state_companions(kit: Kit, case: Case) -> None:
    """A row goes on from its own state, whatever rows are beside it."""
    program, batch = kit.build(case), case.batch(kit.dtype, 1)
    _, state = program.predict(program.place(case.batch(kit.dtype)))
    values = program.read_state(state)
    together, _ = program.predict(program.place(batch), state)
    for rows in ([0], [batch.size - 1], list(range(batch.size))[::-1]):
        some = program.make_state({name: array[rows].copy() for name, array in values.items()})
        found, _ = program.predict(program.place(rows_of(batch, rows)), some)
        near(f"{case.name}: rows {rows} of a stream", found, together[rows], forward_tolerance(kit))


def check_outputs(kit: Kit, case: Case) -> None:
    """outputs() gives the reference's h_t of every layer and direction, zero on padding, whatever padding
    holds."""
    program, reference = kit.build(case), kit.build_reference(case)
    more = 2 if isinstance(case.model.body, Recurrent) else 0
    batch = padded(case.batch(kit.dtype), more, other_than_zero(case))
    expected = reference.outputs(reference.place(in_double(batch)))
    _same_outputs(kit, case, program.outputs(program.place(batch)), expected)


def _same_outputs(
    kit: Kit, case: Case, found: dict[str, np.ndarray], expected: dict[str, np.ndarray]
) -> None:
    if set(found) != set(expected):
        raise ConformanceError(f"{case.name}: outputs() names {sorted(found)}, expected {sorted(expected)}")
    for prefix, h in expected.items():
        if found[prefix].shape != h.shape or found[prefix].dtype != np.dtype(kit.dtype):
            described = f"{found[prefix].dtype} {found[prefix].shape}"
            raise ConformanceError(f"{case.name}: h of {prefix} is {described}, not {kit.dtype} {h.shape}")
        near(f"{case.name}: h of {prefix}", found[prefix], h, TOLERANCES[kit.execution.precision].states)
        if np.any(found[prefix][h == 0] != 0):
            raise ConformanceError(f"{case.name}: h of {prefix} is not zero on padding")


def _check_names(kit: Kit, case: Case, values: dict[str, np.ndarray], rows: int) -> None:
    wanted = {name: (rows, *width) for name, width in state_shapes(case.model).items()}
    found = {name: array.shape for name, array in values.items()}
    if found != wanted:
        raise ConformanceError(f"{case.name}: read_state() gives {found}, expected {wanted}")
    wrong = [name for name, array in values.items() if array.dtype != np.dtype(kit.dtype)]
    if wrong:
        raise ConformanceError(f"{case.name}: {wrong[0]} is {values[wrong[0]].dtype}, not {kit.dtype}")


def _halves(batch: Batch, half: int) -> tuple[Batch, Batch]:
    """A batch of whole rows with targets by step, cut in two."""
    return (
        Batch(batch.inputs[:, :half], np.full_like(batch.lengths, half), batch.targets[:, :half]),
        Batch(batch.inputs[:, half:], batch.lengths - half, batch.targets[:, half:]),
    )
