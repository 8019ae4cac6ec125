"""What every backend must satisfy: one function a property, each raising ConformanceError with what it saw.

The implementer owns the list of what is not supported: a kit asks Backend.supports() first, and a build that
raises UnsupportedError counts as not supported.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from benchsuite.contracts import Backend, Batch, Gradients, Parameters, Program, State, why_unsupported
from benchsuite.errors import BenchsuiteError, UnsupportedError
from benchsuite.measure.conformance.cases import VOCABULARY, Case, padded
from benchsuite.measure.conformance.differences import (
    largest_difference,
    rounding_hint,
    where_quantity_differs,
)
from benchsuite.measure.parity import compare, in_double, parameter_drift, relative_error
from benchsuite.schema import Execution, Recurrent
from benchsuite.schema.thresholds import TOLERANCES


class ConformanceError(BenchsuiteError):
    """A backend or a task does not keep its contract; the message says which property, where, by how much."""


@dataclass(frozen=True)
class Kit:
    """A backend under test, the reference, and how programs are run."""

    backend: Backend
    reference: Backend
    execution: Execution

    @property
    def dtype(self) -> str:
        return self.execution.dtype

    def supports(self, case: Case) -> str | None:
        """Why the case cannot be run with this backend, or None."""
        return why_unsupported(self.backend, case.model, case.recipe, self.execution)

    def build(self, case: Case, parameters: Parameters | None = None) -> Program:
        weights = case.parameters(self.dtype) if parameters is None else parameters
        return self.backend.build(case.model, weights, case.recipe, self.execution)

    def build_reference(self, case: Case) -> Program:
        execution = Execution(precision="float64")
        return self.reference.build(case.model, case.parameters("float64"), case.recipe, execution)


Check = Callable[[Kit, Case], None]

OTHER = 7.0
"""A number that padding may hold as well as zero."""


def check_gradients(kit: Kit, case: Case) -> None:
    """Loss, predictions, every gradient and dL/dh_t agree with the reference; predict() says the same."""
    program, reference = kit.build(case), kit.build_reference(case)
    batch = case.batch(kit.dtype)
    found = program.gradients(program.place(batch))
    expected = reference.gradients(reference.place(in_double(batch)))
    compared(kit, case.name, found, expected)
    predicted, _ = program.predict(program.place(batch))
    wanted, _ = reference.predict(reference.place(in_double(batch)))
    near(f"{case.name}: predict()", predicted, wanted, forward_tolerance(kit))
    if predicted.dtype != np.dtype(kit.dtype):
        raise ConformanceError(f"{case.name}: predictions are {predicted.dtype}, not {kit.dtype}")


def check_training(kit: Kit, case: Case, steps: int = 10) -> None:
    """`steps` optimiser steps over three batches (of two shapes, where the case says so) follow the reference:
    losses, logged norms or peaks, and where the parameters end."""
    if steps not in (10, 50):
        raise ValueError("tolerances are stated for 10 and 50 steps")
    tolerances = TOLERANCES[kit.execution.precision]
    losses = tolerances.loss_10 if steps == 10 else tolerances.loss_50
    program, reference = kit.build(case), kit.build_reference(case)
    batches = _training_batches(kit, case)
    for step in range(steps):
        batch = batches[step % len(batches)]
        program.step(program.place(batch))
        reference.step(reference.place(in_double(batch)))
    log, expected = program.drain(), reference.drain()
    for name in ("loss", "norm", "peak"):
        a, b = getattr(log, name), getattr(expected, name)
        if np.isnan(a).tolist() != np.isnan(b).tolist():
            raise ConformanceError(f"{case.name}: drain().{name} is not NaN exactly where the reference is")
        if not np.isnan(b).all():
            near(f"{case.name}: {name} over {steps} steps", a, b, losses if name == "loss" else 10 * losses)
    for name, error in parameter_drift(program.parameters(), reference.parameters()).items():
        if not error <= tolerances.drift_50:
            raise ConformanceError(
                f"{case.name}: {name} drifts by {error:.1e}, allowed {tolerances.drift_50:.0e}"
            )


def check_fifty_steps(kit: Kit, case: Case) -> None:
    """check_training over 50 steps."""
    check_training(kit, case, 50)


def check_padding(kit: Kit, case: Case) -> None:
    """Neither more padding, nor what is in it, changes loss, predictions, gradients or dL/dh_t; nor what
    predict() and outputs() give."""
    program, batch = kit.build(case), case.batch(kit.dtype)
    plain = program.gradients(program.place(batch))
    for what, more in (("more", padded(batch, 5)), ("other", padded(batch, 0, other_than_zero(case)))):
        found = program.gradients(program.place(more))
        compared(kit, f"{case.name}: {what} padding", _cropped(found, case, batch), plain)
    wanted, _ = program.predict(program.place(batch))
    scores, _ = program.predict(program.place(padded(batch, 0, other_than_zero(case))))
    near(f"{case.name}: predict() with other padding", scores, wanted, forward_tolerance(kit))


def other_than_zero(case: Case) -> tuple[float, int, int]:
    """What padding may hold: (number, input id, target id). Targets of binary cross-entropy are shares."""
    number = 1.0 if case.model.loss == "binary_cross_entropy" else OTHER
    return number, VOCABULARY - 1, case.model.head.outputs - 1


def check_companions(kit: Kit, case: Case) -> None:
    """A row's prediction does not depend on the rows beside it."""
    program, batch = kit.build(case), case.batch(kit.dtype)
    together, _ = program.predict(program.place(batch))
    for row in {0, batch.size // 2, batch.size - 1}:
        alone, _ = program.predict(program.place(rows_of(batch, [row])))
        near(f"{case.name}: row {row} alone", alone[0], together[row], forward_tolerance(kit))


def check_reversal(kit: Kit, case: Case) -> None:
    """Reading every row backwards with the two directions' weights exchanged gives the same predictions."""
    body = case.model.body
    if not isinstance(body, Recurrent) or not body.bidirectional or case.model.readout == "steps":
        return
    weights, batch = case.parameters(kit.dtype), case.batch(kit.dtype)
    program, mirrored = kit.build(case), kit.build(case, _mirrored(weights, body))
    inputs = batch.inputs.copy()
    for row, length in enumerate(batch.lengths):
        inputs[row, :length] = batch.inputs[row, :length][::-1]
    there, _ = program.predict(program.place(batch))
    back, _ = mirrored.predict(mirrored.place(replace(batch, inputs=inputs)))
    near(f"{case.name}: reversal", back, there, forward_tolerance(kit))


def check_purity(kit: Kit, case: Case) -> None:
    """predict(), gradients() and outputs() change nothing, and load_parameters() brings back what parameters()
    gave."""
    program, batch = kit.build(case), case.batch(kit.dtype)
    placed = program.place(batch)
    before = program.parameters()
    first, _ = program.predict(placed)
    program.gradients(placed)
    with contextlib.suppress(UnsupportedError):
        program.outputs(placed)
    if not np.array_equal(first, program.predict(placed)[0]):
        raise ConformanceError(f"{case.name}: predict() after gradients() and outputs() differs from before")
    for name, weight in program.parameters().items():
        if not np.array_equal(weight, before[name]) or weight.dtype != np.dtype(kit.dtype):
            raise ConformanceError(f"{case.name}: {name} changed by predict(), gradients() or outputs()")
    before = {name: weight.copy() for name, weight in before.items()}
    program.step(placed)
    program.load_parameters(before)
    if not np.array_equal(first, program.predict(placed)[0]):
        raise ConformanceError(f"{case.name}: load_parameters(parameters()) does not bring the program back")


def check_log(kit: Kit, case: Case) -> None:
    """drain() gives each step's loss before its update, once."""
    program, batch = kit.build(case), case.batch(kit.dtype)
    placed = program.place(batch)
    expected = program.gradients(placed).loss
    program.step(placed)
    program.step(placed)
    log = program.drain()
    if log.loss.shape != (2,) or log.norm.shape != (2,) or log.peak.shape != (2,):
        raise ConformanceError(f"{case.name}: two steps gave a log of shape {log.loss.shape}")
    near(f"{case.name}: first logged loss", log.loss[:1], np.array([expected]), forward_tolerance(kit))
    if len(program.drain().loss):
        raise ConformanceError(f"{case.name}: drain() gives the same steps twice")


def check_full_truncation(kit: Kit, case: Case) -> None:
    """Truncation at or beyond T is full BPTT, exactly."""
    batch = case.batch(kit.dtype)
    full = kit.build(replace(case, recipe=case.recipe.model_copy(update={"truncation": None})))
    cut = kit.build(replace(case, recipe=case.recipe.model_copy(update={"truncation": batch.time})))
    compared(
        kit,
        f"{case.name}: truncation at T",
        cut.gradients(cut.place(batch)),
        full.gradients(full.place(batch)),
    )


def check_carry(kit: Kit, case: Case) -> None:
    """A stream's chunks go on from the states that the step before returned; asking for predictions in
    between does not disturb, nor does what padding holds."""
    program, reference = kit.build(case), kit.build_reference(case)
    state: State | None = None
    expected: State | None = None
    for index in range(6):
        batch = padded(case.batch(kit.dtype, index), 0, other_than_zero(case) if index % 2 else None)
        begins = index in (0, 4)
        state = program.step(program.place(batch), None if begins else state)
        expected = reference.step(reference.place(in_double(batch)), None if begins else expected)
        program.predict(program.place(case.batch(kit.dtype, 99)))
        program.gradients(program.place(case.batch(kit.dtype, 98)))
    limit = TOLERANCES[kit.execution.precision].loss_10
    near(f"{case.name}: losses of a stream", program.drain().loss, reference.drain().loss, limit)


def check_stream_predictions(kit: Kit, case: Case) -> None:
    """Predictions of a stream go on from the states that the predict() before returned, whatever is trained
    in between."""
    program, reference = kit.build(case), kit.build_reference(case)
    weights = case.parameters(kit.dtype)
    state: State | None = None
    there: State | None = None
    for index in range(5):
        batch = case.batch(kit.dtype, index)
        begins = index in (0, 3)
        found, state = program.predict(program.place(batch), None if begins else state)
        expected, there = reference.predict(reference.place(in_double(batch)), None if begins else there)
        near(f"{case.name}: predictions of a stream's chunk {index}", found, expected, forward_tolerance(kit))
        program.step(program.place(case.batch(kit.dtype, 50 + index)))
        program.load_parameters(weights)


def _training_batches(kit: Kit, case: Case) -> list[Batch]:
    """Three batches, of two lengths where `case.longer`, the second one with padding that is not zero."""
    grows = case.longer and isinstance(case.model.body, Recurrent)
    longer = replace(case, time=case.time + 3) if grows else case
    second = padded(case.batch(kit.dtype, 1), 0, other_than_zero(case))
    return [case.batch(kit.dtype, 0), second, longer.batch(kit.dtype, 2)]


def _cropped(found: Gradients, case: Case, batch: Batch) -> Gradients:
    predictions = found.predictions
    if case.model.readout == "steps":
        predictions = predictions[:, : batch.time]
    if case.model.decoder is not None:
        predictions = predictions[:, : batch.targets.shape[1]]
    times = {name: batch.targets.shape[1] if name.startswith("dec.") else batch.time for name in found.states}
    states = {name: state[:, : times[name]] for name, state in found.states.items()}
    return replace(found, predictions=predictions, states=states)


def rows_of(batch: Batch, rows: list[int]) -> Batch:
    """Some rows of a batch, in the order of `rows`."""
    target_lengths = None if batch.target_lengths is None else batch.target_lengths[rows]
    resets = None if batch.resets is None else batch.resets[rows]
    masks = {name: mask[rows] for name, mask in batch.masks.items()}
    return replace(
        batch,
        inputs=batch.inputs[rows],
        lengths=batch.lengths[rows],
        targets=batch.targets[rows],
        target_lengths=target_lengths,
        resets=resets,
        masks=masks,
    )


def _mirrored(weights: Parameters, body: Recurrent) -> Parameters:
    """The two directions exchanged in every layer, and the halves of whatever reads their joined output."""
    exchanged = {name: weight.copy() for name, weight in weights.items()}
    for name in weights:
        if ".fwd." in name:
            other = name.replace(".fwd.", ".bwd.")
            exchanged[name], exchanged[other] = weights[other].copy(), weights[name].copy()
    hidden = body.hidden
    for name in exchanged:
        above = name.endswith(".Wx") and not name.startswith("rnn.l0.")
        if above or name in ("out.W", "rbf.W"):
            exchanged[name] = np.concatenate([exchanged[name][hidden:], exchanged[name][:hidden]])
    return exchanged


def forward_tolerance(kit: Kit) -> float:
    """The error that a forward pass is allowed in the kit's precision."""
    return TOLERANCES[kit.execution.precision].forward


def near(what: str, found: np.ndarray, expected: np.ndarray, limit: float) -> None:
    """Raise ConformanceError where `found` is further from `expected` than `limit`, relatively."""
    error = relative_error(found, expected)
    if not error <= limit:
        where = largest_difference(found, expected)
        raise ConformanceError(f"{what}: error {error:.1e}, allowed {limit:.0e}; {where}")


def compared(kit: Kit, what: str, found: Gradients, expected: Gradients) -> None:
    """Raise ConformanceError where two backward passes differ, with both values of what differs most."""
    comparison = compare(found, expected, kit.execution.precision)
    if not comparison.ok:
        worst = comparison.breaches[0]
        where = where_quantity_differs(worst, found, expected)
        hint = rounding_hint(kit.execution.precision, max(comparison.errors.values()))
        raise ConformanceError(f"{what}: {comparison.sentence()}; {where}{hint}")
