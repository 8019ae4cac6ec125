"""To how many lengths batches are padded: what compiling for one more costs, against the padding that it saves.

One rule for all backends and machines, so that all of them see the same batches: its seconds are those of a
compiler (XLA) on an ordinary core, and decide nothing but how many zeros follow a sequence.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np

from benchsuite.contracts import Ragged, Split
from benchsuite.measure.batching import Batcher
from benchsuite.measure.flops import training_flops
from benchsuite.schema import ModelSpec

SHAPE_SECONDS = 1.5
"""What one more shape costs: compiling a training step and a prediction takes XLA 1.2 to 4 s for the models of
the matrix `quick`."""
STEP_SECONDS = 2e-5
"""The least that a padded time step of a batch costs, forwards and backwards, in all layers."""
FLOPS_PER_SECOND = 1e10
"""What large models compute on one core."""


def with_affordable_lengths(cut: Batcher, train: Split, model: ModelSpec, steps: int) -> Batcher:
    """`cut` with those of its boundaries that cost the least over a training of `steps` steps: the last one,
    and others as far as they save more seconds of padding than it takes to compile for them.

    How a batch is padded changes nothing that is learned, and which rows are in it does not depend on it.
    """
    last = len(cut.boundaries) - 1
    if last == 0 or steps == 0 or len(train) < cut.rows:
        return cut
    drawn = cut.drawn(train, seed=0, epoch=0)
    longest, targets = _longest(train, drawn)
    each = _step_seconds(cut, train, model, drawn) * steps / len(drawn)
    others = [kept for count in range(last + 1) for kept in combinations(range(last), count)]
    return min(
        (_subset(cut, (*kept, last)) for kept in others),
        key=lambda one: _seconds(one, longest, targets, each),
    )


def _subset(cut: Batcher, kept: tuple[int, ...]) -> Batcher:
    targets = tuple(cut.targets[place] for place in kept) if cut.targets else ()
    return replace(cut, boundaries=tuple(cut.boundaries[place] for place in kept), targets=targets)


def _longest(split: Split, drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """(batches,): the longest row of each batch; the longest target where these have lengths of their own."""
    rows = split.inputs.lengths[drawn].max(axis=1)
    if isinstance(split.targets, Ragged) and not split.aligned:
        return rows, split.targets.lengths[drawn].max(axis=1)
    return rows, None


def _step_seconds(cut: Batcher, split: Split, model: ModelSpec, drawn: np.ndarray) -> float:
    """What one padded time step of a batch takes."""
    batch = cut.batch(split, drawn[0])
    times = int(batch.lengths.max())
    if batch.target_lengths is not None:
        times += int(batch.target_lengths.max())
    return max(STEP_SECONDS, training_flops(model, batch) / times / FLOPS_PER_SECOND)


def _seconds(cut: Batcher, longest: np.ndarray, targets: np.ndarray | None, each: float) -> float:
    """Seconds of compiling and of all padded time steps.

    :param each: seconds of a padded time step of one of the batches, over the whole training.
    """
    places = cut.places(longest, targets)
    padded = int(np.asarray(cut.boundaries)[places].sum())
    if cut.targets:
        padded += int(np.asarray(cut.targets)[places].sum())
    return len(cut.boundaries) * SHAPE_SECONDS + padded * each
