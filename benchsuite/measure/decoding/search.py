"""Greedy and beam search: what a decoder generates, token by token, until its END or its limit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchsuite.contracts import Program
from benchsuite.schema import Decoder


@dataclass(frozen=True)
class Generated:
    """What was generated for B rows.

    tokens     (B, L) int32, L = decoder.limit: each row up to its END, END included, zero beyond
    ended      (B,): whether the END was generated within the limit
    score      (B,) float64: ln p of the row's tokens over their count
    alignment  (B, L, T): attention of each generated token on the inputs, zero beyond the row's tokens; None
               where it was not asked for or there is none
    """

    tokens: np.ndarray
    ended: np.ndarray
    score: np.ndarray
    alignment: np.ndarray | None = None


def greedy_search(
    program: Program, placed: object, decoder: Decoder, rows: int, aligned: bool = False
) -> Generated:
    """The likeliest token each time.

    :param placed: a batch of `rows` rows, as Program.place() returned it. :param aligned: keep the attention.
    """
    decoding = program.decoding(placed, 1, aligned)
    tokens = np.zeros((rows, decoder.limit), np.int32)
    latest, parents = np.full(rows, decoder.start, np.int32), np.arange(rows)
    ended, total, length = np.zeros(rows, bool), np.zeros(rows), np.zeros(rows, np.int64)
    attention: list[np.ndarray] = []
    for step in range(decoder.limit):
        found = decoding.advance(latest, parents, 1)
        latest = found.tokens[:, 0].astype(np.int32)
        live = ~ended
        tokens[live, step] = latest[live]
        total[live] += found.log_probabilities[live, 0]
        length[live] += 1
        if found.alignment is not None:
            attention.append(np.where(live[:, None], found.alignment, 0.0))
        ended |= latest == decoder.end
        if ended.all():
            break
    return Generated(tokens, ended, total / length, _stacked(attention, decoder.limit))


def _stacked(steps: list[np.ndarray], limit: int) -> np.ndarray | None:
    if not steps:
        return None
    found = np.zeros((len(steps[0]), limit, steps[0].shape[1]), steps[0].dtype)
    for step, attention in enumerate(steps):
        found[:, step] = attention
    return found


def beam_search(
    program: Program, placed: object, decoder: Decoder, rows: int, width: int, aligned: bool = False
) -> Generated:
    """The `width` likeliest beginnings are kept at every step; of those that ended, the one with the best
    mean ln p by token wins (length-normalised: without it, short sequences always would).

    A row is done when `width` of its hypotheses have ended, or when no living one can still do better: its
    mean can only rise to its total over the limit. Rows in which none ended give their best living one.
    """
    count, limit = rows * width, decoder.limit
    decoding = program.decoding(placed, width, aligned)
    # at first all hypotheses of a row are the same beginning: one of them may be continued
    total = np.where(np.arange(count) % width == 0, 0.0, -np.inf)
    tokens = np.zeros((count, limit), np.int32)
    latest, parents = np.full(count, decoder.start, np.int32), np.arange(count)
    best = Generated(np.zeros((rows, limit), np.int32), np.zeros(rows, bool), np.full(rows, -np.inf))
    finished, attention, best_attention = np.zeros(rows, np.int64), None, None
    for step in range(limit):
        found = decoding.advance(latest, parents, width + 1)
        if found.alignment is not None:
            if attention is None:
                attention = np.zeros((count, limit, found.alignment.shape[1]), found.alignment.dtype)
                best_attention = np.zeros((rows, *attention.shape[1:]), attention.dtype)
            attention[:, step] = found.alignment
        # of each row, every continuation of every hypothesis: (rows, width * wide)
        wide = found.tokens.shape[1]
        scores = (total[:, None] + found.log_probabilities).reshape(rows, width * wide)
        ends = (found.tokens == decoder.end).reshape(rows, width * wide)
        ended = _ended(scores, ends, finished, width)
        _keep(best, best_attention, ended, scores / (step + 1), tokens, attention, step, decoder.end)
        going = np.where(ends, -np.inf, scores)
        chosen = np.argsort(-going, axis=1, kind="stable")[:, :width]
        total = np.take_along_axis(going, chosen, axis=1).ravel()
        parents = (np.arange(rows)[:, None] * width + chosen // wide).ravel()
        latest = np.take_along_axis(found.tokens.reshape(rows, -1), chosen, axis=1).ravel().astype(np.int32)
        tokens = tokens[parents]
        tokens[:, step] = latest
        if attention is not None:
            attention = attention[parents]
        bound = total.reshape(rows, width).max(axis=1) / limit
        if np.all((finished >= width) | (best.ended & (best.score >= bound))):
            break
    return _with_unended(best, best_attention, total, tokens, attention, width, step + 1)


def _ended(scores: np.ndarray, ends: np.ndarray, finished: np.ndarray, width: int) -> list[tuple[int, int]]:
    """Row and continuation of what ends now; `finished` counts it. Only what is among a row's `width` likeliest
    continuations competes, as in the search without an end, and only a row's first `width` ends do."""
    likeliest = np.argsort(-scores, axis=1, kind="stable")[:, :width]
    found = []
    for row, rank in np.argwhere(np.take_along_axis(ends & np.isfinite(scores), likeliest, axis=1)):
        if finished[row] < width:
            finished[row] += 1
            found.append((int(row), int(likeliest[row, rank])))
    return found


def _keep(
    best: Generated,
    best_attention: np.ndarray | None,
    ended: list[tuple[int, int]],
    means: np.ndarray,
    tokens: np.ndarray,
    attention: np.ndarray | None,
    step: int,
    end: int,
) -> None:
    """Record in place what ended at `step` with a better mean than the row's best so far."""
    rows, continuations = means.shape
    width = len(tokens) // rows
    for row, continuation in ended:
        if means[row, continuation] <= best.score[row]:
            continue
        hypothesis = row * width + continuation // (continuations // width)
        best.score[row], best.ended[row] = means[row, continuation], True
        best.tokens[row] = tokens[hypothesis]
        best.tokens[row, step] = end
        if best_attention is not None and attention is not None:
            best_attention[row] = attention[hypothesis]


def _with_unended(
    best: Generated,
    best_attention: np.ndarray | None,
    total: np.ndarray,
    tokens: np.ndarray,
    attention: np.ndarray | None,
    width: int,
    steps: int,
) -> Generated:
    """Rows without an ended hypothesis take their likeliest living one."""
    likeliest = total.reshape(-1, width).argmax(axis=1) + np.arange(len(best.ended)) * width
    for row in np.flatnonzero(~best.ended):
        best.tokens[row], best.score[row] = tokens[likeliest[row]], total[likeliest[row]] / steps
        if best_attention is not None and attention is not None:
            best_attention[row] = attention[likeliest[row]]
    return Generated(best.tokens, best.ended, best.score, best_attention)
