"""CTC's two decodings of scores by step (Graves et al. 2006, section 3.2): best path and prefix beam."""

from __future__ import annotations

import math

import numpy as np

from benchsuite.schema import BLANK

LOG_ZERO = -math.inf
"""ln 0."""

Prefix = tuple[int, ...]


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
    log_p: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return log_p


def _prefix_beam(log_p: np.ndarray, width: int) -> Prefix:
    """`beam` holds, for each prefix, ln p of its alignments that end in a blank and of those that do not."""
    beam: dict[Prefix, tuple[float, float]] = {(): (0.0, LOG_ZERO)}
    for step in log_p:
        # Of any prefix's continuations, those by the `width` + 1 likeliest classes (the blank may be one, a
        # repeat another) leave no place in the beam for one by a further class, unless it is there already.
        likely = [int(symbol) for symbol in np.argsort(-step, kind="stable")[: width + 1]]
        growing = {prefix: {symbol for symbol in likely if symbol != BLANK} for prefix in beam}
        for prefix in beam:
            if prefix[:-1] in growing and prefix:
                growing[prefix[:-1]].add(prefix[-1])
        beam = _likeliest(_continued(beam, growing, step.tolist()), width)
    return max(beam, key=lambda prefix: _log_sum(*beam[prefix]))


def _continued(
    beam: dict[Prefix, tuple[float, float]], growing: dict[Prefix, set[int]], step: list[float]
) -> dict[Prefix, tuple[float, float]]:
    """Every prefix after one more step, in which it stays or grows by one of the classes `growing` names."""
    after: dict[Prefix, tuple[float, float]] = {}
    for prefix, (blank, label) in beam.items():
        both = _log_sum(blank, label)
        in_blank, in_label = after.get(prefix, (LOG_ZERO, LOG_ZERO))
        repeated = label + step[prefix[-1]] if prefix else LOG_ZERO
        after[prefix] = _log_sum(in_blank, both + step[BLANK]), _log_sum(in_label, repeated)
        for symbol in growing[prefix]:
            # a repeated label needs a blank between the two
            source = blank if prefix and symbol == prefix[-1] else both
            grown = (*prefix, symbol)
            in_blank, in_label = after.get(grown, (LOG_ZERO, LOG_ZERO))
            after[grown] = in_blank, _log_sum(in_label, source + step[symbol])
    return after


def _likeliest(prefixes: dict[Prefix, tuple[float, float]], width: int) -> dict[Prefix, tuple[float, float]]:
    ranked = sorted(prefixes.items(), key=lambda item: (-_log_sum(*item[1]), item[0]))
    return dict(ranked[:width])


def _log_sum(a: float, b: float) -> float:
    """ln(e^a + e^b)."""
    high, low = (a, b) if a > b else (b, a)
    return high if low == LOG_ZERO else high + math.log1p(math.exp(low - high))
