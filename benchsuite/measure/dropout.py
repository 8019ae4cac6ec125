"""The masks of dropout: drawn here, so that every backend drops the same units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchsuite.contracts import Batch
from benchsuite.measure.initialisation import stream
from benchsuite.schema import ModelSpec, Recipe, mask_widths


def with_masks(batch: Batch, model: ModelSpec, recipe: Recipe, seed: int, step: int, dtype: str) -> Batch:
    """`batch` with the masks of optimiser step number `step`, from 1; unchanged without dropout.

    A mask's numbers depend on seed, step, its name and its shape alone: (B, units), 0 with probability p and
    1 / (1 - p) else (inverted dropout, Srivastava et al. 2014, section 10). All steps of a row share a mask, as
    in the variational dropout of Gal and Ghahramani (2016).
    """
    widths = mask_widths(model, recipe)
    if not widths:
        return batch
    masks = {}
    for name, (share, width) in widths.items():
        drawn = stream(seed, f"dropout/{step}/{name}").random((batch.size, width))
        masks[name] = np.where(drawn < share, 0.0, 1 / (1 - share)).astype(dtype)
    return replace(batch, masks=masks)
