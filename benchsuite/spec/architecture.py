"""From an architecture's name to the recurrent stack it stands for."""

from __future__ import annotations

from benchsuite.errors import UnsupportedError
from benchsuite.spec.model import Recurrent
from benchsuite.spec.trial import Size

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
