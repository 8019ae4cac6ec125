"""Dropout: the masks of a batch are used where they should be, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from benchsuite.measure.conformance.backend import ConformanceError, Kit, compared, near
from benchsuite.measure.conformance.backend import forward_tolerance as tolerance
from benchsuite.measure.conformance.cases import FEATURES, HIDDEN_UNITS, OUTPUTS, VOCABULARY, Case
from benchsuite.measure.conformance.ingredients import DECODER
from benchsuite.schema import BUILTIN_CELLS, Dense, Features, ModelSpec, Recipe, Recurrent, Tokens


def check_masks(kit: Kit, case: Case) -> None:
    """predict() and outputs() do not look at masks; masks of ones are none; each mask changes the gradients."""
    program, batch = kit.build(case), case.batch(kit.dtype)
    plain = replace(batch, masks={})
    scores, _ = program.predict(program.place(batch))
    wanted, _ = program.predict(program.place(plain))
    near(f"{case.name}: predict() of a batch with masks", scores, wanted, tolerance(kit))
    ones = {name: np.ones_like(mask) for name, mask in batch.masks.items()}
    without = program.gradients(program.place(plain))
    compared(
        kit,
        f"{case.name}: masks of ones",
        program.gradients(program.place(replace(batch, masks=ones))),
        without,
    )
    near(f"{case.name}: gradients() without masks", without.predictions, wanted, tolerance(kit))
    masked = program.gradients(program.place(batch))
    for name in batch.masks:
        found = program.gradients(program.place(replace(batch, masks={**batch.masks, name: ones[name]})))
        if all(np.array_equal(value, masked.parameters[key]) for key, value in found.parameters.items()):
            raise ConformanceError(f"{case.name}: mask {name} changes no gradient")


def dropout_cases() -> list[Case]:
    """Every place of a mask with every built-in cell: inputs, ids, between layers, hidden states, a decoder's;
    with rows that end early, both directions, truncation and carried states."""
    found: list[Case] = []
    kinds: dict[str, dict[str, Any]] = {
        "inputs": {"input_dropout": 0.4},
        "layers": {"layer_dropout": 0.5},
        "recurrent": {"recurrent_dropout": 0.3},
    }
    for cell in BUILTIN_CELLS:
        deep = ModelSpec(
            Features(FEATURES), Recurrent(cell, HIDDEN_UNITS, 3), Dense(OUTPUTS), "cross_entropy"
        )
        both = replace(deep, body=Recurrent(cell, HIDDEN_UNITS, 2, True), readout="steps", loss="squared")
        ids = replace(
            deep, input=Tokens(VOCABULARY, 5), body=Recurrent(cell, HIDDEN_UNITS, 2), readout="mean"
        )
        decoder = replace(
            DECODER,
            body=Recurrent(cell, HIDDEN_UNITS, 2),
            decoder=replace(DECODER.decoder, body=Recurrent(cell, HIDDEN_UNITS, 2)),  # type: ignore[type-var]
        )
        for kind, fields in kinds.items():
            recipe, name = Recipe(**fields), f"dropped-{kind}-{cell}"
            found += [
                Case(f"{name}-deep", deep, recipe),
                Case(f"{name}-both", both, recipe),
                Case(f"{name}-ids", ids, recipe, ragged=False),
                Case(f"{name}-decoder", decoder, recipe),
                Case(f"{name}-truncated", deep, Recipe(truncation=4, **fields)),
            ]
    return found


def dropout_stream_cases() -> list[Case]:
    """Dropout in a stream whose states are carried."""
    model = ModelSpec(
        Features(FEATURES), Recurrent("lstm", HIDDEN_UNITS, 2), Dense(OUTPUTS), "squared", readout="steps"
    )
    streams = {"optimiser": "sgd", "learning_rate": 0.05, "carry": True}
    kinds = {"apart": {"input_dropout": 0.4, "layer_dropout": 0.5}, "recurrent": {"recurrent_dropout": 0.3}}
    return [
        Case(f"dropped-stream-{kind}", model, Recipe.model_validate(streams | fields), time=5)
        for kind, fields in kinds.items()
    ]
