"""From an architecture's name to the model it names."""

from __future__ import annotations

from dataclasses import replace

from benchsuite.errors import UnknownNameError, UnsupportedError
from benchsuite.schema.cells import known_cells
from benchsuite.schema.model import (
    AttentionKind,
    Convolutional,
    Decoder,
    Dense,
    Features,
    ModelSpec,
    Recurrent,
    Tokens,
)
from benchsuite.schema.names import ARCHITECTURES
from benchsuite.schema.trial import Size, Trial

_STACKS = {
    "plain": (False, False),
    "deep": (True, False),
    "bidirectional": (False, True),
    "deep_bidirectional": (True, True),
}


def recurrent_body(architecture: str, cell: str, size: Size) -> Recurrent:
    """The stack that `architecture` names: deep ones have size.layers layers, the others one.

    Raises UnsupportedError for an architecture that is no plain stack.
    """
    if architecture not in _STACKS:
        known = ", ".join(_STACKS)
        raise UnsupportedError(f"architecture {architecture!r} is no recurrent stack; those are: {known}")
    deep, bidirectional = _STACKS[architecture]
    return Recurrent(cell, size.hidden, size.layers if deep else 1, bidirectional)


def architecture_of(model: ModelSpec) -> str:
    """The name in ARCHITECTURES of what `model` is: the inverse of the functions that build models."""
    if isinstance(model.body, Convolutional):
        return "cnn"
    if model.decoder is not None:
        return "encoder_decoder" if model.decoder.attention == "none" else "attention"
    stack = (model.body.layers > 1, model.body.bidirectional)
    return next(name for name, kind in _STACKS.items() if kind == stack)


def encoder_decoder(
    architecture: str,
    cell: str,
    size: Size,
    source: Tokens | Features,
    vocabulary: int,
    limit: int,
    attention: AttentionKind = "additive",
    bidirectional: bool = False,
) -> ModelSpec:
    """The model that `encoder_decoder` and `attention` name: encoder and decoder of size.layers layers each.

    :param source: what the encoder reads. :param vocabulary: target ids. :param limit: most tokens generated.
    :param attention: which score, for the architecture `attention`. :param bidirectional: the encoder is.

    Raises UnsupportedError for another architecture.
    """
    if architecture not in ("encoder_decoder", "attention"):
        raise UnsupportedError(
            f"architecture {architecture!r} has no decoder; those that have: encoder_decoder, attention"
        )
    kind = attention if architecture == "attention" else "none"
    return ModelSpec(
        input=source,
        body=Recurrent(cell, size.hidden, size.layers, bidirectional),
        head=Dense(vocabulary),
        loss="cross_entropy",
        decoder=Decoder(vocabulary, size.embedding, Recurrent(cell, size.hidden, size.layers), kind, limit),
    )


def with_tied_embeddings(model: ModelSpec) -> ModelSpec:
    """`model` with an output layer that shares the embedding's matrix; what cannot be shared is for
    contracts.checks.model_problem() to say.

    Raises UnsupportedError for a model whose output layer is not dense.
    """
    if not isinstance(model.head, Dense):
        raise UnsupportedError(
            "size.tied needs a dense output layer; this model has another: set it to false"
        )
    return replace(model, head=replace(model.head, tied=True))


PLANNED_VOCABULARY = 4
"""Ids 0 to 3: the least vocabulary that has a decoder's start and end."""


def planned_model(trial: Trial, resets: bool = False) -> ModelSpec:
    """What is known of a trial's model while its data are not loaded: cell, layers, directions, decoder and
    attention are the trial's; sizes of input and output are 1 (a decoder's vocabulary: 4), the loss is
    cross-entropy. A backend is asked with it whether it supports a trial, and again with the real model.

    :param resets: whether the trial's rows hold several sequences each (TaskEntry.has_resets).

    Raises UnknownNameError for a cell that is not known, or an architecture that is not in schema.names.
    """
    architecture = trial.architecture
    if architecture not in ARCHITECTURES:
        raise UnknownNameError("architecture", architecture, ARCHITECTURES)
    if architecture != "cnn" and trial.cell not in known_cells():
        raise UnknownNameError("cell", trial.cell, known_cells())
    return replace(_planned(trial), resets=resets)


def _planned(trial: Trial) -> ModelSpec:
    architecture, size = trial.architecture, trial.size
    if architecture == "cnn":
        return ModelSpec(Features(1), Convolutional(4, 4), Dense(1), "cross_entropy")
    if architecture in _STACKS:
        return ModelSpec(
            Features(1), recurrent_body(architecture, trial.cell, size), Dense(1), "cross_entropy"
        )
    return encoder_decoder(architecture, trial.cell, size, Features(1), PLANNED_VOCABULARY, limit=1)
