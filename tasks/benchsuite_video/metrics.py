"""Errors of forecast frames, in float64 NumPy."""

from __future__ import annotations

import numpy as np

CLIP = 0.02
"""Where pixels are taken as probabilities they are kept this far from 0 and 1, or the cost of a wrong one would
have no limit. Of 0.001, 0.01, 0.02, 0.05 and 0.1 the best for the last frame at the default scale."""

_CHUNK = 32


def frame_metrics(scores: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """frame_cross_entropy and mse of `scores` (n, T, pixels), logits, against `truth`, alike, in [0, 1].

    Both are sums over the pixels of a frame, averaged over frames, as the literature gives them.
    frame_cross_entropy is in nats: softplus(s) - s y, the negative log-likelihood of independent Bernoulli
    pixels (Srivastava et al. 2015, section 4). mse is that of sigmoid(s).
    """
    entropy = squares = 0.0
    for start in range(0, len(scores), _CHUNK):
        s = scores[start : start + _CHUNK].astype(np.float64)
        y = truth[start : start + _CHUNK].astype(np.float64)
        entropy += float(np.sum(np.logaddexp(0, s) - s * y))
        squares += float(np.sum((sigmoid(s) - y) ** 2))
    frames = scores.shape[0] * scores.shape[1]
    return {"frame_cross_entropy": entropy / frames, "mse": squares / frames}


def free_forecasts(train: np.ndarray, inputs: np.ndarray, truth: np.ndarray) -> dict[str, dict[str, float]]:
    """Metrics of forecasts of `truth` (n, T, pixels) that cost nothing, and of the truth itself.

    last_frame    the frame before, `inputs` (n, T, pixels), that has not moved
    mean_frame    the mean of the training frames (m, pixels)
    true_entropy  the truth: pixels between 0 and 1 have an entropy that no forecast can go below
    """
    mean = train.mean(axis=0, dtype=np.float64)
    return {
        "last_frame": frame_metrics(_logits(inputs, CLIP), truth),
        "mean_frame": frame_metrics(np.broadcast_to(_logits(mean, CLIP), truth.shape), truth),
        "true_entropy": frame_metrics(_logits(truth, 1e-6), truth),
    }


def sigmoid(scores: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-s)), without overflow."""
    shares: np.ndarray = 0.5 * (1 + np.tanh(0.5 * scores))
    return shares


def _logits(shares: np.ndarray, clip: float) -> np.ndarray:
    kept = np.clip(shares, clip, 1 - clip)
    scores: np.ndarray = np.log(kept) - np.log1p(-kept)
    return scores
