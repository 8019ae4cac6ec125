"""From the body's outputs to the loss and back: readout, output layer, loss."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchsuite.contracts.backend import Parameters
from benchsuite.errors import ContractError
from benchsuite.schema import Dense, ModelSpec, Rbf
from benchsuite_numpy.reference.cells import sigmoid

REGRESSION = ("squared", "absolute")
"""Losses whose scores are forecasts; under the others they are those of classes."""


def read(model: ModelSpec, outputs: np.ndarray, lengths: np.ndarray, hidden: int) -> np.ndarray:
    """Apply the readout to outputs (B, T, F): (B, F), or (B, T, F) for `steps`.

    `last` takes a row's forward half (the first `hidden` columns) at its last valid step and its backward
    half at step 0. The outputs are zero on padding, so `mean` is their sum over the length.
    """
    if model.readout == "steps":
        return outputs
    if model.readout == "mean":
        mean: np.ndarray = outputs.sum(axis=1) / lengths[:, None].astype(outputs.dtype)
        return mean
    if model.readout != "last":
        raise ContractError(f"the reference has no readout {model.readout!r}")
    rows = np.arange(len(outputs))
    return np.concatenate([outputs[rows, lengths - 1, :hidden], outputs[:, 0, hidden:]], axis=1)


def read_back(
    model: ModelSpec, d_read: np.ndarray, shape: tuple[int, ...], lengths: np.ndarray, hidden: int
) -> np.ndarray:
    """dL/d(outputs) of `shape` (B, T, F); entries on padding carry no meaning and are masked later."""
    if model.readout == "steps":
        return d_read
    d_outputs = np.zeros(shape, d_read.dtype)
    if model.readout == "mean":
        d_outputs += (d_read / lengths[:, None].astype(d_read.dtype))[:, None, :]
        return d_outputs
    if model.readout != "last":
        raise ContractError(f"the reference has no readout {model.readout!r}")
    rows = np.arange(shape[0])
    d_outputs[rows, lengths - 1, :hidden] = d_read[:, :hidden]
    d_outputs[:, 0, hidden:] = d_read[:, hidden:]
    return d_outputs


def score(model: ModelSpec, parameters: Mapping[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """Scores (..., O) of features x (..., F): what predict() returns and the loss reads."""
    if isinstance(model.head, Rbf):
        distance: np.ndarray = ((x[..., :, None] - parameters["rbf.W"]) ** 2).sum(axis=-2)
        return distance if model.loss in REGRESSION else -distance
    out: np.ndarray = x @ _matrix(model.head, parameters) + parameters["out.b"]
    return out


def _matrix(head: Dense, parameters: Mapping[str, np.ndarray]) -> np.ndarray:
    """W (F, O) of a dense layer."""
    return parameters["embed.E"].T if head.tied else parameters["out.W"]


def score_back(
    model: ModelSpec, parameters: Mapping[str, np.ndarray], x: np.ndarray, d_scores: np.ndarray
) -> tuple[np.ndarray, Parameters]:
    """dL/dx and the head's gradients from dL/d(scores)."""
    flat, d_flat = x.reshape(-1, x.shape[-1]), d_scores.reshape(-1, d_scores.shape[-1])
    if isinstance(model.head, Rbf):
        sign = 1 if model.loss in REGRESSION else -1
        difference = 2 * sign * (flat[:, :, None] - parameters["rbf.W"]) * d_flat[:, None, :]
        return difference.sum(axis=2).reshape(x.shape), {"rbf.W": -difference.sum(axis=0)}
    gradients = {"out.b": d_flat.sum(0)}
    gradients |= {"embed.E": d_flat.T @ flat} if model.head.tied else {"out.W": flat.T @ d_flat}
    return d_scores @ _matrix(model.head, parameters).T, gradients


def loss(
    model: ModelSpec, scores: np.ndarray, targets: np.ndarray, valid: np.ndarray, smoothing: float = 0.0
) -> tuple[float, np.ndarray]:
    """The loss and dL/d(scores), zero where `valid` ((B,), (B, T) or (B, U)) is false; `ctc` is elsewhere.

    The sum over valid entries over their count. Cross-entropy is taken of softmax(scores), binary
    cross-entropy of sigmoid(scores): -y ln p - (1 - y) ln(1 - p) = softplus(s) - s y. Where a prediction equals
    its target, the absolute error's subgradient is 0.

    :param smoothing: under cross-entropy, the share of a target that is spread over all classes.
    """
    if model.loss == "cross_entropy":
        shifted = scores - scores.max(axis=-1, keepdims=True)
        log_p = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        classes = targets[..., None]
        wanted = np.full_like(scores, smoothing / scores.shape[-1])
        np.put_along_axis(wanted, classes, wanted[..., :1] + (1 - smoothing), -1)
        terms, grads, count = -(wanted * log_p).sum(axis=-1), np.exp(log_p) - wanted, valid.sum()
    else:
        reals = targets.astype(scores.dtype)
        error, count = scores - reals, valid.sum() * scores.shape[-1]
        if model.loss == "binary_cross_entropy":
            terms, grads = (np.logaddexp(0, scores) - scores * reals).sum(axis=-1), sigmoid(scores) - reals
        elif model.loss == "squared":
            terms, grads = (error**2).sum(axis=-1), 2 * error
        elif model.loss == "absolute":
            terms, grads = np.abs(error).sum(axis=-1), np.sign(error)
        else:
            raise ContractError(f"loss {model.loss!r} is none of this function's")
    count = scores.dtype.type(count)
    return float(np.where(valid, terms, 0).sum() / count), np.where(valid[..., None], grads, 0) / count
