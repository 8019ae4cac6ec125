"""Frames to look at."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchsuite.schema import Exhibit


def frames_side_by_side(name: str, frames: Mapping[str, np.ndarray], side: int) -> Exhibit:
    """Frames (side * side,) in [0, 1] by what they are."""
    tables = {
        title: np.round(frame.reshape(side, side).astype(np.float64), 3).tolist()
        for title, frame in frames.items()
    }
    return Exhibit(name=name, kind="picture", tables=tables)
