"""CTC's two decodings of scores by step (Graves et al. 2006, section 3.2): best path and prefix beam."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from benchsuite.spec import BLANK


def best_path(scores: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """The likeliest class of every step, repeats joined, blanks taken out.

    :param scores: (B, T, C) logits. :param lengths: (B,). :returns: (B, T) int32 labels, zero after the last.
    """
    path = scores.argmax(axis=2)
    path[np.arange(path.shape[1]) >= lengths[:, None]] = BLANK
    before = np.concatenate([np.full_like(path[:, :1], BLANK), path[:, :-1]], axis=1)
    kept = (path != BLANK) & (path != before)
    found = np.zeros(path.shape, np.int32)
    rows, steps = np.nonzero(kept)
    found[rows, np.cumsum(kept, axis=1)[rows, steps] - 1] = path[rows, steps]
    return found


def prefix_beam(scores: np.ndarray, lengths: np.ndarray, width: int) -> np.ndarray:
    """The likeliest labelling, summed over its alignments, among the `width` likeliest prefixes at each step
    (Graves 2012, section 7.5; Hannun et al. 2014, algorithm 1 without a language model).

    Shapes as in best_path().
    """
    found = np.zeros(scores.shape[:2], np.int32)
    for row, length in enumerate(lengths):
        labels = _prefix_beam(_log_softmax(scores[row, :length].astype(np.float64)), width)
        found[row, : len(labels)] = labels
    return found


def _log_softmax(scores: np.ndarray) -> np.ndarray:
    shifted: np.ndarray = scores - scores.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _prefix_beam(log_p: np.ndarray, width: int) -> tuple[int, ...]:
    """`beam` holds, for each prefix, ln p of its alignments that end in a blank and of those that do not."""
    nothing = float("-inf")
    beam: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, nothing)}
    for step in log_p:
        # a class that is not among a step's likeliest cannot enter the beam by more than one of its prefixes
        likely = np.argsort(-step, kind="stable")[: width + 1]
        after: defaultdict[tuple[int, ...], list[float]] = defaultdict(lambda: [nothing, nothing])
        for prefix, (blank, label) in beam.items():
            both = np.logaddexp(blank, label)
            stays = after[prefix]
            stays[0] = np.logaddexp(stays[0], both + step[BLANK])
            if prefix:
                stays[1] = np.logaddexp(stays[1], label + step[prefix[-1]])
            for symbol in likely:
                if symbol == BLANK:
                    continue
                grown = after[(*prefix, int(symbol))]
                # a repeated label needs a blank between the two
                source = blank if prefix and symbol == prefix[-1] else both
                grown[1] = np.logaddexp(grown[1], source + step[symbol])
        ranked = sorted(after.items(), key=lambda item: (-np.logaddexp(*item[1]), item[0]))[:width]
        beam = {prefix: (pair[0], pair[1]) for prefix, pair in ranked}
    return max(beam, key=lambda prefix: np.logaddexp(*beam[prefix]))
