"""ModelSpec: a small tree of frozen dataclasses that says what a model computes, in no framework's words."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

Readout = Literal["last", "mean", "steps"]
Loss = Literal["cross_entropy", "squared", "absolute"]


@dataclass(frozen=True)
class Features:
    """Real input of shape (B, T, size)."""

    size: int


@dataclass(frozen=True)
class Tokens:
    """Integer input of shape (B, T), ids in [0, vocabulary); row i of `embed.E` (V, E) stands for id i."""

    vocabulary: int
    embedding: int


@dataclass(frozen=True)
class Recurrent:
    """A stack of recurrent layers; a bidirectional layer's output is [forward; backward], 2 * hidden wide."""

    cell: str
    hidden: int
    layers: int = 1
    bidirectional: bool = False

    @property
    def directions(self) -> tuple[str, ...]:
        return ("fwd", "bwd") if self.bidirectional else ("fwd",)

    @property
    def output_size(self) -> int:
        return self.hidden * len(self.directions)


@dataclass(frozen=True)
class Convolutional:
    """The image baseline. The input (B, T, D) is read as a (B, height, width, 1) picture, row-major.

    For every entry of `channels`: convolution kernel x kernel, stride 1, zero padding to the same size,
    tanh, then the mean over 2 x 2 windows of stride 2 (an odd last row or column is dropped). Then the
    features are flattened in (height, width, channel) order into one dense layer of `hidden` with tanh.
    tanh and mean pooling are those of LeNet-5 (LeCun et al. 1998); they have no kinks and no ties, so
    parity holds to the last digits.
    """

    height: int
    width: int
    channels: tuple[int, ...] = (8, 16)
    kernel: int = 3
    hidden: int = 64

    @property
    def flattened(self) -> int:
        height, width = self.height, self.width
        for _ in self.channels:
            height, width = height // 2, width // 2
        return height * width * self.channels[-1]

    @property
    def output_size(self) -> int:
        return self.hidden


@dataclass(frozen=True)
class Dense:
    """out = x W + b, W (F, outputs), b (outputs): parameters `out.W`, `out.b`."""

    outputs: int


@dataclass(frozen=True)
class Rbf:
    """The Euclidean output layer: out_j = sum_i (x_i - W_ij)^2, W (F, outputs): parameter `rbf.W`.

    Under cross-entropy the class scores are -out (LeCun et al. 1998, eq. 7); under a regression loss the
    prediction is out itself.
    """

    outputs: int


@dataclass(frozen=True)
class ModelSpec:
    """input -> body -> readout -> head -> loss.

    Targets: cross-entropy takes class ids, int32 (B,) or, with readout `steps`, (B, T); the regression
    losses take reals (B, outputs) or (B, T, outputs). A loss is the sum over valid entries over their count
    (regression: every output counts as an entry).
    """

    input: Features | Tokens
    body: Recurrent | Convolutional
    head: Dense | Rbf
    loss: Loss
    readout: Readout = "last"

    @property
    def input_size(self) -> int:
        """Width of what enters the body at one step."""
        return self.input.embedding if isinstance(self.input, Tokens) else self.input.size

    def as_dict(self) -> dict[str, Any]:
        """A JSON-ready tree; every node names its kind."""
        tree: dict[str, Any] = _tree(self)
        return tree


def _tree(node: Any) -> Any:
    if not dataclasses.is_dataclass(node):
        return list(node) if isinstance(node, tuple) else node
    fields = {field.name: _tree(getattr(node, field.name)) for field in dataclasses.fields(node)}
    return {"kind": type(node).__name__.lower(), **fields}
