"""What a backend's decoders must satisfy when they generate."""

from __future__ import annotations

import numpy as np

from benchsuite.contracts import Advance
from benchsuite.measure.conformance.backend import (
    ConformanceError,
    Kit,
    forward_tolerance,
    near,
    other_than_zero,
)
from benchsuite.measure.conformance.cases import Case, padded
from benchsuite.measure.decoding import beam_search, greedy_search
from benchsuite.measure.parity import in_double

BEAM_WIDTH = 3


def check_teacher_forcing(kit: Kit, case: Case) -> None:
    """A decoder that is fed the targets says what predict() says, wherever its hypotheses stand; its
    attention is one in sum, over valid steps only."""
    decoder = case.model.decoder
    assert decoder is not None
    program = kit.build(case)
    batch = padded(case.batch(kit.dtype), 0, other_than_zero(case))
    placed = program.place(batch)
    expected = _log_softmax(program.predict(placed)[0].astype(np.float64))
    assert batch.target_lengths is not None
    fed = batch.decoder_inputs(decoder.start)
    decoding = program.decoding(placed, BEAM_WIDTH, aligned=True)
    # every hypothesis goes on from another one of its row, and all of a row are alike
    within = np.tile(np.roll(np.arange(BEAM_WIDTH), 1), batch.size)
    parents = np.repeat(np.arange(batch.size) * BEAM_WIDTH, BEAM_WIDTH) + within
    padding = np.arange(batch.time) >= np.repeat(batch.lengths, BEAM_WIDTH)[:, None]
    for step in range(batch.targets.shape[1]):
        tokens = np.repeat(fed[:, step], BEAM_WIDTH).astype(np.int32)
        found = decoding.advance(tokens, parents, decoder.vocabulary)
        live = np.repeat(step < batch.target_lengths, BEAM_WIDTH)
        by_token = _by_token(found)
        wanted = np.repeat(expected[:, step], BEAM_WIDTH, axis=0)
        near(f"{case.name}: ln p of token {step}", by_token[live], wanted[live], 10 * forward_tolerance(kit))
        if np.any(np.diff(found.log_probabilities, axis=1) > 0):
            raise ConformanceError(f"{case.name}: advance() does not give the likeliest tokens first")
        _check_alignment(kit, case, found.alignment, padding)


def _log_softmax(scores: np.ndarray) -> np.ndarray:
    shifted: np.ndarray = scores - scores.max(axis=-1, keepdims=True)
    found: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return found


def _check_alignment(kit: Kit, case: Case, alignment: np.ndarray | None, padding: np.ndarray) -> None:
    assert case.model.decoder is not None
    if case.model.decoder.attention == "none":
        if alignment is not None:
            raise ConformanceError(f"{case.name}: an alignment without attention")
        return
    if alignment is None or alignment.shape != padding.shape:
        shape = None if alignment is None else alignment.shape
        raise ConformanceError(f"{case.name}: alignment of shape {shape}, expected {padding.shape}")
    if np.any(alignment[padding] != 0):
        raise ConformanceError(f"{case.name}: attention on padding")
    whole = alignment.astype(np.float64).sum(axis=1)
    near(f"{case.name}: sum of the attention", whole, np.ones(len(whole)), forward_tolerance(kit))


def check_parents(kit: Kit, case: Case) -> None:
    """A hypothesis goes on from the one that it continues: with others beside it, its next tokens are as likely
    as in a decoding of its own."""
    program, size, words = kit.build(case), case.rows, case.model.head.outputs
    placed = program.place(case.batch(kit.dtype))
    first, second = np.arange(4, 4 + BEAM_WIDTH), np.arange(3 + BEAM_WIDTH, 3, -1)
    within = np.roll(np.arange(BEAM_WIDTH), 1)
    places, rows = np.arange(size * BEAM_WIDTH), np.arange(size)
    wide = program.decoding(placed, BEAM_WIDTH)
    wide.advance(np.tile(first, size).astype(np.int32), places, words)
    parents = np.repeat(rows * BEAM_WIDTH, BEAM_WIDTH) + np.tile(within, size)
    together = _by_token(wide.advance(np.tile(second, size).astype(np.int32), parents, words))
    for place, parent in enumerate(within):
        alone = program.decoding(placed, 1)
        alone.advance(np.full(size, first[parent], np.int32), rows, words)
        expected = _by_token(alone.advance(np.full(size, second[place], np.int32), rows, words))
        found = together[place::BEAM_WIDTH]
        near(f"{case.name}: ln p of hypothesis {place}", found, expected, 10 * forward_tolerance(kit))


def _by_token(found: Advance) -> np.ndarray:
    """ln p (N, V) of every token, in the order of their ids."""
    by_token = np.empty_like(found.log_probabilities)
    np.put_along_axis(by_token, found.tokens.astype(np.int64), found.log_probabilities, axis=1)
    return by_token


def check_generation(kit: Kit, case: Case) -> None:
    """Greedy and beam search generate the reference's tokens, and a beam of one is greedy. (In float32 two
    nearly equal scores may change places: there only what one backend says twice is compared.)"""
    decoder = case.model.decoder
    assert decoder is not None
    program, reference = kit.build(case), kit.build_reference(case)
    batch = case.batch(kit.dtype)
    placed, there = program.place(batch), reference.place(in_double(batch))
    greedy = greedy_search(program, placed, decoder, batch.size)
    narrow = beam_search(program, placed, decoder, batch.size, 1)
    if not np.array_equal(greedy.tokens, narrow.tokens):
        raise ConformanceError(f"{case.name}: a beam of width 1 generates other tokens than greedy search")
    if kit.execution.precision != "float64":
        return
    if not np.array_equal(greedy.tokens, greedy_search(reference, there, decoder, batch.size).tokens):
        raise ConformanceError(f"{case.name}: greedy search generates other tokens than the reference")
    wide = beam_search(program, placed, decoder, batch.size, BEAM_WIDTH)
    expected = beam_search(reference, there, decoder, batch.size, BEAM_WIDTH)
    if not np.array_equal(wide.tokens, expected.tokens):
        raise ConformanceError(f"{case.name}: beam search generates other tokens than the reference")
    near(f"{case.name}: score of the beam", wide.score, expected.score, 10 * forward_tolerance(kit))
