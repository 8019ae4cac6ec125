"""The error rule of parity: what is rounding, what is a breach, what is no answer at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from benchsuite.contracts import Batch, Gradients
from benchsuite.errors import ContractError
from benchsuite.measure.parity import (
    FLOOR,
    Comparison,
    Widening,
    compare,
    in_double,
    parameter_drift,
    relative_error,
    widened,
)
from benchsuite.schema.thresholds import MOST_WIDENED, TOLERANCES

REALS = arrays.arrays(
    np.float64, arrays.array_shapes(max_dims=3, max_side=4), elements=st.floats(-1e3, 1e3, width=32)
)
PRECISIONS = sorted(TOLERANCES)


def backward() -> Gradients:
    """A backward pass whose gradients differ in size by four orders."""
    random = np.random.default_rng(0)
    return Gradients(
        loss=0.75,
        parameters={"big.W": random.normal(size=(3, 4)), "small.b": 1e-4 * random.normal(size=4)},
        states={"rnn.l0.fwd": random.normal(size=(2, 5, 3))},
        predictions=random.normal(size=(2, 4)),
    )


@given(REALS, st.floats(1e-12, 1e-1))
def test_the_error_is_the_largest_difference_over_the_largest_entry(
    expected: np.ndarray, share: float
) -> None:
    at = tuple(int(axis) - 1 for axis in expected.shape)
    found = expected.copy()
    found[at] += share * np.abs(expected).max()
    if not expected.any():
        assert relative_error(found, expected) == 0
        return
    assert relative_error(found, expected) == pytest.approx(share, rel=1e-3, abs=1e-15)
    assert relative_error(expected, expected) == 0


@given(REALS, st.floats(1e-3, 1e3))
def test_the_error_does_not_depend_on_the_scale(expected: np.ndarray, scale: float) -> None:
    found = expected * (1 + 1e-3)
    one, other = relative_error(found, expected), relative_error(scale * found, scale * expected)
    assert one == pytest.approx(other, rel=1e-6, abs=1e-15)


def test_a_denominator_does_not_fall_below_the_floor() -> None:
    found, expected = np.array([1e-6, 0.0]), np.zeros(2)
    assert relative_error(found, expected) == np.inf
    assert relative_error(found, expected, floor=1e-2) == pytest.approx(1e-4)
    assert relative_error(found, np.array([10.0, 0.0]), floor=1e-2) == pytest.approx(1.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_infinitely_wrong(bad: float) -> None:
    expected = np.ones(3)
    assert relative_error(np.array([1.0, bad, 1.0]), expected) == np.inf
    assert not relative_error(expected, np.array([1.0, bad, 1.0])) <= 1e300


def test_nothing_against_nothing_is_no_error() -> None:
    assert relative_error(np.zeros((0, 3)), np.zeros((0, 3))) == 0
    assert relative_error(np.zeros(3), np.zeros(3)) == 0


def test_broadcasting_does_not_hide_a_wrong_shape() -> None:
    with pytest.raises(ContractError, match=r"shape \(1, 3\) given, \(3,\) expected"):
        relative_error(np.ones((1, 3)), np.ones(3))


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_small_gradient_is_held_to_a_hundredth_of_the_largest(precision: str) -> None:
    expected = backward()
    largest = float(np.abs(expected.parameters["big.W"]).max())
    allowed = TOLERANCES[precision].gradients * FLOOR * largest
    for share, ok in ((0.9, True), (1.1, False)):
        off = expected.parameters["small.b"].copy()
        off[1] += share * allowed
        found = replace(expected, parameters={**expected.parameters, "small.b": off})
        comparison = compare(found, expected, precision)
        assert comparison.ok is ok
        assert comparison.breaches == ([] if ok else ["gradient/small.b"])
        assert comparison.worst == "gradient/small.b"
        assert comparison.ratio("gradient/small.b") == pytest.approx(share, rel=1e-2)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("quantity", ["loss", "predictions", "gradient/big.W", "state/rnn.l0.fwd"])
def test_every_quantity_can_break_parity_alone(precision: str, quantity: str) -> None:
    expected, limits = backward(), TOLERANCES[precision]
    limit = {"gradient/big.W": limits.gradients, "state/rnn.l0.fwd": limits.states}.get(
        quantity, limits.forward
    )
    for factor, ok in ((1 + limit / 2, True), (1 + 2 * limit, False)):
        found = {
            "loss": lambda by: replace(expected, loss=expected.loss * by),
            "predictions": lambda by: replace(expected, predictions=expected.predictions * by),
            "gradient/big.W": lambda by: replace(
                expected, parameters=expected.parameters | {"big.W": expected.parameters["big.W"] * by}
            ),
            "state/rnn.l0.fwd": lambda by: replace(
                expected, states={"rnn.l0.fwd": expected.states["rnn.l0.fwd"] * by}
            ),
        }[quantity](factor)
        comparison = compare(found, expected, precision)
        assert comparison.breaches == ([] if ok else [quantity])
        assert (f"{quantity} breaks parity" in comparison.sentence()) is not ok


def test_a_loss_that_is_not_a_number_is_a_breach() -> None:
    comparison = compare(replace(backward(), loss=float("nan")), backward(), "float32")
    assert comparison.breaches == ["loss"]
    assert comparison.worst == "loss"
    assert "error inf" in comparison.sentence()


def test_breaches_come_worst_first() -> None:
    comparison = Comparison(
        {"loss": 2e-5, "gradient/a": 1.0, "gradient/b": float("nan"), "state/x": 1e-9},
        {"loss": 5e-6, "gradient/a": 2e-5, "gradient/b": 2e-5, "state/x": 1e-5},
    )
    assert comparison.breaches == ["gradient/b", "gradient/a", "loss"]
    assert comparison.largest("state") == 1e-9
    assert comparison.largest("alignment") == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameters": {"big.W": np.zeros((3, 4))}}, r"gradients differ by name: missing \['small.b'\]"),
        ({"states": {}}, r"states differ by name: missing \['rnn.l0.fwd'\]"),
        ({"states": {"rnn.l0.fwd": np.zeros((2, 5, 3)), "x": np.zeros(1)}}, r"not expected \['x'\]"),
        (
            {"parameters": {"big.W": np.zeros((4, 3)), "small.b": np.zeros(4)}},
            r"gradients differ by shape.*'big.W': \(\(4, 3\), \(3, 4\)\)",
        ),
        ({"predictions": np.zeros((2, 3))}, r"predictions have shape \(2, 3\), \(2, 4\) expected"),
    ],
    ids=["missing", "no states", "foreign", "shape", "predictions"],
)
def test_what_does_not_answer_the_question_is_a_broken_contract(
    change: dict[str, object], message: str
) -> None:
    with pytest.raises(ContractError, match=message):
        compare(replace(backward(), **change), backward(), "float64")  # type: ignore[arg-type]


def test_drift_is_measured_by_the_rule_of_the_gradients() -> None:
    expected = {"a": np.full(2, 10.0), "b": np.full(2, 1e-3)}
    found = {"a": np.full(2, 10.0), "b": np.full(2, 2e-3)}
    assert parameter_drift(found, expected) == {"a": 0.0, "b": pytest.approx(1e-3 / (FLOOR * 10))}


def test_tolerances_widen_with_the_rounding_of_the_type() -> None:
    for name in ("forward", "states", "gradients", "loss_10", "loss_50", "drift_50"):
        double, single, tf32 = (getattr(TOLERANCES[kind], name) for kind in ("float64", "float32", "tf32"))
        assert double < single < tf32 < 1


def test_the_reference_sees_the_very_numbers_the_backend_saw() -> None:
    third = np.full((1, 2, 1), 1 / 3, np.float32)
    batch = Batch(third, np.array([2], np.int32), np.array([1], np.int32))
    double = in_double(batch)
    assert double.inputs.dtype == np.float64
    np.testing.assert_array_equal(double.inputs, third)
    assert double.targets.dtype == np.int32


def test_tolerances_are_widened_by_what_the_reference_itself_loses() -> None:
    allowed = {"loss": 5e-6, "gradient/out.W": 2e-5, "state/rnn.l0.fwd": 1e-5}
    found = Comparison({"loss": 6e-6, "gradient/out.W": 9e-5, "state/rnn.l0.fwd": 1e-6}, allowed)
    own = Comparison({"loss": 1e-7, "gradient/out.W": 3e-5, "state/rnn.l0.fwd": 1e-7}, allowed)
    wide, factors = widened(found, own)
    assert factors.backward == pytest.approx(4 * 1.5)
    assert factors.forward == 1.0
    assert wide.allowed == pytest.approx({"loss": 5e-6, "gradient/out.W": 12e-5, "state/rnn.l0.fwd": 6e-5})
    assert wide.breaches == ["loss"]


def test_tolerances_are_never_narrowed_and_never_widened_without_end() -> None:
    allowed = {"gradient/out.W": 2e-5}
    exact, hopeless = (
        Comparison({"gradient/out.W": 1e-9}, allowed),
        Comparison({"gradient/out.W": 1.0}, allowed),
    )
    assert widened(exact, exact) == (exact, Widening())
    wide, factors = widened(Comparison({"gradient/out.W": 1e-3}, allowed), hopeless)
    assert factors.backward == MOST_WIDENED
    assert not wide.ok


def test_rounding_that_adds_up_over_steps_widens_the_forward_pass_alone() -> None:
    allowed = {"loss": 5e-6, "predictions/predict": 5e-6, "gradient/out.W": 2e-5}
    found = Comparison({"loss": 9e-6, "predictions/predict": 4e-5, "gradient/out.W": 1e-6}, allowed)
    own = Comparison({"loss": 2.5e-6, "gradient/out.W": 1e-7}, allowed)
    wide, factors = widened(found, own)
    assert (factors.backward, factors.forward) == (1.0, pytest.approx(2.0))
    assert wide.breaches == ["predictions/predict"]
