"""Two recurrent cells, found by their entry point."""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite import hookimpl
from benchsuite.contracts import CellEntry
from benchsuite_example_cells.leaky_rnn import LEAKY_RNN
from benchsuite_example_cells.mgu import MGU


@hookimpl
def benchsuite_register_cells() -> Iterable[CellEntry]:
    return [LEAKY_RNN, MGU]
