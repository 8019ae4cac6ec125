"""How a decoder attends to the encoder's outputs: additive (Bahdanau et al. 2015), multiplicative (Luong et al.
2015, "general").

The loops written by hand use tanh(x) = 2 sigmoid(2 x) - 1, so that e = v . tanh(q + k) = 2 v . sigmoid(2 q +
2 k) - sum(v). Softmax does not see the constant, a factor of two is exact, and torch's sigmoid takes an
eighth of the time of its tanh on a CPU. The rounding error of sigmoid near zero, 3e-8, is one of e, where it
is no more than the rounding of softmax itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch


def masked_softmax(scores: torch.Tensor, score_mask: torch.Tensor | None) -> torch.Tensor:
    """Softmax over the last dimension; `score_mask` holds zero, or minus infinity where nothing may be attended
    to. None: nothing is masked."""
    return (scores if score_mask is None else scores + score_mask).softmax(-1)


@dataclass(frozen=True)
class AdditiveAttention:
    """The tensors of an additive attention over B rows of T steps, for loops that autograd does not record.

    memory      (B, T, F): what is attended to
    keys2       (B, T, A), or (B, 1, T, A) for several queries per row: twice its keys
    score_mask  (B, T), or (B, 1, T): zero on valid steps, minus infinity on padding; None where all are valid
    v2          (A,): twice attn.v
    """

    memory: torch.Tensor
    keys2: torch.Tensor
    score_mask: torch.Tensor | None
    v2: torch.Tensor

    def activations(self, queries2: torch.Tensor, out: torch.Tensor | None = None) -> torch.Tensor:
        """sigmoid(2 q + 2 k) (B, ..., T, A) for doubled queries (B, ..., 1, A)."""
        return torch.add(self.keys2, queries2, out=out).sigmoid_()

    def weights(self, activations: torch.Tensor) -> torch.Tensor:
        """The attention's weights (..., T) for activations (..., T, A)."""
        scores = activations @ self.v2
        return (scores if self.score_mask is None else scores.add_(self.score_mask)).softmax(-1)


def additive(
    queries: torch.Tensor,
    memory: torch.Tensor,
    keys: torch.Tensor,
    v: torch.Tensor,
    score_mask: torch.Tensor | None,
) -> torch.Tensor:
    """context (B, F) for queries (B, A) on memory (B, T, F) with keys (B, T, A); `score_mask` (B, T). Plain
    torch, for autograd to record."""
    weights = masked_softmax(torch.tanh(queries[:, None] + keys) @ v, score_mask)
    return torch.bmm(weights[:, None], memory)[:, 0]


def multiplicative(
    queries: torch.Tensor, memory: torch.Tensor, score_mask: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """context (B, U, F) and weights (B, U, T) for queries s attn.W (B, U, F) on memory (B, T, F); `score_mask`
    (B, 1, T)."""
    weights = masked_softmax(torch.bmm(queries, memory.transpose(1, 2)), score_mask)
    return torch.bmm(weights, memory), weights
