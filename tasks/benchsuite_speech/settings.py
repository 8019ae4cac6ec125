"""From the options that both speech tasks have to clips, their splits and what is read of them."""

from __future__ import annotations

import numpy as np

from benchsuite.contracts import Options
from benchsuite.errors import RequestError
from benchsuite_speech.clips import RATE, Clips, fsdd
from benchsuite_speech.features import LogMel
from benchsuite_speech.tones import tones

SOURCES = {"fsdd": fsdd, "tones": tones}


def load_clips(source: str, options: Options) -> tuple[Clips, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The clips of a source and the row numbers of the training, the validation and the test split.

    Raises RequestError for a speaker that the source does not have.
    """
    clips = SOURCES[source]()
    speaker, count = options.integer("speaker"), len(clips.names)
    if speaker >= count:
        raise RequestError(
            f"{options.task}: option speaker is {speaker}; {source} has the speakers 0 to {count - 1}"
        )
    return clips, clips.split(options.text("split"), speaker)


def log_mel(options: Options) -> LogMel:
    """The features that the options ask for. Raises RequestError for bands that are too narrow."""
    window, hop = (round(options.integer(name) * RATE / 1000) for name in ("window_ms", "hop_ms"))
    features = LogMel(options.integer("bands"), window, hop)
    features.bank  # noqa: B018 - the bands are checked before any clip is read
    return features
