"""The recurrent kernels: one direction of one layer over time, one file a cell."""

from __future__ import annotations

from benchsuite_numpy.cells.base import Kernel
from benchsuite_numpy.cells.gru import Gru
from benchsuite_numpy.cells.lstm import Lstm
from benchsuite_numpy.cells.rnn import Rnn

KERNELS: dict[str, type[Kernel]] = {"rnn": Rnn, "lstm": Lstm, "gru": Gru}

__all__ = ["KERNELS", "Gru", "Kernel", "Lstm", "Rnn"]
