"""Masks of dropout: by seed, step and name, inverted, and one for all steps of a row."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fixtures.numpy_cases import batch, decoder_model, model
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts import check_batch
from benchsuite.errors import ContractError
from benchsuite.measure.dropout import with_masks
from benchsuite.measure.parity import in_double
from benchsuite.schema import Recipe, mask_widths

SPEC = model("gru", "deep", hidden=50)
ALL = Recipe(input_dropout=0.1, layer_dropout=0.5, recurrent_dropout=0.75)
DATA = batch(SPEC, [4, 2, 3, 4])


def masks(recipe: Recipe, seed: int = 0, step: int = 1, dtype: str = "float64") -> dict[str, np.ndarray]:
    return dict(with_masks(DATA, SPEC, recipe, seed, step, dtype).masks)


@given(seed=st.integers(0, 2**63), step=st.integers(1, 10**6))
def test_seed_step_and_name_decide_a_mask(seed: int, step: int) -> None:
    one, again = masks(ALL, seed, step), masks(ALL, seed, step)
    alone = masks(Recipe(layer_dropout=0.5), seed, step)
    for name, mask in one.items():
        np.testing.assert_array_equal(mask, again[name])
        if name != "rnn.l0.x":  # a tenth of 12 units may well be none
            assert not np.array_equal(mask, masks(ALL, seed, step + 1)[name])
            assert not np.array_equal(mask, masks(ALL, seed + 1, step)[name])
    np.testing.assert_array_equal(alone["rnn.l1.x"], one["rnn.l1.x"])


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_what_is_kept_is_scaled_up_so_that_the_mean_is_one(share: float) -> None:
    drawn = [masks(Recipe(layer_dropout=share), step=step)["rnn.l1.x"] for step in range(1, 60)]
    every = np.stack(drawn)
    assert every.shape == (59, 4, 50)
    assert set(np.unique(every)) == {0.0, 1 / (1 - share)}
    assert np.mean(every == 0) == pytest.approx(share, abs=0.02)


def test_without_dropout_a_batch_is_as_it_was() -> None:
    assert with_masks(DATA, SPEC, Recipe(), 0, 1, "float64") is DATA


def test_the_reference_is_given_the_same_masks() -> None:
    single = replace(DATA, inputs=DATA.inputs.astype(np.float32))
    single = with_masks(single, SPEC, ALL, 0, 1, "float32")
    for name, mask in in_double(single).masks.items():
        assert mask.dtype == np.float64
        np.testing.assert_array_equal(mask, single.masks[name])


@pytest.mark.parametrize("spec", [SPEC, decoder_model("lstm", "deep", "additive", "tokens")])
def test_what_is_drawn_fits_the_batch(spec: object) -> None:
    data = with_masks(batch(spec, [4, 2, 3]), spec, ALL, 0, 1, "float64")  # type: ignore[arg-type]
    check_batch(spec, data, "float64")  # type: ignore[arg-type]
    assert set(data.masks) == set(mask_widths(spec, ALL))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "mask", "message"),
    [
        ("rnn.l1.x", np.ones((4, 3)), r"mask rnn\.l1\.x: float64 \(4, 3\) given, float64 \(4, 50\) wanted"),
        ("rnn.l1.x", np.ones((3, 50)), "given, float64"),
        ("rnn.l1.x", np.ones((4, 50), bool), "bool"),
        ("rnn.l2.x", np.ones((4, 50)), r"unknown mask 'rnn\.l2\.x'"),
    ],
)
def test_masks_that_do_not_fit_are_refused(name: str, mask: np.ndarray, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        check_batch(SPEC, replace(DATA, masks={name: mask}), "float64")
