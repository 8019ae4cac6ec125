"""From an architecture's name to the recurrent stack it stands for."""

from __future__ import annotations

from benchsuite.errors import UnsupportedError
from benchsuite.schema.model import AttentionKind, Decoder, Dense, Features, ModelSpec, Recurrent, Tokens
from benchsuite.schema.trial import Size

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
            f"architecture {architecture!r} writes no sequence; those that do are: encoder_decoder, attention"
        )
    kind = attention if architecture == "attention" else "none"
    writer = Recurrent(cell, size.hidden, size.layers)
    return ModelSpec(
        input=source,
        body=Recurrent(cell, size.hidden, size.layers, bidirectional),
        head=Dense(vocabulary),
        loss="cross_entropy",
        decoder=Decoder(vocabulary, size.embedding, writer, kind, limit),
    )
