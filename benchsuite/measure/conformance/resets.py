"""What a backend must satisfy where several sequences lie in one row (ModelSpec.resets), and the cases."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchsuite.contracts import Batch, Gradients, Ragged, Split
from benchsuite.data import first_fit, packed, unpacked
from benchsuite.measure.batching import Batcher
from benchsuite.measure.conformance.backend import Kit, compared
from benchsuite.measure.conformance.cases import (
    FEATURES,
    HIDDEN_UNITS,
    OUTPUTS,
    STACKS,
    VOCABULARY,
    Case,
    padded,
)
from benchsuite.measure.parity import in_double
from benchsuite.schema import BUILTIN_CELLS, Dense, Features, ModelSpec, Recipe, Recurrent, Tokens

MORE = 3
"""Steps that a packed row is longer than the longest sequence."""


def check_packed(kit: Kit, case: Case) -> None:
    """Sequences that lie one after the other in rows have the loss, the gradients, and each step's prediction
    and dL/dh_t that the reference has with each sequence in a row of its own. Padding holds other numbers than
    zero, and every step of it is a reset."""
    alone = replace(case, model=replace(case.model, resets=False))
    batch, row = alone.batch(kit.dtype), case.time + MORE
    split = packed(sequences_of(batch), row)
    cut = Batcher(len(split), (row,), kit.dtype)
    together = padded(cut.batch(split, np.arange(len(split))), 1, OTHER_THAN_ZERO)
    program, reference = kit.build(case), kit.build_reference(alone)
    found = program.gradients(program.place(together))
    expected = reference.gradients(reference.place(in_double(batch)))
    order = np.argsort(first_fit(batch.lengths, row), kind="stable")
    compared(kit, f"{case.name}: packed rows", _by_sequence(found, split), _in_order(expected, order))


OTHER_THAN_ZERO = (7.0, VOCABULARY - 1, OUTPUTS - 1)
"""What padding holds: number, input id, target id."""


def sequences_of(batch: Batch) -> Split:
    """The rows of a batch with a target for each step as a split, without their padding."""

    def without_padding(array: np.ndarray) -> Ragged:
        return Ragged.from_sequences(
            [each[:length] for each, length in zip(array, batch.lengths, strict=True)]
        )

    return Split(without_padding(batch.inputs), without_padding(batch.targets))


def _by_sequence(found: Gradients, split: Split) -> Gradients:
    states = {name: unpacked(state, split)[0] for name, state in found.states.items()}
    return replace(found, predictions=unpacked(found.predictions, split)[0], states=states)


def _in_order(found: Gradients, order: np.ndarray) -> Gradients:
    states = {name: state[order] for name, state in found.states.items()}
    return replace(found, predictions=found.predictions[order], states=states)


def packed_cases(cell: str) -> list[Case]:
    """Models for check_packed(): a deep stack that reads reals, and one layer that reads ids."""
    layers, _ = STACKS["deep"]
    body = Recurrent(cell, HIDDEN_UNITS, layers)
    deep = ModelSpec(Features(FEATURES), body, Dense(OUTPUTS), "squared", readout="steps", resets=True)
    tagging = replace(
        deep, input=Tokens(VOCABULARY, 5), body=Recurrent(cell, HIDDEN_UNITS), loss="cross_entropy"
    )
    return [Case(f"{cell}-resets", deep), Case(f"{cell}-resets-tagging", tagging)]


def reset_cases(cell: str) -> list[Case]:
    """The models of packed_cases(), and one for each other readout, truncation and a stream's chunks; resets
    are anywhere, on padding too."""
    deep, tagging = packed_cases(cell)
    last, mean = (replace(tagging.model, readout="last"), replace(deep.model, readout="mean"))
    carry = Recipe(carry=True, optimiser="sgd", learning_rate=0.05)
    return [
        deep,
        tagging,
        Case(f"{cell}-resets-last", last),
        Case(f"{cell}-resets-truncated", mean, Recipe(truncation=4)),
        Case(f"{cell}-resets-carry", deep.model, carry, time=5),
    ]


def every_packed_case() -> list[Case]:
    """Of the cells that every backend has."""
    return [case for cell in BUILTIN_CELLS for case in packed_cases(cell)]


def every_reset_case() -> list[Case]:
    """Of the cells that every backend has."""
    return [case for cell in BUILTIN_CELLS for case in reset_cases(cell)]
