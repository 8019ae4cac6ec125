"""From the options that both speech tasks have to clips, their splits and what is read of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchsuite.errors import RequestError, UnknownNameError
from benchsuite.schema.trial import Scalar
from benchsuite_speech.clips import RATE, Clips, fsdd
from benchsuite_speech.features import LogMel
from benchsuite_speech.tones import tones

SOURCES = {"fsdd": fsdd, "tones": tones}


def load_clips(
    task: str, source: str, options: Mapping[str, Scalar]
) -> tuple[Clips, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The clips of a source and the row numbers of the training, the validation and the test split."""
    if source not in SOURCES:
        raise UnknownNameError(f"source of {task}", source, SOURCES)
    clips = SOURCES[source]()
    speaker = whole(task, options, "speaker", 0, len(clips.names) - 1)
    return clips, clips.split(str(options["split"]), speaker)


def log_mel(task: str, options: Mapping[str, Scalar]) -> LogMel:
    """Raises RequestError for a window or a step below one sample, and for bands that are too narrow."""
    window, hop = (round(_duration(task, options, name) * RATE / 1000) for name in ("window_ms", "hop_ms"))
    features = LogMel(whole(task, options, "bands", 1, 256), max(window, 1), max(hop, 1))
    assert features.bank.shape[1] == features.bands
    return features


def whole(task: str, options: Mapping[str, Scalar], name: str, least: int, most: int) -> int:
    """The option `name`, a whole number from `least` to `most`."""
    value = options[name]
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise RequestError(
            f"{task}: option {name} is {value!r}; it must be a whole number, {least} to {most}"
        )
    return value


def _duration(task: str, options: Mapping[str, Scalar], name: str) -> float:
    value = options[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= 1000:
        raise RequestError(f"{task}: option {name} is {value!r}; it must be milliseconds, 1 to 1000")
    return float(value)
