"""Speed figures: of the work that was trained, compared with arithmetic where arithmetic knows them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fixtures.queueing import ForgetfulProgram, queueing
from fixtures.tiny import program, ragged_split, sign_batcher, sign_data, sign_model, trial

from benchsuite.contracts import Batch, Ragged, Split
from benchsuite.measure.batching import Batcher, batcher
from benchsuite.measure.flops import training_flops
from benchsuite.measure.worker.measuring import BATCHES, Speed, measure_speed
from benchsuite.schema import Dense, Features, ModelSpec, Protocol, Recipe, Recurrent, Trial
from benchsuite_numpy.reference import ReferenceBackend, ReferenceProgram

QUICK = Protocol(rounds=3, round_seconds=0.002, warmup_seconds=0.01)


class Watched(ReferenceProgram):
    """Remembers what it was given to step on."""

    def __init__(self, model: ModelSpec, recipe: Recipe) -> None:
        super().__init__(model, program(model, recipe).parameters(), recipe, "float64")
        self.stepped: list[Batch] = []
        self.states: list[object] = []
        self.given: list[object] = []

    def step(self, placed: Any, state: Any = None) -> object:
        self.stepped.append(placed)
        self.given.append(state)
        self.states.append(super().step(placed, state))
        return self.states[-1]


def measure(model: ModelSpec, one: Trial, batcher: Batcher, train: Split) -> tuple[Speed, Watched]:
    watched = Watched(model, one.recipe)
    return measure_speed(watched, [ReferenceBackend()], model, one, batcher, train), watched


def test_figures_follow_from_the_median_step() -> None:
    data, model = sign_data(), sign_model()
    one = trial(recipe={"batch_size": 16}, protocol=QUICK, execution={"precision": "float64"})
    found, watched = measure(model, one, sign_batcher(data), data.train)
    batches = watched.stepped[:BATCHES]
    speed, median = found.scalars, found.scalars["speed/step_median_seconds"]
    steps = sum(batch.valid_steps for batch in batches)
    assert speed["speed/step_low_seconds"] <= median <= speed["speed/step_high_seconds"]
    assert speed["speed/sequences_per_second"] == pytest.approx(16 / median)
    assert speed["speed/time_steps_per_second"] == pytest.approx(steps / BATCHES / median)
    padded = sum(batch.size * batch.time for batch in batches)
    assert speed["speed/padding_share"] == pytest.approx(1 - steps / padded)
    flops = sum(training_flops(model, batch) for batch in batches) / BATCHES
    assert speed["speed/flops_per_step"] == pytest.approx(flops)
    assert speed["speed/peak_share"] == pytest.approx(flops / median / speed["speed/peak_flops_per_second"])
    assert 0 < speed["speed/inference_median_seconds"] < median
    assert found.verdict in ("stable", "unstable")


def test_every_sample_is_kept() -> None:
    data, model = sign_data(), sign_model()
    found, _ = measure(model, trial(protocol=QUICK), sign_batcher(data), data.train)
    named = {series.name: series for series in found.series}
    for what in ("step", "inference", "transfer"):
        for clock in ("wall", "cpu"):
            assert len(named[f"speed/{what}_{clock}"].y) == QUICK.rounds
        median = float(np.median(named[f"speed/{what}_wall"].y))
        assert found.scalars[f"speed/{what}_median_seconds"] == pytest.approx(median)


def test_a_carried_stream_is_timed_in_the_chunks_it_is_trained_in() -> None:
    """Evaluation reads a stream whole, as one row; a step on that would be another piece of work."""
    values = np.random.default_rng(0).normal(size=(120, 1))
    split = Split(Ragged.from_sequences([values]), Ragged.from_sequences([values]))
    model = ModelSpec(Features(1), Recurrent("gru", 3), Dense(1), "squared", "steps")
    recipe = {"carry": True, "truncation": 5, "batch_size": 4}
    found, watched = measure(
        model, trial(recipe=recipe, protocol=QUICK), Batcher(1, (120,), "float64"), split
    )
    assert {(batch.size, batch.time) for batch in watched.stepped} == {(4, 5)}
    assert watched.given[0] is watched.given[BATCHES] is None
    assert all(given is before for given, before in zip(watched.given[1:4], watched.states[:3], strict=True))
    assert found.scalars["speed/padding_share"] == 0


def test_timed_batches_run_as_long_as_trained_ones() -> None:
    """Neighbours in length share a training batch; batches of other company would be timed for more steps,
    and the more so the better a backend stops at the longest row."""
    lengths = 1 + np.random.default_rng(0).poisson(np.random.default_rng(1).gamma(4, 5, 640))
    train = ragged_split(lengths)
    model = sign_model(hidden=2)
    one = trial(
        recipe={"batch_size": 8}, protocol=Protocol(rounds=1, round_seconds=1e-4, warmup_seconds=1e-4)
    )
    cut = batcher(train, [], 8, "float64")
    _, watched = measure(model, one, cut, train)
    timed = [int(batch.lengths.max()) for batch in watched.stepped[:BATCHES]]
    trained = [int(batch.lengths.max()) for batch in cut.epoch(train, seed=1, epoch=0)]
    assert np.mean(timed) == pytest.approx(np.mean(trained), rel=0.15)


def test_every_seed_is_timed_on_the_same_batches() -> None:
    data, model = sign_data(), sign_model(hidden=2)
    quick = Protocol(rounds=1, round_seconds=1e-4, warmup_seconds=1e-4)
    first, second = (
        measure(model, trial(seed=seed, protocol=quick), sign_batcher(data), data.train)[1].stepped[:BATCHES]
        for seed in (0, 5)
    )
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a.inputs, b.inputs)


def test_a_program_that_does_not_wait_is_named() -> None:
    """Its figures are kept, but nobody can take them for speed."""
    data, model = sign_data(), sign_model(hidden=2)
    one = trial(protocol=Protocol(rounds=2, round_seconds=1e-4, warmup_seconds=1e-4))
    forgetful = queueing(ForgetfulProgram, model, one.recipe)
    found = measure_speed(forgetful, [ReferenceBackend()], model, one, sign_batcher(data), data.train)
    forgetful.stop()
    assert found.verdict == "unsynchronised"


def test_latency_is_that_of_single_rows() -> None:
    class Rows(ReferenceProgram):
        asked: list[int]

        def predict(self, placed: Any, state: Any = None) -> tuple[np.ndarray, object]:
            self.asked = [*getattr(self, "asked", []), placed.size]
            return super().predict(placed, state)

    data, model = sign_data(), sign_model(hidden=2)
    one = trial(protocol=QUICK.model_copy(update={"latency": 40}))
    made = Rows(model, program(model, one.recipe).parameters(), one.recipe, "float64")
    found = measure_speed(made, [ReferenceBackend()], model, one, sign_batcher(data), data.train)
    quantiles = [found.scalars[f"speed/latency_p{share}_seconds"] for share in (50, 95, 99)]
    assert 0 < quantiles[0] <= quantiles[1] <= quantiles[2]
    assert made.asked.count(1) >= 40
    samples = next(series for series in found.series if series.name == "speed/latency_wall")
    assert len(samples.y) == 40
    assert quantiles[0] == pytest.approx(float(np.median(samples.y)))
