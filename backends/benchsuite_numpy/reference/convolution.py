"""The image baseline: [convolution, tanh, 2 x 2 mean] a channel count, then a dense tanh layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchsuite.contracts.backend import Parameters
from benchsuite.schema import Convolutional


@dataclass(frozen=True)
class StageRun:
    """One stage after its forward pass: its input and its activation before pooling, (B, h, w, channels)."""

    inputs: np.ndarray
    activation: np.ndarray


@dataclass(frozen=True)
class ConvolutionRun:
    """The body after its forward pass: stages, flattened features (B, F) and dense outputs (B, hidden)."""

    stages: list[StageRun]
    flat: np.ndarray
    outputs: np.ndarray


def convolve(x: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """y[b, i, j] = sum over (u, v) of x[b, i + u - p, j + v - p] @ kernel[u, v], zero outside the picture.

    x (B, h, w, in), kernel (k, k, in, out); p = (k - 1) // 2, so an even kernel reaches right and down.
    """
    size = kernel.shape[0]
    padded = _pad(x, size)
    height, width = x.shape[1:3]
    y = np.zeros((*x.shape[:3], kernel.shape[3]), x.dtype)
    for u in range(size):
        for v in range(size):
            y += padded[:, u : u + height, v : v + width] @ kernel[u, v]
    return y


def convolve_back(x: np.ndarray, kernel: np.ndarray, dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """dL/dx and dL/dkernel of convolve(x, kernel) from dL/dy."""
    size = kernel.shape[0]
    padded = _pad(x, size)
    height, width = x.shape[1:3]
    d_padded, d_kernel = np.zeros_like(padded), np.zeros_like(kernel)
    for u in range(size):
        for v in range(size):
            d_padded[:, u : u + height, v : v + width] += dy @ kernel[u, v].T
            d_kernel[u, v] = np.einsum("bijc,bijd->cd", padded[:, u : u + height, v : v + width], dy)
    before = (size - 1) // 2
    return d_padded[:, before : before + height, before : before + width], d_kernel


def _pad(x: np.ndarray, size: int) -> np.ndarray:
    edges = ((size - 1) // 2, size // 2)
    return np.pad(x, ((0, 0), edges, edges, (0, 0)))


def mean_pool(x: np.ndarray) -> np.ndarray:
    """Means of the 2 x 2 windows of x (B, h, w, c); an odd last row or column is dropped."""
    height, width = x.shape[1] // 2 * 2, x.shape[2] // 2 * 2
    x = x[:, :height, :width]
    windows = x.reshape(len(x), height // 2, 2, width // 2, 2, x.shape[3])
    pooled: np.ndarray = windows.mean(axis=(2, 4))
    return pooled


def mean_pool_back(dy: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """dL/dx (of `shape`) of mean_pool(x) from dL/dy."""
    dx = np.zeros(shape, dy.dtype)
    height, width = shape[1] // 2 * 2, shape[2] // 2 * 2
    dx[:, :height, :width] = np.repeat(np.repeat(dy, 2, axis=1), 2, axis=2) / 4
    return dx


def convolution_forward(
    body: Convolutional, parameters: Mapping[str, np.ndarray], inputs: np.ndarray
) -> ConvolutionRun:
    """inputs (B, T, D) read as pictures (B, height, width, 1), row-major."""
    x = inputs.reshape(len(inputs), body.height, body.width, 1)
    stages = []
    for index in range(len(body.channels)):
        kernel, bias = parameters[f"cnn.c{index}.W"], parameters[f"cnn.c{index}.b"]
        stages.append(StageRun(x, np.tanh(convolve(x, kernel) + bias)))
        x = mean_pool(stages[-1].activation)
    flat = x.reshape(len(x), -1)
    outputs = np.tanh(flat @ parameters["cnn.dense.W"] + parameters["cnn.dense.b"])
    return ConvolutionRun(stages, flat, outputs)


def convolution_backward(
    parameters: Mapping[str, np.ndarray], run: ConvolutionRun, d_outputs: np.ndarray
) -> Parameters:
    """Gradients by canonical name from dL/d(outputs) (B, hidden)."""
    da = d_outputs * (1 - run.outputs**2)
    gradients = {"cnn.dense.W": run.flat.T @ da, "cnn.dense.b": da.sum(0)}
    last = run.stages[-1].activation.shape
    dx = (da @ parameters["cnn.dense.W"].T).reshape(last[0], last[1] // 2, last[2] // 2, last[3])
    for index in reversed(range(len(run.stages))):
        stage = run.stages[index]
        dy = mean_pool_back(dx, stage.activation.shape) * (1 - stage.activation**2)
        dx, gradients[f"cnn.c{index}.W"] = convolve_back(stage.inputs, parameters[f"cnn.c{index}.W"], dy)
        gradients[f"cnn.c{index}.b"] = dy.sum((0, 1, 2))
    return gradients
