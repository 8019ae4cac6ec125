"""What became of the gradient on its way back in time: verdict, half-life and what is left, of one snapshot
each.

Snapshots are taken before and after training. A record's own verdict `gradient` is that of the start, or that
of the end where the start is stable: it belongs to neither for certain. So the verdict of a snapshot is
decided here from the snapshot's own figures, by the thresholds of `schema.thresholds`. Only `undefined` and
`truncated` are taken from the record: they follow from the model and the recipe, and hold for both snapshots.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from benchsuite.schema import Record
from benchsuite.schema.thresholds import EXPLODING, VANISHING

Moment = Literal["start", "end"]
MOMENTS: tuple[Moment, ...] = ("start", "end")
"""Before and after training."""

VERDICTS = ("vanishing", "stable", "exploding", "truncated", "undefined")


@dataclass(frozen=True)
class GradientDecay:
    """The decay of |dL/dh| over the whole sequence, of one snapshot.

    verdict    one of VERDICTS; "" where the record does not tell. Of several seeds: all of their verdicts,
               joined by a slash (`stable/vanishing`)
    half_life  steps back in time over which the gradient halves; infinite where it does not shrink. None
               where it is not known, or where the verdict is `undefined`
    change     share of the gradient at the last step that is left at the first one. None where it is not
               known, or where the verdict is `undefined` or `truncated`
    """

    verdict: str
    half_life: float | None = None
    change: float | None = None


def gradient_decay(record: Record, moment: Moment) -> GradientDecay | None:
    """The snapshot of a record before or after training; None where the record has no statistics of
    gradients."""
    recorded = record.verdicts.get("gradient", "")
    half_life = _figure(record, f"gradient/half_life_steps_{moment}")
    if half_life is None and moment == "end":
        half_life = _figure(record, "gradient/half_life_steps")  # as older records name it
    change = _figure(record, f"gradient/change_{moment}")
    if recorded == "undefined":
        return GradientDecay("undefined")
    if recorded == "truncated":
        return GradientDecay("truncated", half_life)
    verdict = _verdict(record, moment, recorded, change)
    if not verdict and half_life is None and change is None:
        return None
    return GradientDecay(verdict, half_life, change)


def verdicts(record: Record) -> dict[str, str]:
    """The record's verdicts by name, that of the gradient by its two snapshots: `gradient_start` and
    `gradient_end` replace `gradient`."""
    found = {name: word for name, word in record.verdicts.items() if name != "gradient"}
    for moment in MOMENTS:
        decay = gradient_decay(record, moment)
        if decay is not None and decay.verdict:
            found[f"gradient_{moment}"] = decay.verdict
    return found


def decay_over_seeds(records: Sequence[Record], moment: Moment) -> GradientDecay | None:
    """The snapshots of several seeds: all of their verdicts, and the medians of their figures (the lower one
    of an even number of them), because a half-life may be infinite. None where no record has a snapshot."""
    found = [one for record in records if (one := gradient_decay(record, moment)) is not None]
    if not found:
        return None
    return GradientDecay(
        "/".join(sorted({one.verdict for one in found if one.verdict})),
        _median([one.half_life for one in found if one.half_life is not None]),
        _median([one.change for one in found if one.change is not None]),
    )


def _verdict(record: Record, moment: Moment, recorded: str, change: float | None) -> str:
    if change is not None:
        if change < VANISHING:
            return "vanishing"
        return "exploding" if change > EXPLODING else "stable"
    if f"gradient/change_{moment}" in record.scalars and recorded:
        # not a number: the gradient was zero one step back already, and no line could be fitted
        return "vanishing"
    return recorded if recorded == "stable" else ""  # stable as a whole means at both moments


def _figure(record: Record, name: str) -> float | None:
    value = record.scalars.get(name, math.nan)
    return None if math.isnan(value) else value


def _median(values: list[float]) -> float | None:
    return sorted(values)[(len(values) - 1) // 2] if values else None
