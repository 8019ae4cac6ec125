"""Parity: how far a backend's numbers are from the float64 reference, and whether that is rounding.

error = max|a - b| / max|b|, where for gradients and dL/dh_t the denominator is at least a hundredth of the
largest entry over the whole model, so that a parameter whose gradient is all but zero is not compared in digits
that carry nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from benchsuite.contracts import Batch, Gradients
from benchsuite.errors import ContractError
from benchsuite.schema.thresholds import MOST_WIDENED, TOLERANCES

FLOOR = 1e-2
"""Share of the model's largest entry below which a denominator does not fall."""


@dataclass(frozen=True)
class Comparison:
    """Errors by quantity (`loss`, `predictions`, `gradient/<name>`, `state/<layer>`) and what is allowed."""

    errors: dict[str, float]
    allowed: dict[str, float]

    @property
    def breaches(self) -> list[str]:
        """Quantities whose error is above its tolerance (or not a number), worst first."""
        over = [name for name in self.errors if not self.errors[name] <= self.allowed[name]]
        return sorted(over, key=self.ratio, reverse=True)

    def ratio(self, name: str) -> float:
        """Error over tolerance: above 1 is a breach."""
        ratio = self.errors[name] / self.allowed[name]
        return ratio if ratio == ratio else float("inf")

    @property
    def worst(self) -> str:
        """The quantity nearest to its tolerance, or furthest above it."""
        return max(self.errors, key=self.ratio)

    @property
    def ok(self) -> bool:
        return not self.breaches

    def largest(self, prefix: str) -> float:
        """The largest error among the quantities called `prefix` or `prefix/...`; 0 where there is none."""
        return max(
            (error for name, error in self.errors.items() if name.split("/")[0] == prefix), default=0.0
        )

    def sentence(self) -> str:
        """What a person should read: the worst breach, or how near the nearest quantity came."""
        name = self.breaches[0] if self.breaches else self.worst
        verdict = "breaks parity" if self.breaches else "is within parity"
        return f"{name} {verdict}: error {self.errors[name]:.1e}, allowed {self.allowed[name]:.1e}"


def relative_error(found: np.ndarray, expected: np.ndarray, floor: float = 0.0) -> float:
    """max|found - expected| / max(max|expected|, floor); infinite where `found` is not finite.

    Raises ContractError when the shapes differ.
    """
    if np.shape(found) != np.shape(expected):
        raise ContractError(f"shape {np.shape(found)} given, {np.shape(expected)} expected")
    found, expected = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    if not found.size:
        return 0.0
    if not np.all(np.isfinite(found)):
        return float("inf")
    difference = float(np.max(np.abs(found - expected)))
    scale = max(float(np.max(np.abs(expected))), floor)
    if difference == 0.0:
        return 0.0
    return difference / scale if scale > 0 else float("inf")


def compare(found: Gradients, expected: Gradients, precision: str) -> Comparison:
    """Compare one backward pass with the reference's.

    Raises ContractError when a parameter or layer is missing, foreign, or of another shape.
    """
    tolerances = TOLERANCES[precision]
    if np.shape(found.predictions) != np.shape(expected.predictions):
        raise ContractError(
            f"predictions have shape {np.shape(found.predictions)}, {np.shape(expected.predictions)} expected"
        )
    errors = {
        "loss": relative_error(np.asarray(found.loss), np.asarray(expected.loss)),
        "predictions": relative_error(found.predictions, expected.predictions),
    }
    allowed = {"loss": tolerances.forward, "predictions": tolerances.forward}
    for kind, a, b, limit in (
        ("gradient", found.parameters, expected.parameters, tolerances.gradients),
        ("state", found.states, expected.states, tolerances.states),
    ):
        for name, error in _errors(kind, a, b).items():
            errors[f"{kind}/{name}"], allowed[f"{kind}/{name}"] = error, limit
    return Comparison(errors, allowed)


OWN_ERRORS = 4.0
"""Times the reference's own error in single precision that others may have where gradients cancel."""


@dataclass(frozen=True)
class Widening:
    """The factors by which tolerances are widened.

    backward  of gradients and dL/dh_t
    forward   of the loss and the predictions
    """

    backward: float = 1.0
    forward: float = 1.0

    def of(self, quantity: str) -> float:
        """The factor of a quantity of a Comparison."""
        return self.backward if _is_backward(quantity) else self.forward


def widened(found: Comparison, own: Comparison) -> tuple[Comparison, Widening]:
    """`found` with wider tolerances where the reference itself, in the trial's precision, is off by more than a
    share of them; and by which factors.

    The tolerances take it that the terms of a gradient do not cancel, and that rounding does not add up over
    steps. Where terms cancel (a balanced batch whose rows all end in one state), the sum keeps fewer digits
    than its terms had, in any program; where a state decays slowly (an LRU that remembers a thousand steps),
    the rounding of as many steps is in it. How much is lost is seen by running the reference in single
    precision on the same batch: its formulas are the right ones, so its error is rounding alone. The
    quantities of the backward pass are widened together, by the worst of them, and so are those of the forward
    pass.
    """

    def factor(backward: bool) -> float:
        ratios = [own.ratio(name) for name in own.errors if _is_backward(name) == backward]
        return min(max(1.0, OWN_ERRORS * max(ratios, default=0.0)), MOST_WIDENED)

    factors = Widening(factor(True), factor(False))
    allowed = {name: limit * factors.of(name) for name, limit in found.allowed.items()}
    return Comparison(found.errors, allowed), factors


def _is_backward(quantity: str) -> bool:
    return quantity.split("/")[0] in ("gradient", "state")


def parameter_drift(found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Error of every parameter after training, by the rule of the gradients."""
    return _errors("parameter", found, expected)


def _errors(
    kind: str, found: Mapping[str, np.ndarray], expected: Mapping[str, np.ndarray]
) -> dict[str, float]:
    if set(found) != set(expected):
        missing, foreign = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
        raise ContractError(f"{kind}s differ by name: missing {missing}, not expected {foreign}")
    largest = max((float(np.max(np.abs(b))) for b in expected.values() if b.size), default=0.0)
    try:
        return {name: relative_error(found[name], expected[name], FLOOR * largest) for name in expected}
    except ContractError as error:
        shapes = {
            name: (np.shape(found[name]), np.shape(b))
            for name, b in expected.items()
            if np.shape(found[name]) != np.shape(b)
        }
        raise ContractError(f"{kind}s differ by shape (found, expected): {shapes}") from error


def in_double(batch: Batch) -> Batch:
    """The same batch with its reals in float64: what the reference is given."""

    def widen(array: np.ndarray) -> np.ndarray:
        return array.astype(np.float64) if array.dtype.kind == "f" else array

    masks = {name: widen(mask) for name, mask in batch.masks.items()}
    return replace(batch, inputs=widen(batch.inputs), targets=widen(batch.targets), masks=masks)
