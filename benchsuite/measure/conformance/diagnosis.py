"""Where a failure begins: the smallest input that shows it, and the first step, gate or parameter that is
wrong.

A program that differs from the reference is followed in the order of the computation: the outputs of each
layer, predictions, loss, dL/dh_t from the last step to the first, gradients from the last layer to the first,
and ten training steps. The first difference is the cause, or the nearest to it that can be seen from outside.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchsuite.contracts import Batch, Gradients, Program
from benchsuite.errors import BenchsuiteError, UnsupportedError
from benchsuite.measure.conformance.backend import Kit
from benchsuite.measure.conformance.cases import Case
from benchsuite.measure.conformance.differences import (
    largest_difference,
    where_quantity_differs,
)
from benchsuite.measure.conformance.failures import method_place
from benchsuite.measure.conformance.smallest import smallest
from benchsuite.measure.conformance.suite import KitItem
from benchsuite.measure.parity import compare, in_double, parameter_drift, relative_error
from benchsuite.schema import Recurrent
from benchsuite.schema.texts import described
from benchsuite.schema.thresholds import TOLERANCES

GATE_LETTERS = {"lstm": ("i", "f", "g", "o"), "gru": ("r", "z", "n")}
"""The gates of a built-in cell in the order of its parameters' columns."""
FOLLOWED_STEPS = 10
"""Training steps that are followed."""


@dataclass(frozen=True)
class Beginning:
    """Where the program first differs from the reference.

    text     `step 3 of rnn.l0.fwd: at row 0 ...`
    program  the program; method: which of its methods gave the wrong number
    """

    text: str
    program: Program
    method: str


@dataclass(frozen=True)
class Explanation:
    """What was found out about a failure; texts are "" where nothing was.

    error  what was raised on the smallest input
    """

    begins: str = ""
    smallest: str = ""
    error: Exception | None = None
    beginning: Beginning | None = None

    def place(self, files: frozenset[Path]) -> str:
        """The method in the plugin's `files` that gave the first wrong number: `file:line in Class.method`."""
        if self.beginning is None:
            return ""
        return method_place(self.beginning.program, self.beginning.method, files)


def explain(kit: Kit, item: KitItem, error: Exception) -> Explanation:
    """Look into a failure. Never raises: a plugin that is wrong may fail here in any way."""
    small = smallest(kit, item, error)
    beginning = None
    with contextlib.suppress(Exception):
        beginning = first_difference(kit, small.case)
    told = str(small.error) if isinstance(small.error, BenchsuiteError) else described(small.error)
    text = f"{small.size}: {told}"
    return Explanation("" if beginning is None else beginning.text, text, small.error, beginning)


def first_difference(kit: Kit, case: Case) -> Beginning | None:
    """The first quantity of the case's computation that differs from the reference by more than is allowed;
    None where none does."""
    program, reference = kit.build(case), kit.build_reference(case)
    batch = case.batch(kit.dtype)
    return (
        _in_outputs(kit, program, reference, batch)
        or _in_backward(kit, case, program, reference, batch)
        or _in_training(kit, case, program, reference, batch)
    )


def _in_outputs(kit: Kit, program: Program, reference: Program, batch: Batch) -> Beginning | None:
    try:
        found = program.outputs(program.place(batch))
        expected = reference.outputs(reference.place(in_double(batch)))
    except UnsupportedError:
        return None
    limit = TOLERANCES[kit.execution.precision].forward
    for name in expected:
        if relative_error(found[name], expected[name]) <= limit:
            continue
        step = _first_step(found[name], expected[name], limit, backwards=".bwd" in name)
        where = largest_difference(found[name][:, step], expected[name][:, step], ("row", "unit"))
        return Beginning(f"step {step} of the outputs of {name}, {where}", program, "outputs")
    return None


def _in_backward(
    kit: Kit, case: Case, program: Program, reference: Program, batch: Batch
) -> Beginning | None:
    found = program.gradients(program.place(batch))
    expected = reference.gradients(reference.place(in_double(batch)))
    comparison = compare(found, expected, kit.execution.precision)
    wrong = set(comparison.breaches)
    for name in _backward_order(expected):
        if name not in wrong:
            continue
        kind, _, of = name.partition("/")
        where = where_quantity_differs(name, found, expected)
        text = f"the {name}"
        if kind == "state":
            limit = TOLERANCES[kit.execution.precision].states
            backwards = ".bwd" not in of  # the backward pass reads a layer from its end
            step = _first_step(found.states[of], expected.states[of], limit, backwards)
            where = largest_difference(
                found.states[of][:, step], expected.states[of][:, step], ("row", "unit")
            )
            text = f"step {step} of dL/dh_t of {of}"
        elif kind == "gradient":
            gates = wrong_gates(
                case, of, found.parameters[of], expected.parameters[of], comparison.allowed[name]
            )
            text = f"the gradient by {of}{gates}"
        return Beginning(f"{text}, {where}", program, "gradients")
    return None


def _in_training(
    kit: Kit, case: Case, program: Program, reference: Program, batch: Batch
) -> Beginning | None:
    if case.recipe.carry:
        return None
    limit = TOLERANCES[kit.execution.precision].drift_50
    for step in range(FOLLOWED_STEPS):
        program.step(program.place(batch))
        reference.step(reference.place(in_double(batch)))
        found, expected = program.parameters(), reference.parameters()
        wrong = {
            name: error for name, error in parameter_drift(found, expected).items() if not error <= limit
        }
        if wrong:
            name = max(wrong, key=wrong.__getitem__)
            where = largest_difference(found[name], expected[name])
            return Beginning(f"update {step + 1} of the training, in {name}, {where}", program, "step")
    return None


def _backward_order(expected: Gradients) -> Iterator[str]:
    """Quantities of a backward pass in the order in which they are computed."""
    yield from ("predictions", "loss")
    yield from (f"state/{name}" for name in reversed(expected.states))
    yield from (f"gradient/{name}" for name in reversed(expected.parameters))


def _first_step(found: np.ndarray, expected: np.ndarray, limit: float, backwards: bool) -> int:
    """The first step of (B, T, H) arrays, in the order of the computation, whose error is above `limit`."""
    scale = max(float(np.max(np.abs(expected))), np.finfo(np.float64).tiny)
    with np.errstate(invalid="ignore"):
        errors = np.max(np.abs(np.asarray(found, np.float64) - expected), axis=(0, 2)) / scale
    wrong = np.flatnonzero(~(errors <= limit))
    if not len(wrong):
        return 0
    return int(wrong[-1] if backwards else wrong[0])


def wrong_gates(case: Case, name: str, found: np.ndarray, expected: np.ndarray, limit: float) -> str:
    """` (gate f)`: the gates whose columns of a recurrent parameter are wrong, where not all of them are."""
    body = case.model.body
    if name.startswith("dec.") and case.model.decoder is not None:
        body = case.model.decoder.body
    gates = GATE_LETTERS.get(body.cell, ()) if isinstance(body, Recurrent) else ()
    if not gates or not name.startswith(("rnn.", "dec.")) or expected.shape[-1] % len(gates):
        return ""
    scale = max(float(np.max(np.abs(expected))), np.finfo(np.float64).tiny)
    parts = zip(gates, np.split(found, len(gates), -1), np.split(expected, len(gates), -1), strict=True)
    wrong = [gate for gate, a, b in parts if not np.max(np.abs(a - b)) / scale <= limit]
    if not wrong or len(wrong) == len(gates):
        return ""
    return f" (gate{'' if len(wrong) == 1 else 's'} {', '.join(wrong)})"
