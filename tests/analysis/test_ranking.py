"""Records as rankings: models, ranks, and who runs them."""

from __future__ import annotations

import math

import pytest
from fixtures.planted import one_and_four_threads, planted, rounds_apart, three_sizes
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.analysis.ranking import Ranking, rankings
from benchsuite.schema import Record, Status

CELLS = ("rnn", "lstm", "gru")


def ranking(*records: Record) -> Ranking:
    [found] = rankings(records)
    return found


@given(st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3))
def test_ranks_follow_the_metric_and_equal_ones_share_the_first_of_theirs(values: list[float]) -> None:
    found = ranking(*(planted(value, cell=cell) for cell, value in zip(CELLS, values, strict=True)))
    metrics = [model.metric.mean for model in found.models if model.metric]
    assert metrics == sorted(values, reverse=True)
    for at, place in enumerate(found.places):
        assert place <= at + 1
        assert abs(metrics[place - 1] - metrics[at]) <= 1e-6 * metrics[place - 1]
        if place < at + 1:
            assert place in found.places[:at]


def test_what_backends_differ_by_is_no_difference_between_models() -> None:
    by_backend = {"numpy": 0.0, "torch": 2e-6}
    records = [
        planted(0.9 + offset + (1e-6 if cell == "gru" else 0.0), cell=cell, backend=backend)
        for cell in ("lstm", "gru")
        for backend, offset in by_backend.items()
    ]
    assert ranking(*records).places == (1, 1)


def test_a_large_spread_between_backends_is_noise_and_no_resolution() -> None:
    records = [
        planted(value, cell=cell, backend=backend)
        for cell, backend, value in (
            ("lstm", "numpy", 0.9), ("lstm", "torch", 0.8), ("gru", "numpy", 0.84), ("gru", "torch", 0.84),
        )
    ]  # fmt: skip
    assert ranking(*records).places == (1, 2)


def test_what_is_no_number_comes_last_with_one_rank() -> None:
    found = ranking(planted(math.nan, cell="rnn"), planted(math.nan, cell="gru"), planted(0.5, cell="lstm"))
    assert found.models[0].name == "lstm plain"
    assert found.places == (1, 2, 2)


def test_seeds_are_averaged_and_a_model_that_lost_one_is_not_ranked() -> None:
    records = [
        planted(value, cell=cell, seed=seed)
        for cell in ("lstm", "gru")
        for seed, value in enumerate((0.8, 0.9))
    ]
    records.append(planted(cell="gru", seed=2, status=Status.FAILED))
    [model] = ranking(*records).models
    assert model.name == "lstm plain"
    assert model.metric is not None
    assert (model.metric.mean, model.metric.n) == (pytest.approx(0.85), 2)


def test_backends_are_no_independent_measurements() -> None:
    records = [
        planted(0.9, backend=backend, seed=seed) for backend in ("numpy", "torch") for seed in range(2)
    ]
    [model] = ranking(*records).models
    assert model.metric is not None
    assert model.metric.n == 2


@pytest.mark.parametrize(
    ("records", "models", "ways"),
    [
        (rounds_apart(), 1, ("protocol.rounds",)),
        (three_sizes(), 3, ()),
        (one_and_four_threads(), 3, ("execution.threads",)),
    ],
)
def test_what_is_one_model_and_what_is_a_way_to_run_it(
    records: list[Record], models: int, ways: tuple[str, ...]
) -> None:
    found = ranking(*records)
    assert len(found.models) == models
    assert set(found.ways) <= set(ways)


def test_runs_are_ordered_by_the_models_clock() -> None:
    [model, *_] = ranking(*one_and_four_threads()).models
    assert model.clock == "wall"
    assert [run.trial.execution.threads for run in model.runs] == [4, 1]
    disturbed = planted(backend="numpy", step=0.00144, cpu=0.0004), planted(backend="torch", step=0.0007)
    [model] = ranking(*disturbed).models
    assert model.clock == "cpu"
    assert [run.trial.backend for run in model.runs] == ["numpy", "torch"]


def test_the_best_baseline_is_no_bound() -> None:
    baselines = {
        "majority": {"accuracy": 0.1},
        "counts": {"accuracy": 0.3},
        "true_source": {"accuracy": 0.99},
    }
    found = ranking(planted(0.9).model_copy(update={"baselines": baselines}))
    assert found.best_baseline == ("counts", 0.3)
