"""Parity: errors within the tolerances that this suite has for the precision, and a verdict that follows."""

from __future__ import annotations

import math
from collections.abc import Iterator

from benchsuite.analysis.validity import breaks_parity, parity_checked
from benchsuite.analysis.verification.evidence import Evidence
from benchsuite.schema.thresholds import MOST_WIDENED, TOLERANCES, Tolerances

WORST_RATIO = "parity/worst_ratio"
GENERATED = 10.0
"""Times the tolerance of the forward pass that the first generated tokens have."""


def parity_faults(found: Evidence) -> Iterator[str]:
    """What is wrong with a record's parity: a breach, an error above its tolerance, a verdict or a ratio that
    does not follow from the errors, or a tolerance that was widened by more than is allowed.

    A record has the largest error of each group of quantities, and the error over its tolerance of the worst
    one. The tolerances are those of `schema.thresholds` for the trial's precision, so a ratio that was computed
    with others contradicts the errors.
    """
    record = found.record
    if not found.ended_well:
        return
    if not parity_checked(record):
        yield found.fault("parity was not checked")
        return
    if breaks_parity(record):
        yield found.fault(f"breaks parity: {record.reason or 'an error is above its tolerance'}")
    yield from _widening(found)
    worst = found.scalar(WORST_RATIO)
    bounds = _bounds(found)
    if worst is None or not bounds:
        yield found.fault("the errors of parity are missing")
        return
    if any(not math.isfinite(low) or low < 0 for low, _ in bounds.values()):
        yield found.fault("an error of parity is no figure")
    for name, (low, _) in bounds.items():
        if low > 1 + 1e-9 and not breaks_parity(record):
            yield found.fault(f"{name} is {low:.3g} times what is allowed, and the verdict is ok")
    least, most = max(low for low, _ in bounds.values()), max(high for _, high in bounds.values())
    if not least * (1 - 1e-6) <= worst <= most * (1 + 1e-6):
        yield found.fault(
            f"{WORST_RATIO} is {worst:.6g}; with the tolerances of {record.trial.execution.precision} the "
            f"errors give {least:.6g}" + ("" if math.isclose(least, most) else f" to {most:.6g}")
        )
    if (worst > 1) != breaks_parity(record):
        yield found.fault(
            f"{WORST_RATIO} is {worst:.6g}, and the verdict on parity is {record.verdicts['parity']}"
        )


def widened_forward(found: Evidence) -> float:
    """By how much the tolerance of losses and predictions was widened; records of earlier versions had one
    factor for gradients alone."""
    return _factor(found.scalar("parity/widened_forward"))


def widened_backward(found: Evidence) -> float:
    """By how much the tolerance of gradients was widened."""
    return _factor(found.scalar("parity/widened"))


def _factor(recorded: float | None) -> float:
    """1 where there is none, and for one that no tolerance is widened by: that is a fault of its own."""
    return recorded if recorded is not None and recorded >= 1 else 1.0


def _widening(found: Evidence) -> Iterator[str]:
    precision = found.record.trial.execution.precision
    most = MOST_WIDENED if precision == "float32" else 1.0
    for name in ("parity/widened", "parity/widened_forward"):
        factor = found.scalar(name)
        if factor is not None and not 1.0 <= factor <= most:
            yield found.fault(f"{name} is {factor:g}; a tolerance of {precision} is widened by 1 to {most:g}")


def _bounds(found: Evidence) -> dict[str, tuple[float, float]]:
    """Scalar of an error -> the least and the largest ratio to its tolerance that it can mean: a group holds
    quantities with several tolerances, and only its largest error is recorded."""
    limits: Tolerances = TOLERANCES[found.record.trial.execution.precision]
    forward, backward = widened_forward(found), widened_backward(found)
    groups = {
        "parity/loss_error": (limits.forward * forward,) * 2,
        "parity/prediction_error": (limits.forward * forward, GENERATED * limits.forward * forward),
        "parity/gradient_error": (limits.gradients * backward,) * 2,
        "parity/state_error": (limits.states * backward,) * 2,
        "parity/step_error": (limits.forward * forward, limits.loss_10 * forward),
    }
    errors = {name: found.scalar(name) for name in groups}
    return {
        name: (error / groups[name][1], error / groups[name][0])
        for name, error in errors.items()
        if error is not None
    }
