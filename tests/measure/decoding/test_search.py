"""Greedy and beam search over the reference's decoders: chains of tokens whose best sequences are known, and
decoders small enough that every sequence can be tried."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.contracts import Batch, Program
from benchsuite.measure.decoding import Generated, beam_search, greedy_search
from benchsuite.schema import (
    Decoder,
    Dense,
    Execution,
    Features,
    ModelSpec,
    Recipe,
    Recurrent,
    parameter_shapes,
)
from benchsuite_numpy.reference import ReferenceBackend

SEEDS = st.integers(0, 10_000)
START, END = 2, 3


def decoder(
    limit: int, vocabulary: int = 5, attention: str = "none", cell: str = "rnn", hidden: int = 5
) -> Decoder:
    return Decoder(vocabulary, hidden, Recurrent(cell, hidden), attention, limit)  # type: ignore[arg-type]


def spec(writer: Decoder, features: int = 2) -> ModelSpec:
    head = Dense(writer.vocabulary)
    return ModelSpec(Features(features), Recurrent("gru", 3), head, "cross_entropy", decoder=writer)


def built(writer: Decoder, seed: int, scale: float = 1.5) -> Program:
    """A decoder with random weights."""
    random, model = np.random.default_rng(seed), spec(writer)
    weights = {name: scale * random.standard_normal(shape) for name, shape in parameter_shapes(model).items()}
    return ReferenceBackend().build(model, weights, Recipe(), Execution(precision="float64"))


def sources(rows: int, seed: int = 0, time: int = 4) -> Batch:
    """Inputs only: the targets say nothing that a search may see."""
    random = np.random.default_rng(seed)
    lengths = random.integers(1, time + 1, rows).astype(np.int32)
    inputs = random.standard_normal((rows, time, 2)) * (np.arange(time) < lengths[:, None])[..., None]
    nothing = np.zeros((rows, 1), np.int32)
    return Batch(inputs, lengths, nothing, target_lengths=np.ones(rows, np.int32))


def chain(probabilities: dict[int, dict[int, float]], limit: int) -> tuple[Program, Decoder]:
    """A decoder whose next token depends on the latest one alone, by the given probabilities."""
    writer = decoder(limit)
    model = spec(writer)
    weights = {name: np.zeros(shape) for name, shape in parameter_shapes(model).items()}
    weights["target_embed.E"] = 40 * np.eye(5)  # tanh(40) is 1: the state says which token it was
    weights["dec.l0.fwd.Wx"] = np.eye(5)
    table = np.full((5, 5), 1e-30)
    for before, after in probabilities.items():
        for token, share in after.items():
            table[before, token] = share
    weights["out.W"] = np.log(table)
    return ReferenceBackend().build(model, weights, Recipe(), Execution(precision="float64")), writer


GARDEN = {
    START: {0: 0.55, 1: 0.45},
    0: {4: 0.6, 1: 0.4},
    1: {4: 1.0},
    4: {END: 1.0},
}
"""The likelier first token leads to the less likely sequence."""


def test_greedy_takes_the_likeliest_token_each_time() -> None:
    program, writer = chain(GARDEN, 6)
    found = greedy_search(program, sources(2), writer, 2)
    assert found.tokens.tolist() == [[0, 4, END, 0, 0, 0]] * 2
    assert found.ended.all()
    assert found.score == pytest.approx(np.log([0.55 * 0.6] * 2) / 3)
    assert found.alignment is None


def test_a_beam_finds_what_greedy_misses() -> None:
    program, writer = chain(GARDEN, 6)
    found = beam_search(program, sources(2), writer, 2, 2)
    assert found.tokens.tolist() == [[1, 4, END, 0, 0, 0]] * 2
    assert found.score == pytest.approx(np.log([0.45] * 2) / 3)


def test_the_mean_by_token_decides_not_the_sum() -> None:
    """ln 0.5 over one token against ln 0.3 over four."""
    program, writer = chain({START: {END: 0.5, 0: 0.5}, 0: {1: 1.0}, 1: {4: 1.0}, 4: {END: 0.6, 0: 0.4}}, 5)
    found = beam_search(program, sources(1), writer, 1, 3)
    assert found.tokens.tolist() == [[0, 1, 4, END, 0]]
    assert found.score[0] == pytest.approx(np.log(0.3) / 4)


@pytest.mark.parametrize("width", [1, 2])
def test_a_sequence_without_an_end_stops_at_the_limit(width: int) -> None:
    program, writer = chain({START: {0: 1.0}, 0: {1: 0.9, 4: 0.1}, 1: {0: 1.0}, 4: {0: 1.0}}, 5)
    for found in (
        greedy_search(program, sources(3), writer, 3),
        beam_search(program, sources(3), writer, 3, width),
    ):
        assert found.tokens.tolist() == [[0, 1, 0, 1, 0]] * 3
        assert not found.ended.any()
        assert found.score == pytest.approx([np.log(0.9**2) / 5] * 3)


def test_an_end_as_the_very_last_token_counts() -> None:
    for limit, ended in ((3, True), (2, False)):
        program, writer = chain(GARDEN, limit)
        for found in (
            greedy_search(program, sources(1), writer, 1),
            beam_search(program, sources(1), writer, 1, 2),
        ):
            assert found.ended.tolist() == [ended]
            assert found.tokens.shape == (1, limit)


def sequences(writer: Decoder) -> list[tuple[int, ...]]:
    """Everything that a decoder can write: up to its END, or as long as the limit."""
    others = [token for token in range(writer.vocabulary) if token != writer.end]
    found: list[tuple[int, ...]] = []
    for length in range(writer.limit):
        found += [(*beginning, writer.end) for beginning in itertools.product(others, repeat=length)]
    return found + list(itertools.product(others, repeat=writer.limit))


def mean_log_p(program: Program, batch: Batch, row: int, writer: Decoder, tokens: tuple[int, ...]) -> float:
    """Mean ln p of `tokens` by predict(), which knows nothing of any search."""
    one = Batch(
        batch.inputs[row : row + 1],
        batch.lengths[row : row + 1],
        np.array([tokens], np.int32),
        target_lengths=np.array([len(tokens)], np.int32),
    )
    scores = program.predict(program.place(one))[0][0]
    log_p = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    assert writer.end not in tokens[:-1]
    return float(log_p[np.arange(len(tokens)), list(tokens)].mean())


def written(found: Generated, row: int, writer: Decoder) -> tuple[int, ...]:
    """A row's tokens; nothing may follow the END."""
    tokens = found.tokens[row].tolist()
    if not found.ended[row]:
        assert writer.end not in tokens
        return tuple(tokens)
    length = tokens.index(writer.end) + 1
    assert not any(tokens[length:])
    return tuple(tokens[:length])


@pytest.mark.parametrize("attention", ["none", "additive", "multiplicative"])
@settings(deadline=None, max_examples=5, derandomize=True)
@given(seed=SEEDS)
def test_a_beam_wide_enough_finds_the_best_of_all(attention: str, seed: int) -> None:
    writer = decoder(3, 4, attention, "gru", 3)
    program, batch = built(writer, seed), sources(2, seed)
    found = beam_search(program, batch, writer, 2, 64)
    assert found.ended.all()
    for row in range(2):
        ended = [tokens for tokens in sequences(writer) if tokens[-1] == writer.end]
        means = {tokens: mean_log_p(program, batch, row, writer, tokens) for tokens in ended}
        assert written(found, row, writer) == max(means, key=lambda tokens: means[tokens])
        assert found.score[row] == pytest.approx(max(means.values()), rel=1e-12)


@pytest.mark.parametrize("attention", ["none", "additive", "multiplicative"])
@settings(deadline=None, max_examples=10, derandomize=True)
@given(seed=SEEDS, width=st.integers(1, 6))
def test_the_score_is_the_mean_that_predict_gives(attention: str, seed: int, width: int) -> None:
    """Of ended and unended rows; and in no row does a search change what another row gets."""
    writer = decoder(4, 6, attention, "lstm", 4)
    program, batch = built(writer, seed), sources(3, seed)
    for found in (greedy_search(program, batch, writer, 3), beam_search(program, batch, writer, 3, width)):
        for row in range(3):
            expected = mean_log_p(program, batch, row, writer, written(found, row, writer))
            assert found.score[row] == pytest.approx(expected, rel=1e-11)
    for row in range(3):
        alone = Batch(
            batch.inputs[row : row + 1],
            batch.lengths[row : row + 1],
            batch.targets[row : row + 1],
            target_lengths=np.ones(1, np.int32),
        )
        assert beam_search(program, alone, writer, 1, width).tokens[0].tolist() == found.tokens[row].tolist()


@pytest.mark.parametrize("attention", ["none", "additive", "multiplicative"])
@settings(deadline=None, max_examples=10, derandomize=True)
@given(seed=SEEDS)
def test_a_beam_of_one_is_greedy(attention: str, seed: int) -> None:
    writer = decoder(6, 5, attention, "gru", 4)
    program, batch = built(writer, seed, 0.8), sources(4, seed)
    greedy = greedy_search(program, batch, writer, 4, aligned=True)
    beam = beam_search(program, batch, writer, 4, 1, aligned=True)
    assert greedy.tokens.tolist() == beam.tokens.tolist()
    assert greedy.ended.tolist() == beam.ended.tolist()
    assert greedy.score.tolist() == beam.score.tolist()
    if attention == "none":
        assert greedy.alignment is None
        assert beam.alignment is None
    else:
        assert greedy.alignment is not None
        assert beam.alignment is not None
        assert np.array_equal(greedy.alignment, beam.alignment)


@pytest.mark.parametrize("width", [1, 4])
@pytest.mark.parametrize("attention", ["additive", "multiplicative"])
@pytest.mark.parametrize("seed", range(4))
def test_the_alignment_is_that_of_the_tokens_written(attention: str, width: int, seed: int) -> None:
    """What the decoder looks at when it is fed the row's tokens; nothing beyond, and not without asking."""
    writer, rows = decoder(5, 5, attention, "gru", 4), 3
    program, batch = built(writer, seed, 0.8), sources(rows, seed)
    found = beam_search(program, batch, writer, rows, width, aligned=True)
    assert found.alignment is not None
    assert found.alignment.shape == (rows, writer.limit, batch.time)
    assert beam_search(program, batch, writer, rows, width).alignment is None
    assert greedy_search(program, batch, writer, rows).alignment is None
    lengths = [len(written(found, row, writer)) for row in range(rows)]
    decoding = program.decoding(batch, 1, True)
    before = np.full(rows, writer.start, np.int32)
    for step in range(writer.limit):
        live = np.array([step < length for length in lengths])
        looked = decoding.advance(before, np.arange(rows), 1).alignment
        assert looked is not None
        np.testing.assert_allclose(found.alignment[live, step], looked[live], rtol=1e-10, atol=1e-14)
        assert not found.alignment[~live, step].any()
        before = found.tokens[:, step]
    beyond = np.arange(batch.time) >= batch.lengths[:, None]
    assert not found.alignment.transpose(0, 2, 1)[beyond].any()
