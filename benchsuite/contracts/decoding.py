"""Decoding: what a program with a decoder answers while the core searches for the sequence it generates."""

from __future__ import annotations

import abc
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Advance:
    """What one step of generation says of N hypotheses.

    log_probabilities  (N, k) float64, ln p of the k likeliest next tokens, the likeliest first
    tokens             (N, k) int32, which they are
    alignment          (N, T): the step's attention on the inputs, zero on padding, T the batch's padded length;
                       None where not asked for or where the model has no attention
    """

    log_probabilities: np.ndarray
    tokens: np.ndarray
    alignment: np.ndarray | None = None


class Decoding(abc.ABC):
    """A decoder generating over one batch of B rows, `width` hypotheses a row: hypothesis i of row r is
    number r * width + i, N = B * width in all. The encoder has run; nothing is generated yet."""

    @abc.abstractmethod
    def advance(self, tokens: np.ndarray, parents: np.ndarray, k: int) -> Advance:
        """Go on by one token.

        :param tokens: (N,) int32, the latest token of each hypothesis (`start` at first).
        :param parents: (N,) int64, which hypothesis of the step before each one continues; never one of
            another row.
        :param k: how many next tokens are wanted for each.
        """
