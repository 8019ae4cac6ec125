"""Runs are named by what tells them apart, and compared with the fastest run of the same model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from fixtures import varied
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.analysis.ranking import rankings
from benchsuite.analysis.runs import Run, geometric_mean, median_of, runs_of
from benchsuite.running.store import StudyStore
from benchsuite.running.study import StoredStudy
from benchsuite.schema import Record, Trial


def runs(folder: Path, trials: Sequence[Trial], **scalars: float) -> list[Run]:
    store = StudyStore(folder)
    with store.writing():
        store.describe({"matrix": {}, "environment": {}})
        for place, trial in enumerate(trials):
            made: Record = varied.record(trial, place)
            store.append(made.model_copy(update={"scalars": made.scalars | scalars}))
    return runs_of(rankings(StoredStudy.load(folder).records))


def test_the_fastest_run_of_a_model_is_1_and_the_others_are_compared_with_it(tmp_path: Path) -> None:
    found = runs(tmp_path / "s", [varied.trial(backend=name) for name in varied.SPEEDS])
    assert [run.runner for run in found] == ["torch dynamic", "jax dynamic", "numpy dynamic"]
    assert found[0].relative == 1.0
    assert found[1].relative == pytest.approx(0.5, rel=0.1)
    assert found[2].relative == pytest.approx(0.25, rel=0.1)


def test_who_runs_alone_is_compared_with_nobody(tmp_path: Path) -> None:
    found = runs(tmp_path / "s", [varied.trial(), varied.trial(cell="gru")])
    assert [run.relative for run in found] == [None, None]
    assert all(run.speed for run in found)


def test_the_limit_is_the_best_that_any_backend_showed_for_the_model(tmp_path: Path) -> None:
    """A library that uses half of a processor shows half of its limit."""
    store = StudyStore(tmp_path / "s")
    peaks = {"torch": 2e11, "jax": 1e11, "numpy": 5e10}
    with store.writing():
        store.describe({"matrix": {}, "environment": {}})
        for place, (backend, peak) in enumerate(peaks.items()):
            made = varied.record(varied.trial(backend=backend), place)
            own = {"speed/peak_flops_per_second": peak, "speed/peak_share": 0.4}
            store.append(made.model_copy(update={"scalars": made.scalars | own}))
    found = {
        run.aggregate.trial.backend: run
        for run in runs_of(rankings(StoredStudy.load(tmp_path / "s").records))
    }
    assert {run.limit for run in found.values()} == {2e11}
    assert found["numpy"].share == pytest.approx(0.1)
    assert found["torch"].share == pytest.approx(0.4)
    assert found["torch"].inference_share is None


def test_a_step_is_timed_by_the_processors_clock_on_one_thread(tmp_path: Path) -> None:
    clocks = {"speed/step_cpu_seconds": 0.5, "speed/step_median_seconds": 0.8}
    (one,) = runs(tmp_path / "one", [varied.trial()], **clocks)
    (two,) = runs(tmp_path / "two", [varied.trial(execution={"threads": 2})], **clocks)
    (unknown,) = runs(tmp_path / "old", [varied.trial()], **{"speed/step_median_seconds": 0.8})
    assert (one.step, two.step, unknown.step) == (0.5, 0.8, 0.8)
    assert one.half is not None
    assert one.speed is not None
    assert one.step_half == pytest.approx(0.5 * one.half / one.speed)
    (seeds,) = runs(tmp_path / "seeds", [varied.trial(seed=seed) for seed in range(2)], **clocks)
    assert seeds.step_half == pytest.approx(0.0)


def test_a_runner_is_named_by_what_differs(tmp_path: Path) -> None:
    trials = [
        varied.trial(execution={"unroll": "dynamic", "allocator": allocator, "threads": 2})
        for allocator in ("default", "tuned")
    ]
    found = runs(tmp_path / "s", trials)
    assert {run.runner for run in found} == {
        "torch dynamic allocator=default",
        "torch dynamic allocator=tuned",
    }


def test_one_seed_has_the_interval_of_its_rounds_and_several_have_that_over_seeds(tmp_path: Path) -> None:
    (one,) = runs(tmp_path / "one", [varied.trial()])
    assert one.speed is not None
    assert one.half == pytest.approx(0.02 * one.speed, rel=0.01)
    (several,) = runs(tmp_path / "several", [varied.trial(seed=seed) for seed in range(3)])
    estimate = several.aggregate.scalars["speed/sequences_per_second"]
    assert several.half == estimate.half_width


def test_a_scalar_that_is_not_finite_is_none(tmp_path: Path) -> None:
    (one,) = runs(tmp_path / "s", [varied.trial()], **{"speed/peak_share": float("nan")})
    assert one.mean("speed/peak_share") is None
    assert one.mean("speed/nothing") is None
    assert median_of([one], "speed/peak_share") is None
    assert median_of([one], "memory/peak_bytes") == 2e8


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=9), st.floats(0.01, 100))
def test_a_geometric_mean_lies_within_and_scales(values: list[float], by: float) -> None:
    mean = geometric_mean(values)
    assert min(values) * (1 - 1e-9) <= mean <= max(values) * (1 + 1e-9)
    assert geometric_mean([by * value for value in values]) == pytest.approx(by * mean)
