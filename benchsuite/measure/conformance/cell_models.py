"""What a cell must satisfy in a backend: small models of it, compared with the float64 reference, whose own
derivative of the cell is compared with finite differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchsuite.contracts import Gradients
from benchsuite.measure.conformance import backend as checks
from benchsuite.measure.conformance import decoding, states
from benchsuite.measure.conformance.backend import Check, ConformanceError, Kit
from benchsuite.measure.conformance.cases import (
    FEATURES,
    HIDDEN_UNITS,
    OUTPUTS,
    STACKS,
    TARGET_TIME,
    TARGET_VOCABULARY,
    VOCABULARY,
    Case,
)
from benchsuite.measure.conformance.resets import check_packed, packed_cases, reset_cases
from benchsuite.measure.conformance.suite import KitItem
from benchsuite.measure.initialisation import initial_parameters, stream
from benchsuite.measure.parity import compare, in_double
from benchsuite.schema import Decoder, Dense, Features, ModelSpec, Recipe, Recurrent, Tokens
from benchsuite.schema.model import AttentionKind

DIFFERENCE_STEP = 1e-6
"""Step of a finite difference, along a direction of length 1."""
DIFFERENCE = 1e-6
"""Largest error of a finite difference, as a share of the gradient's length."""
LONG_LAG = 400
"""Steps of a row through which gradients must stay finite."""


def check_finite_differences(kit: Kit, case: Case) -> None:
    """The reference's gradient by each parameter is the slope of its loss, along two directions."""
    batch = in_double(case.batch(kit.dtype))
    weights = case.parameters("float64")
    program = kit.build_reference(case)
    gradients = program.gradients(program.place(batch)).parameters
    length = max(float(np.linalg.norm(gradient)) for gradient in gradients.values())

    def loss(name: str, shift: np.ndarray) -> float:
        program.load_parameters({**weights, name: weights[name] + shift})
        return float(program.gradients(program.place(batch)).loss)

    for name, gradient in gradients.items():
        for number in range(2):
            direction = stream(number, f"{case.name}/{name}/direction").normal(size=gradient.shape)
            direction /= np.linalg.norm(direction)
            slope = (loss(name, DIFFERENCE_STEP * direction) - loss(name, -DIFFERENCE_STEP * direction)) / (
                2 * DIFFERENCE_STEP
            )
            error = abs(slope - float(np.sum(gradient * direction))) / length
            if not error <= DIFFERENCE:
                raise ConformanceError(
                    f"{case.name}: the gradient by {name} is not the slope of the loss: error {error:.1e}, "
                    f"allowed {DIFFERENCE:.0e}"
                )


def check_finite_gradients(kit: Kit, case: Case) -> None:
    """Gradients are finite where inputs are large, and through a long row of initial weights."""
    large = replace(case, inputs=1e4)
    program = kit.build(large)
    _finite(f"{case.name}: inputs of the size 1e4", program.gradients(program.place(large.batch(kit.dtype))))
    long = replace(case, rows=2, time=LONG_LAG)
    program = kit.build(long, initial_parameters(case.model, 0, kit.dtype))
    _finite(f"{case.name}: {LONG_LAG} steps", program.gradients(program.place(long.batch(kit.dtype))))


def check_resets(kit: Kit, case: Case) -> None:
    """Several sequences in one row: the reference's gradients; scores after a reset are those of the rest,
    whatever state was passed in."""
    program, reference = kit.build(case), kit.build_reference(case)
    batch = case.batch(kit.dtype)
    resets = stream(7, case.name).uniform(size=(batch.size, batch.time)) < 0.2
    cut = batch.time // 2
    resets[:, cut] = True
    packed = replace(batch, resets=resets)
    found = program.gradients(program.place(packed))
    expected = reference.gradients(reference.place(in_double(packed)))
    comparison = compare(found, expected, kit.execution.precision)
    if not comparison.ok:
        raise ConformanceError(f"{case.name}: {comparison.sentence()}")
    rest = replace(
        batch, inputs=batch.inputs[:, cut:], targets=batch.targets[:, cut:], resets=resets[:, cut:]
    )
    rest = replace(rest, lengths=batch.lengths - cut)
    whole, _ = program.predict(program.place(packed))
    alone, state = program.predict(program.place(rest))
    limit = checks.forward_tolerance(kit)
    checks.near(f"{case.name}: scores after a reset", whole[:, cut:], alone, limit)
    passed, _ = program.predict(program.place(rest), state)
    checks.near(f"{case.name}: scores of a row that begins with a reset, from a state", passed, alone, limit)


def _finite(what: str, found: Gradients) -> None:
    parts = {f"the gradient by {name}": values for name, values in found.parameters.items()}
    parts |= {f"dL/dh of {name}": values for name, values in found.states.items()}
    for name, values in {"predictions": found.predictions, **parts}.items():
        if not np.isfinite(values).all():
            raise ConformanceError(f"{what}: {name} is not finite")


def reference_items(cell: str) -> list[KitItem]:
    """What is asked of the reference alone, in float64: that its derivative of the cell is right."""
    last = ModelSpec(Features(FEATURES), _body(cell, "plain"), Dense(OUTPUTS), "cross_entropy")
    steps = replace(last, body=_body(cell, "deep"), readout="steps", loss="squared")
    cases = [Case(f"{cell}-plain", last, rows=3, time=6), Case(f"{cell}-deep-steps", steps, rows=3, time=5)]
    return [KitItem(check_finite_differences, case) for case in cases]


def cell_items(cell: str) -> list[KitItem]:
    """Every property of a cell in a backend, with the models that it is checked on."""
    plain = ModelSpec(Features(FEATURES), _body(cell, "plain"), Dense(OUTPUTS), "cross_entropy")
    steps = replace(plain, body=_body(cell, "deep_bidirectional"), readout="steps", loss="squared")
    tokens = replace(plain, input=Tokens(VOCABULARY, 5), body=_body(cell, "bidirectional"), readout="mean")
    deep = replace(plain, body=_body(cell, "deep"))
    # no division by the size of gradients, as Adam's: some are zero but for rounding, as that by the bias of a
    # gate that cancels; and small steps: a linear cell's loss may grow in larger ones, and errors with it
    sgd = Recipe(optimiser="sgd", learning_rate=0.005)
    one, both = Case(f"{cell}-plain", plain), Case(f"{cell}-deep-bidirectional-steps", steps)
    carry = sgd.model_copy(update={"carry": True})
    stream_of = Case(f"{cell}-carry", replace(deep, readout="steps", loss="squared"), carry, time=5)
    cut = Case(f"{cell}-truncated", deep, Recipe(truncation=4))
    additive = Case(f"{cell}-additive", _translator(cell, "additive"))
    luong = Case(f"{cell}-multiplicative", _translator(cell, "multiplicative"))
    packed = replace(stream_of, name=f"{cell}-packed", time=9, ragged=False)
    packed = replace(packed, model=replace(packed.model, resets=True))
    dropped = [
        Case(f"{cell}-dropout", deep, Recipe(input_dropout=0.4, layer_dropout=0.5)),
        Case(f"{cell}-recurrent-dropout", deep, Recipe(recurrent_dropout=0.3)),
    ]
    groups: list[tuple[Check, list[Case]]] = [
        (checks.check_gradients, [one, both, Case(f"{cell}-tokens-mean", tokens), cut]),
        (checks.check_gradients, [Case(f"{cell}-33-steps", plain, time=33)]),
        (checks.check_gradients, [Case(f"{cell}-small", plain, inputs=1e-4, biases=False)]),
        (checks.check_gradients, [additive, luong]),
        (checks.check_gradients, dropped),
        (check_finite_gradients, [one]),
        (checks.check_padding, [one, both]),
        (checks.check_companions, [one, both]),
        (checks.check_full_truncation, [one]),
        (checks.check_training, [Case(f"{cell}-training", plain, sgd)]),
        (checks.check_carry, [stream_of]),
        (states.check_state_values, [stream_of]),
        (states.check_state_companions, [stream_of]),
        (states.check_outputs, [Case(f"{cell}-deep", deep)]),
        (check_packed, packed_cases(cell)),
        (checks.check_gradients, reset_cases(cell)[2:]),
        (decoding.check_generation, [additive]),
        (check_resets, [packed]),
    ]
    return [KitItem(check, case) for check, cases in groups for case in cases]


def _body(cell: str, stack: str) -> Recurrent:
    layers, both = STACKS[stack]
    return Recurrent(cell, HIDDEN_UNITS, layers, both)


def _translator(cell: str, attention: AttentionKind) -> ModelSpec:
    decoder = Decoder(TARGET_VOCABULARY, 5, Recurrent(cell, HIDDEN_UNITS + 1), attention, TARGET_TIME + 2)
    body = _body(cell, "bidirectional")
    return ModelSpec(Tokens(VOCABULARY, 4), body, Dense(TARGET_VOCABULARY), "cross_entropy", decoder=decoder)
