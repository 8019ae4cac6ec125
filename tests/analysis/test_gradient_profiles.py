"""Gradients by lag: relative to the last step, averaged over seeds, of models that differ in their cell."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from fixtures import varied

from benchsuite.analysis.gradient_profiles import CellGroup, cell_group, run_profiles, teaching_order, thinned
from benchsuite.report.data import ReportData, collect
from benchsuite.running.store.series import write_series
from benchsuite.running.study import StoredStudy
from benchsuite.schema import Series, Trial


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> ReportData:
    return collect([StoredStudy.load(varied.study(tmp_path_factory.mktemp("studies") / "varied"))])


def groups(data: ReportData) -> list[CellGroup]:
    """The group of each task that has one."""
    found = [cell_group(one.ranking, one.curves) for one in data.tasks if one.ranking]
    return [group for group in found if group is not None]


def test_a_group_holds_the_cells_of_one_size_and_recipe(data: ReportData) -> None:
    first = next(group for group in groups(data) if len(group.models) == 3)
    assert [model.fastest.trial.cell for model in first.models] == ["rnn", "lstm", "gru"]
    assert len({(m.fastest.trial.size, m.fastest.trial.recipe) for m in first.models}) == 1
    assert first.at_end
    assert first.longest == 99


def test_profiles_begin_at_1_and_decay_as_they_were_made(data: ReportData) -> None:
    first = next(group for group in groups(data) if len(group.models) == 3)
    for profile in first.of("end"):
        assert profile.left[0] == 1
        slope = varied.SLOPES[profile.cell]
        assert profile.left[10] == pytest.approx(math.exp(-slope * 10))
        assert profile.last[0] == 99
        assert profile.last[1] == pytest.approx(math.exp(-slope * 99))


def test_what_has_underflowed_is_zero_and_stays(data: ReportData) -> None:
    for results in data.tasks:
        assert results.ranking is not None
        for model in results.ranking.models:
            if model.fastest.trial.recipe.truncation == 5:
                lags, left = run_profiles(model.fastest, results.curves)["end"]
                assert len(lags) == 100
                assert (left[5:] == 0).all()
                assert (left[:5] > 0).all()


def test_seeds_are_averaged_geometrically_over_the_lags_that_all_have(tmp_path: Path) -> None:
    folder = varied.study(tmp_path / "s")
    trials = [varied.trial(cell="gru", backend="jax", seed=seed) for seed in range(3)]
    for trial, sizes in zip(trials, ([1.0, 0.1, 0.01], [2.0, 0.8, 0.2], [1.0, 0.4, 0.1, 0.1]), strict=True):
        _write(folder, trial, sizes)
    data = collect([StoredStudy.load(folder)])
    results = next(results for results in data.tasks if "length=100" in results.title)
    assert results.ranking is not None
    run = next(
        run
        for model in results.ranking.models
        for run in model.runs
        if run.trial.configuration_id == trials[0].configuration_id
    )
    lags, left = run_profiles(run, results.curves)["end"]
    assert lags.tolist() == [0, 1, 2]
    assert left.tolist() == pytest.approx([1, (0.1 * 0.4 * 0.4) ** (1 / 3), (0.01 * 0.1 * 0.1) ** (1 / 3)])


def _write(folder: Path, trial: Trial, sizes: list[float]) -> None:
    name = "gradient/state/rnn.l0.fwd/end"
    series = Series(name=name, axis="lag", x=[float(n) for n in range(len(sizes))], y=sizes)
    write_series(folder / "series" / f"{trial.id}.parquet", [series])


def test_curves_that_cannot_be_read_are_passed_over(tmp_path: Path) -> None:
    folder = varied.study(tmp_path / "s")
    for path in (folder / "series").iterdir():
        path.write_bytes(b"no parquet")
    assert groups(collect([StoredStudy.load(folder)])) == []


def test_thinning_keeps_the_first_and_the_last(data: ReportData) -> None:
    profile = groups(data)[0].profiles[0]
    kept = list(thinned(profile, 10))
    assert len(kept) == 10
    assert kept[0][0] == profile.lags[0]
    assert kept[-1] == profile.last
    assert len(list(thinned(profile, 10_000))) == len(profile.lags)


def test_cells_come_in_the_order_of_a_lecture() -> None:
    assert teaching_order({"gru", "mine", "lstm", "rnn"}) == ["rnn", "lstm", "gru", "mine"]
