"""Evaluation of programs that generate, of CTC, and of streams."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from benchsuite.contracts import LoadedTask, Ragged, Split
from benchsuite.measure.batching import Batcher, batcher
from benchsuite.measure.decoding import best_path, greedy_search
from benchsuite.measure.initialisation import initial_parameters
from benchsuite.measure.training import Evaluator
from benchsuite.measure.training.evaluation import ALIGNED_ROWS, token_losses
from benchsuite.schema import (
    Dense,
    Execution,
    Features,
    ModelSpec,
    Recipe,
    Recurrent,
    Size,
    Tokens,
    encoder_decoder,
)
from benchsuite_numpy.reference import ReferenceBackend, ReferenceProgram

VOCABULARY, LIMIT = 7, 6


@dataclass(frozen=True, kw_only=True)
class Exact(LoadedTask):
    """The share of rows that were decoded as they should be."""

    primary = "exact"
    higher_is_better = True

    def model(self, *_: object) -> ModelSpec:
        raise AssertionError("not asked for")

    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        assert isinstance(split.targets, Ragged)
        rows = range(len(split))
        hits = [np.array_equal(predictions[r][: split.targets.lengths[r]], split.targets[r]) for r in rows]
        return {"exact": float(np.mean(hits))}


def exact(split: Split) -> Exact:
    return Exact(name="exact", train=split, validation=split, test=split)


def words(count: int, seed: int = 0, blank: bool = False) -> Split:
    """Token rows, and their copies as targets, each with its END; for CTC without one."""
    random = np.random.default_rng(seed)
    rows = [random.integers(4, VOCABULARY, random.integers(1, 5)).astype(np.int32) for _ in range(count)]
    targets = [row - 3 if blank else np.append(row, 3).astype(np.int32) for row in rows]
    inputs = [np.repeat(row, 3) for row in rows] if blank else rows
    return Split(Ragged.from_sequences(inputs), Ragged.from_sequences(targets), aligned=False)


def built(model: ModelSpec, recipe: Recipe) -> ReferenceProgram:
    weights = initial_parameters(model, 0, "float64")
    return ReferenceBackend().build(model, weights, recipe, Execution(precision="float64"))


def evaluator(model: ModelSpec, split: Split, recipe: Recipe, rows: int = 4) -> Evaluator:
    return Evaluator(
        batcher(split, [], rows, "float64"),
        exact(split),
        model,
        recipe,
    )


def generating_model(attention: bool = True) -> ModelSpec:
    name = "attention" if attention else "encoder_decoder"
    size = Size(hidden=8, layers=1, embedding=5)
    return encoder_decoder(name, "gru", size, Tokens(VOCABULARY, 5), VOCABULARY, LIMIT)


def test_a_decoder_is_scored_on_what_it_generates_and_on_the_targets() -> None:
    split, model, recipe = words(11), generating_model(), Recipe(batch_size=4, learning_rate=0.02)
    program = built(model, recipe)
    judge = evaluator(model, split, recipe)
    found = judge.predict(program, split, aligned=True)
    assert found.values.shape == (11, LIMIT)
    for rows, batch in judge.batcher.evaluation(split):
        generated = greedy_search(program, program.place(batch), model.decoder, batch.size)  # type: ignore[arg-type]
        np.testing.assert_array_equal(found.values[rows], generated.tokens[: len(rows)])
    assert set(found.alignments) == set(range(ALIGNED_ROWS))
    for row, alignment in found.alignments.items():
        assert alignment.shape == (np.count_nonzero(found.values[row]), split.inputs.lengths[row])
        np.testing.assert_allclose(alignment.sum(axis=1), 1.0)
    losses = [
        program.gradients(program.place(batch)).loss
        for _, batch in evaluator(model, split, recipe, 11).batcher.evaluation(split)
    ]
    assert found.metrics["cross_entropy"] == pytest.approx(losses[0])
    assert 0 <= found.metrics["token_accuracy"] <= 1
    assert 0 <= found.metrics["unended_share"] <= 1
    assert set(judge.metrics(program, split)) == {"exact", *found.metrics}


def test_a_decoder_learns_to_copy_and_is_seen_to() -> None:
    split, recipe = words(24), Recipe(batch_size=8, learning_rate=0.03)
    model = generating_model()
    program, judge = built(model, recipe), evaluator(model, split, recipe, 8)
    before = judge.metrics(program, split)
    for epoch in range(25):
        for batch in judge.batcher.epoch(split, 0, epoch):
            program.step(program.place(batch))
    after = judge.metrics(program, split)
    assert after["cross_entropy"] < 0.5 * before["cross_entropy"]
    assert after["exact"] > before["exact"]
    assert after["unended_share"] < 0.5


def test_without_attention_there_is_no_alignment() -> None:
    split, recipe = words(5), Recipe()
    model = generating_model(attention=False)
    assert not evaluator(model, split, recipe).predict(built(model, recipe), split, aligned=True).alignments


def test_scores_that_are_not_finite_are_not_scored() -> None:
    split, recipe, model = words(5), Recipe(), generating_model()
    program = built(model, recipe)
    weights = program.parameters()
    weights["out.b"][4] = np.nan
    program.load_parameters(weights)
    found = evaluator(model, split, recipe).metrics(program, split)
    assert list(found) == ["exact"]
    assert np.isnan(found["exact"])


@pytest.mark.parametrize("width", [1, 3])
def test_ctc_is_scored_on_its_labels(width: int) -> None:
    split, recipe = words(9, blank=True), Recipe()
    model = ModelSpec(Tokens(VOCABULARY, 5), Recurrent("gru", 6), Dense(4), "ctc", "steps")
    program, judge = built(model, recipe), evaluator(model, split, recipe)
    found = judge.predict(program, split, width)
    assert found.values.shape == (9, int(split.inputs.lengths.max()))
    if width == 1:
        for rows, batch in judge.batcher.evaluation(split):
            path = best_path(program.predict(program.place(batch))[0], batch.lengths)[: len(rows)]
            np.testing.assert_array_equal(found.values[rows, : path.shape[1]], path)
    assert "exact" in judge.metrics(program, split)


def test_a_stream_is_predicted_as_one_sequence_where_it_is_one_row() -> None:
    random = np.random.default_rng(0)
    values = random.normal(size=(37, 2))
    split = Split(Ragged.from_sequences([values]), Ragged.from_sequences([values[:, :1]]))
    model = ModelSpec(Features(2), Recurrent("lstm", 5), Dense(1), "squared", "steps")
    recipe = Recipe(carry=True, truncation=8, batch_size=1)
    judge = Evaluator(
        Batcher(1, (8,), "float64"),
        exact(split),
        model,
        recipe,
    )
    chunked = judge.predict(built(model, recipe), split).values
    whole = built(model, Recipe())
    batch = next(batcher(split, [], 1, "float64").evaluation(split))[1]
    np.testing.assert_allclose(chunked, whole.predict(whole.place(batch))[0], rtol=1e-12)


def test_token_losses_count_real_tokens_of_real_rows() -> None:
    split, recipe, model = words(3), Recipe(), generating_model()
    program = built(model, recipe)
    _, batch = next(batcher(split, [], 4, "float64").evaluation(split))
    losses, right = token_losses(program.predict(program.place(batch))[0], batch, 3)
    assert isinstance(split.targets, Ragged)
    assert len(losses) == len(right) == int(split.targets.lengths.sum())
