"""ModelSpec: a small tree of frozen dataclasses that says what a model computes, in no framework's words.

Each value is checked where it is made: ContractError for a name that is not in schema.names, a size below 1,
or a part of another type. What cannot be combined is contracts.checks.model_problem's to say.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral
from typing import Any, Literal

from benchsuite.errors import ContractError, unknown_name
from benchsuite.schema.cells import known_cells
from benchsuite.schema.names import ATTENTIONS, LOSSES, READOUTS

Readout = Literal["last", "mean", "steps"]
Loss = Literal["cross_entropy", "squared", "absolute", "binary_cross_entropy", "ctc"]
AttentionKind = Literal["none", "additive", "multiplicative"]

BLANK = 0
"""The class that CTC reads as "no label here"."""


def _known(kind: str, name: object, allowed: Iterable[str]) -> None:
    if not isinstance(name, str) or name not in allowed:
        raise ContractError(unknown_name(kind, str(name), allowed))


def _positive(node: object, *names: str) -> None:
    for name in names:
        value = getattr(node, name)
        if not isinstance(value, Integral) or value < 1:
            raise ContractError(f"{type(node).__name__}: {name} is {value!r}, must be a whole number from 1")


def _one_of(node: object, name: str, *types: type) -> None:
    value = getattr(node, name)
    if not isinstance(value, types):
        allowed = " or ".join(each.__name__ for each in types)
        raise ContractError(f"{type(node).__name__}: {name} is {value!r}, must be {allowed}")


@dataclass(frozen=True)
class Features:
    """Real input of shape (B, T, size)."""

    size: int

    def __post_init__(self) -> None:
        _positive(self, "size")


@dataclass(frozen=True)
class Tokens:
    """Integer input of shape (B, T), ids in [0, vocabulary); id i is row i of `embed.E` (V, E)."""

    vocabulary: int
    embedding: int

    def __post_init__(self) -> None:
        _positive(self, "vocabulary", "embedding")


@dataclass(frozen=True)
class Recurrent:
    """A stack of recurrent layers; a bidirectional layer's output is [forward; backward], 2 * hidden wide."""

    cell: str
    hidden: int
    layers: int = 1
    bidirectional: bool = False

    def __post_init__(self) -> None:
        _known("cell", self.cell, known_cells())
        _positive(self, "hidden", "layers")

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

    def __post_init__(self) -> None:
        _positive(self, "height", "width", "kernel", "hidden")
        if not self.channels or min(self.channels) < 1:
            raise ContractError(
                f"Convolutional: channels are {self.channels!r}, must be one or more whole numbers from 1"
            )

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
    """out = x W + b, W (F, outputs), b (outputs): parameters `out.W`, `out.b`.

    `tied`: W is the transpose of `embed.E` (Press and Wolf 2017; Inan et al. 2017), and there is no `out.W`.
    The gradient of `embed.E` is then that of both of its uses. It takes a model that reads the ids it scores,
    with an embedding as wide as what the layer reads, and no decoder.
    """

    outputs: int
    tied: bool = False

    def __post_init__(self) -> None:
        _positive(self, "outputs")
        _one_of(self, "tied", bool)


@dataclass(frozen=True)
class Rbf:
    """The Euclidean output layer: out_j = sum_i (x_i - W_ij)^2, W (F, outputs): parameter `rbf.W`.

    Under a regression loss the prediction is out itself; under the others (cross-entropy, binary
    cross-entropy, ctc) the scores are -out (LeCun et al. 1998, eq. 7).
    """

    outputs: int

    def __post_init__(self) -> None:
        _positive(self, "outputs")


@dataclass(frozen=True)
class Decoder:
    """Generates a target sequence, token by token, from what the encoder (the model's `body`) read.

    `body` is the decoder's own forward stack, H hidden units; V `vocabulary`, E `embedding`. With y_j the
    encoder's top outputs (F wide, j valid steps) and `last` their readout `last`:

        s_0 = tanh(last bridge.W + bridge.b), H columns for each layer; an LSTM's c_0 = 0
        u_t = target_embed.E[token before t]; the first one is `start`; s_t is the top layer's h

        none            (Sutskever et al. 2014)
                        input u_t;               scores s_t out.W + out.b
        additive        (Bahdanau et al. 2015)
                        e_tj = attn.v . tanh(s_{t-1} attn.Wq + y_j attn.Wk + attn.b)
                        input [u_t; context_t];  scores [s_t; context_t] out.W + out.b
        multiplicative  (Luong et al. 2015, "general"), after the recurrent step
                        e_tj = (s_t attn.W) . y_j
                        input u_t;               scores [s_t; context_t] out.W + out.b

        a_t = softmax of e_t over the valid j only; context_t = sum_j a_tj y_j; s_{t-1} is s_0 at t = 0

    In training the token before t is the target's (teacher forcing). `end` is the last token of every target;
    generation stops there, and at `limit` tokens at the latest.
    """

    vocabulary: int
    embedding: int
    body: Recurrent
    attention: AttentionKind
    limit: int
    start: int = 2
    end: int = 3

    def __post_init__(self) -> None:
        _one_of(self, "body", Recurrent)
        _known("attention", self.attention, ATTENTIONS)
        _positive(self, "vocabulary", "embedding", "limit")
        for name in ("start", "end"):
            if not 0 <= getattr(self, name) < self.vocabulary:
                raise ContractError(
                    f"Decoder: {name} is {getattr(self, name)!r}, must be an id in 0..{self.vocabulary - 1}"
                )


@dataclass(frozen=True)
class ModelSpec:
    """input -> body -> readout -> head -> loss; with a decoder, input -> body -> decoder -> head -> loss.

    Targets: cross-entropy takes class ids, int32 (B,) or, with readout `steps`, (B, T); the regression
    losses take reals (B, outputs) or (B, T, outputs), and binary cross-entropy such reals in [0, 1] against
    sigmoid(score). A loss is the sum over valid entries over their count (regression and binary
    cross-entropy: every output counts as an entry). The absolute value has no derivative at 0: where a
    prediction equals its target exactly, the gradient of `absolute` is the subgradient 0.

    Sequences of a length of their own, int32 ids (B, U): with a `decoder` (readout `last`, cross-entropy, a
    dense head over its vocabulary) scores are (B, U, V) and an entry is a target token. Under `ctc` (readout
    `steps`) scores are (B, T, outputs), class BLANK is the blank, and the loss is the mean over rows of
    -ln p(labels | scores) (Graves et al. 2006).

    With `resets` several sequences may lie one after the other in a row: a batch says at which steps every
    layer's state is set to its initial values before the step (Batch.resets).
    """

    input: Features | Tokens
    body: Recurrent | Convolutional
    head: Dense | Rbf
    loss: Loss
    readout: Readout = "last"
    decoder: Decoder | None = None
    resets: bool = False

    def __post_init__(self) -> None:
        _one_of(self, "input", Features, Tokens)
        _one_of(self, "body", Recurrent, Convolutional)
        _one_of(self, "head", Dense, Rbf)
        _one_of(self, "decoder", Decoder, type(None))
        _one_of(self, "resets", bool)
        _known("loss", self.loss, LOSSES)
        _known("readout", self.readout, READOUTS)

    @property
    def has_sequence_targets(self) -> bool:
        """Whether targets are sequences of a length of their own."""
        return self.decoder is not None or self.loss == "ctc"

    @property
    def head_inputs(self) -> int:
        """Width of what the head reads: the body's outputs, or the decoder's state and its context."""
        if self.decoder is None:
            return self.body.output_size
        context = 0 if self.decoder.attention == "none" else self.body.output_size
        return self.decoder.body.output_size + context

    @property
    def input_size(self) -> int:
        """Width of what enters the body at one step."""
        return self.input.embedding if isinstance(self.input, Tokens) else self.input.size

    def as_dict(self) -> dict[str, Any]:
        """A JSON-ready tree; every node names its kind. `resets` and `tied` are in it where they are true."""
        tree: dict[str, Any] = _tree(self)
        if not self.resets:  # trees of models without resets are as they were before there were any
            del tree["resets"]
        if not tree["head"].get("tied", True):
            del tree["head"]["tied"]
        return tree


def _tree(node: Any) -> Any:
    if not dataclasses.is_dataclass(node):
        return list(node) if isinstance(node, tuple) else node
    fields = {field.name: _tree(getattr(node, field.name)) for field in dataclasses.fields(node)}
    return {"kind": type(node).__name__.lower(), **fields}
