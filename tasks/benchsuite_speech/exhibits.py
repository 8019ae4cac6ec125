"""What a reader sees of the speech tasks: spectrograms, and strings beside the truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchsuite.schema import Exhibit


def spectrogram(name: str, frames: np.ndarray) -> Exhibit:
    """Log-mel frames (T, bands) as a picture, time to the right, high bands above; 1 for the loudest."""
    low, high = float(frames.min()), float(frames.max())
    shares = (frames - low) / (high - low if high > low else 1.0)
    picture = np.round(shares.T[::-1].astype(np.float64), 3)
    return Exhibit(name=name, kind="picture", tables={"log-mel energies": picture.tolist()})


def transcript(name: str, clips: Sequence[str], spoken: Sequence[str], heard: Sequence[str]) -> Exhibit:
    """The clips that were joined, the words that they say, and those that were recognised."""
    return Exhibit(
        name=name,
        kind="text",
        lines={"source": list(clips), "target": list(spoken), "prediction": list(heard)},
    )
