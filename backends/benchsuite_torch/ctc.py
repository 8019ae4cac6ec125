"""Connectionist temporal classification (Graves et al. 2006), by torch's own loss."""

from __future__ import annotations

import torch
from torch.nn import functional

from benchsuite.schema import BLANK
from benchsuite_torch.placement import PlacedBatch


def ctc_loss(scores: torch.Tensor, placed: PlacedBatch) -> torch.Tensor:
    """Mean over rows of -ln p(labels | scores[:length]), scores (steps * B, O).

    torch's own mean divides each row by its number of labels first, which is another loss. The paths are summed
    in double precision: the logarithms of a long row's single ones keep four digits of their differences.
    """
    assert placed.target_rows is not None
    rows = placed.rows
    log_p = scores.double().log_softmax(1).view(rows.steps, rows.batch, -1)
    lengths = rows.lengths, placed.target_rows.lengths
    losses = functional.ctc_loss(log_p, placed.targets, *lengths, blank=BLANK, reduction="none")
    return losses.mean().to(scores.dtype)
