"""The task `video`: data, model, metrics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from typing_extensions import override

from benchsuite.contracts import Alignments, LoadedTask, Options, Ragged, Split, Task
from benchsuite.errors import UnsupportedError
from benchsuite.schema import Dense, Exhibit, Features, ModelSpec, Size, recurrent_body
from benchsuite_video.exhibits import frames_side_by_side
from benchsuite_video.metrics import frame_metrics, free_forecasts, sigmoid
from benchsuite_video.sources import load_films

_SHOWN = 4


class Video(Task):
    """Films of two bouncing digits, frame by frame."""

    def load(self, source: str, options: Options) -> LoadedVideo:
        """Films of T frames: inputs (T - 1, pixels) float32 in [0, 1], the frames but the last; targets by
        step, the frames but the first. Both lie in one copy of the frames."""
        films = load_films(source, options)
        train, validation, test = (
            _next_frames(part.frames) for part in (films.train, films.validation, films.test)
        )
        before, after = films.test.frames[:, :-1], films.test.frames[:, 1:]
        return LoadedVideo(
            name=f"video/{source}",
            train=train,
            validation=validation,
            test=test,
            side=films.side,
            baselines=free_forecasts(train.inputs.values, before, after),
            licence=films.licence,
        )


@dataclass(frozen=True, kw_only=True)
class LoadedVideo(LoadedTask):
    """The next frame from all before it; `frame_cross_entropy` ranks, the less the better.

    side  height and width of a frame in pixels
    """

    primary = "frame_cross_entropy"
    higher_is_better = False

    side: int

    def model(self, architecture: str, cell: str, size: Size) -> ModelSpec:
        """A recurrent stack read at every step, one logit per pixel.

        Raises UnsupportedError for a bidirectional stack: its backward layer has read the frame to forecast.
        """
        body = recurrent_body(architecture, cell, size)
        if body.bidirectional:
            raise UnsupportedError(
                f"architecture {architecture!r} reads the frame that it is to forecast; use plain or deep"
            )
        pixels = self.side**2
        return ModelSpec(
            input=Features(pixels),
            body=body,
            head=Dense(pixels),
            loss="binary_cross_entropy",
            readout="steps",
        )

    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        """frame_cross_entropy and mse of logits (n, T - 1, pixels); see frame_metrics()."""
        return frame_metrics(predictions, split.step_targets.to_dense())

    @override
    def exhibits(self, predictions: np.ndarray, split: Split, alignments: Alignments) -> list[Exhibit]:
        """The last frame of the first films: the one before it, the truth, and the forecast."""
        return [
            frames_side_by_side(
                f"film {row + 1}, last frame",
                {
                    "frame before": split.inputs[row][-1],
                    "truth": split.step_targets[row][-1],
                    "prediction": sigmoid(predictions[row, -1].astype(np.float64)),
                },
                self.side,
            )
            for row in range(min(_SHOWN, len(split)))
        ]


def _next_frames(frames: np.ndarray) -> Split:
    """Films (n, T, pixels) as inputs and targets by step; a view, no copy."""
    n, time, pixels = frames.shape
    flat, starts = frames.reshape(n * time, pixels), np.arange(n, dtype=np.int64) * time
    lengths = np.full(n, time - 1, np.int64)
    return Split(Ragged(flat, starts, lengths), Ragged(flat, starts + 1, lengths))
