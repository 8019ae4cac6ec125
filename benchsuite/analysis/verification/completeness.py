"""Figures and verdicts that a record of a trial that ended well must have."""

from __future__ import annotations

from collections.abc import Iterator

from benchsuite.analysis.validity import breaks_parity
from benchsuite.analysis.verification.evidence import Evidence
from benchsuite.schema import INVALID_TIMING

NEEDED_SCALARS = (
    "train/epochs", "train/steps", "train/sequences", "train/seconds", "train/cpu_seconds",
    "train/loss_first", "train/loss_final", "speed/build_seconds", "speed/first_step_seconds",
    "parity/loss_error", "parity/prediction_error", "parity/gradient_error", "parity/state_error",
    "parity/step_error", "parity/worst_ratio", "model/parameters", "gradient/norm_start", "gradient/norm_end",
)  # fmt: skip
NEEDED_TIMED = (
    "speed/step_median_seconds", "speed/step_cpu_seconds", "speed/inference_median_seconds",
    "speed/sequences_per_second", "speed/flops_per_step", "speed/peak_flops_per_second", "speed/peak_share",
)  # fmt: skip
"""Of a trial with parity."""
VERDICT_WORDS = {
    "parity": ("ok", "breach", "not_checked"),
    "gradient": ("vanishing", "stable", "exploding", "truncated", "undefined"),
    "speed": ("stable", "unstable", *INVALID_TIMING),
}
"""Verdict -> the words that it may be."""


def completeness_faults(found: Evidence) -> Iterator[str]:
    """Figures that are missing, counts that are none, and verdicts that are no word of this suite."""
    record = found.record
    for name, word in record.verdicts.items():
        if word not in VERDICT_WORDS.get(name, (word,)):
            yield found.fault(f"the verdict {name} is {word!r}; it may be {', '.join(VERDICT_WORDS[name])}")
    if not found.ended_well:
        return
    needed = NEEDED_SCALARS if breaks_parity(record) else (*NEEDED_SCALARS, *NEEDED_TIMED)
    if missing := [name for name in needed if name not in record.scalars]:
        yield found.fault(f"lacks {', '.join(missing)}")
    for name in ("train/epochs", "train/steps", "train/sequences", "model/parameters"):
        value = record.scalars.get(name, 1.0)
        if not (value >= 1 and value.is_integer()):
            yield found.fault(f"{name} is {value:g}, which is no count")
    for name, value in record.scalars.items():
        if name.startswith("memory/") and not (value >= 0 and value.is_integer()):
            yield found.fault(f"{name} is {value:g}, which is no number of bytes")
    peak, train = record.scalars.get("memory/peak_bytes"), record.scalars.get("memory/train_peak_bytes")
    if peak is not None and train is not None and peak != train:
        yield found.fault("memory/peak_bytes is not memory/train_peak_bytes")
    if record.finished == 0.0 or record.started == 0.0:
        yield found.fault("does not say when it ran")
