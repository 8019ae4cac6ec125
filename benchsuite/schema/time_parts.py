"""The parts of a trial's time, each of which a record has wall and processor seconds of."""

from __future__ import annotations

TIME_PARTS = (
    "import", "data", "build", "calibration", "compile", "parity", "training", "evaluation", "snapshots",
    "timing", "waiting",
)  # fmt: skip
"""In the order in which they are met; every moment of a trial belongs to one of them at most."""


def time_scalar(part: str, cpu: bool = False) -> str:
    """The name of the scalar that holds a part's wall (`cpu`: processor) seconds."""
    return f"time/{part}_cpu_seconds" if cpu else f"time/{part}_seconds"
