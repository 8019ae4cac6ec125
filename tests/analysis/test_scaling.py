"""Power laws: fitted rightly, with an honest interval, and only to what differs in one size alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fixtures import varied
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchsuite.analysis.ranking import rankings
from benchsuite.analysis.runs import Run, runs_of
from benchsuite.analysis.scaling import SIZES, fit, laws
from benchsuite.running.store import StudyStore
from benchsuite.running.study import StoredStudy


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    folder = varied.study(tmp_path_factory.mktemp("studies") / "varied")
    return runs_of(rankings(StoredStudy.load(folder).records))


@given(exponent=st.floats(-3, 3), constant=st.floats(1e-6, 1e3))
def test_an_exact_law_is_found_with_an_interval_of_nothing(exponent: float, constant: float) -> None:
    sizes = [16.0, 64.0, 128.0, 1024.0]
    found, half = fit(sizes, [constant * size**exponent for size in sizes])
    assert found == pytest.approx(exponent, abs=1e-9)
    assert half == pytest.approx(0, abs=1e-6)


def test_the_interval_is_that_of_linear_regression() -> None:
    random = np.random.default_rng(0)
    sizes = [10.0, 20, 30, 50, 80]
    seconds = [size**1.3 * float(np.exp(0.1 * random.normal())) for size in sizes]
    known = stats.linregress(np.log(sizes), np.log(seconds))
    exponent, half = fit(sizes, seconds)
    assert exponent == pytest.approx(known.slope)
    assert half == pytest.approx(known.stderr * stats.t.ppf(0.975, 3))


def test_two_sizes_give_an_exponent_and_no_interval() -> None:
    exponent, half = fit([1.0, 2.0], [1.0, 4.0])
    assert exponent == pytest.approx(2.0)
    assert half is None


def test_each_size_that_a_study_varies_has_its_laws(runs: list[Run]) -> None:
    found = laws(runs)
    by_axis = {size: [law for law in found if law.size == size] for size in SIZES}
    assert {law.runs[0].aggregate.trial.backend for law in by_axis["hidden size"]} == set(varied.SPEEDS)
    for name, expected in (("hidden size", 1.5), ("sequence length", 1.0), ("batch size", 1.0)):
        for law in by_axis[name]:
            assert law.exponent == pytest.approx(expected, abs=0.05)
            assert law.half is not None
            assert abs(law.exponent - expected) < law.half + 0.03
    assert by_axis["sequence length"][0].sizes == pytest.approx((50, 100, 200))
    assert by_axis["hidden size"][0].sizes == (32, 64, 128, 256)


def test_runs_that_differ_in_more_than_the_size_are_not_fitted_together(runs: list[Run]) -> None:
    for law in laws(runs):
        trials = [run.aggregate.trial for run in law.runs]
        assert len({(t.backend, t.cell, t.recipe.truncation, t.execution.allocator) for t in trials}) == 1


def test_one_thread_of_a_cpu_is_fitted_by_its_processor_time(tmp_path: Path) -> None:
    """The step waits for another program's work at the largest size."""
    store = StudyStore(tmp_path / "s")
    with store.writing():
        store.describe({"matrix": {}, "environment": {}})
        for place, hidden in enumerate((32, 64, 128)):
            made = varied.record(varied.trial(size={"hidden": hidden}), place)
            own = {"speed/step_cpu_seconds": 1e-5 * hidden, "speed/step_median_seconds": 1e-5 * hidden**2}
            store.append(made.model_copy(update={"scalars": made.scalars | own}))
    (law,) = laws(runs_of(rankings(StoredStudy.load(tmp_path / "s").records)))
    assert law.exponent == pytest.approx(1.0)


def test_two_sizes_are_no_law(runs: list[Run]) -> None:
    few = [run for run in runs if run.aggregate.trial.size.hidden in (32, 256)]
    assert not [law for law in laws(few) if law.size == "hidden size"]


def test_no_runs_have_no_law() -> None:
    assert laws([]) == []
