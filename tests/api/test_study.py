"""benchsuite.Study: tables, frames, comparisons and charts say what benchsuite.analysis says."""

from __future__ import annotations

import html.parser
import importlib.util
import json
import math
import sys
from pathlib import Path
from typing import Any

import pytest
from fixtures import varied
from fixtures.planted import planted, vanishing_at_the_start_alone

import benchsuite
from benchsuite import Study
from benchsuite.analysis.ranking import rankings
from benchsuite.api.compared import COMPARISON_COLUMNS
from benchsuite.api.study import CURVE_COLUMNS
from benchsuite.api.tables import RANKING_COLUMNS
from benchsuite.errors import MissingFrameworkError, RequestError, UnknownNameError
from benchsuite.running.study.columns import FRAME_COLUMNS, is_described
from benchsuite.schema import INVALID_TIMING, Record, Status

PLOTS = [name for name in vars(Study) if name.startswith("plot_")]
needs_altair = pytest.mark.skipif(importlib.util.find_spec("altair") is None, reason="needs altair")


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Several tasks, cells, backends and seeds, with curves."""
    return Study.load(varied.study(tmp_path_factory.mktemp("study") / "varied"))


def of(records: list[Record], tmp_path: Path) -> Study:
    return Study("s", tmp_path, records)


def test_every_column_of_a_frame_is_described_and_occurs(study: Study) -> None:
    columns = list(study.frame().columns)
    assert [name for name in columns if not is_described(name)] == []
    assert set(FRAME_COLUMNS) <= set(columns)


def test_a_ranking_has_the_order_and_the_figures_of_the_analysis(study: Study) -> None:
    frame: Any = study.ranking()
    assert list(frame.columns) == list(RANKING_COLUMNS)
    expected = [
        (ranking.place(model), model.name, model.metric.mean if model.metric else math.nan)
        for ranking in rankings(study.records)
        for model in ranking.models
    ]
    found = list(zip(frame["rank"], frame["model"], frame["value"], strict=True))
    assert found == [pytest.approx(one) if one[2] == one[2] else one for one in expected]
    assert frame["task"].nunique() == len(rankings(study.records))


def test_a_model_that_cannot_be_told_from_the_best_is_marked(tmp_path: Path) -> None:
    near = [
        planted(value, cell=cell, seed=seed)
        for cell, values in (("lstm", (0.9, 0.8, 0.7)), ("gru", (0.89, 0.81, 0.70)), ("rnn", (0.5, 0.4, 0.3)))
        for seed, value in enumerate(values)
    ]
    frame: Any = of(near, tmp_path).ranking().set_index("model")
    assert frame["tied_with_best"].to_dict() == {"lstm plain": True, "gru plain": True, "rnn plain": False}
    assert frame.loc["lstm plain", "low"] < 0.8 < frame.loc["lstm plain", "high"]
    assert frame.loc["lstm plain", "seeds"] == 3


@pytest.mark.parametrize("word", INVALID_TIMING)
def test_a_refused_timing_has_no_speed_in_any_table(word: str, tmp_path: Path) -> None:
    study = of([planted(timing=word)], tmp_path)
    [row] = study.ranking().to_dict("records")
    assert math.isnan(row["sequences_per_second"])
    assert "timing refused" in row["cautions"]
    assert "678" not in study._repr_html_()


def test_the_table_has_models_by_tasks(study: Study) -> None:
    table: Any = study.table()
    assert len(table.columns) == len(rankings(study.records))
    assert table.index.name == "model"
    for ranking, heading in zip(rankings(study.records), table.columns, strict=True):
        assert heading.endswith("↑" if ranking.higher_is_better else "↓")
        assert table.loc[ranking.models[0].name, heading]


class Checked(html.parser.HTMLParser):
    """Text and tags of HTML, every tag closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, _: object) -> None:
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data + " "


def test_a_notebook_shows_the_table_and_what_is_not_in_it(study: Study, tmp_path: Path) -> None:
    shown = Checked(study._repr_html_())
    assert all(ranking.models[0].name in shown.text for ranking in rankings(study.records))
    bad = [planted(), planted(cell="gru", status=Status.FAILED, reason="<b>no & never")]
    shown = Checked(of(bad, tmp_path)._repr_html_())
    assert "failed: 1 (<b>no & never)" in " ".join(shown.text.split())
    assert "lstm plain" in shown.text
    assert Checked(of([], tmp_path)._repr_html_()).text.split() == ["s", ":", "0", "trials"]


def test_where_keeps_the_trials_that_have_the_values(study: Study) -> None:
    cells = sorted({one.trial.cell for one in study.records})
    kept = study.where(cell=cells[:2]).where(backend=study.records[0].trial.backend)
    assert {one.trial.cell for one in kept.records} <= set(cells[:2])
    assert {one.trial.backend for one in kept.records} == {study.records[0].trial.backend}
    assert set(kept.selected) == {"cell", "backend"}
    some = study.records[0].trial.recipe.epochs
    assert study.where(recipe__epochs=some).records
    with pytest.raises(RequestError, match="no trial of varied has cell=lstn"):
        study.where(cell="lstn")
    with pytest.raises(RequestError, match="cel"):
        study.where(cel="lstm")


def test_a_comparison_says_what_the_command_says(tmp_path: Path) -> None:
    records = [
        planted(0.5 + 0.2 * (cell == "lstm") + 0.01 * seed, cell=cell, seed=seed)
        for cell in ("rnn", "lstm")
        for seed in range(5)
    ]
    study = of(records, tmp_path)
    found = study.where(cell="rnn").compare(study.where(cell="lstm"))
    assert (found.verdict, found.pairs) == ("better", 5)
    frame: Any = found.frame()
    assert list(frame.columns) == list(COMPARISON_COLUMNS)
    assert frame.loc[0, "difference"] == pytest.approx(0.2)
    assert "s:cell=lstm" in str(found)
    assert "better" in Checked(found._repr_html_()).text


def test_curves_are_a_tidy_frame(study: Study) -> None:
    everything: Any = study.curves()
    assert list(everything.columns) == list(CURVE_COLUMNS)
    name = everything.loc[0, "name"]
    kept: Any = study.curves(name)
    assert set(kept["name"]) == {name}
    one = study.series(kept.loc[0, "trial_id"])
    expected = next(series for series in one if series.name == name)
    found = kept[kept["trial_id"] == kept.loc[0, "trial_id"]]
    assert found["y"].tolist() == expected.y
    assert study.curves("no such curve").empty


@needs_altair
@pytest.mark.parametrize("name", PLOTS)
def test_a_chart_is_valid_alone_and_for_all_tasks(name: str, study: Study) -> None:
    plot = getattr(study, name)
    every = plot().to_dict()
    ranked: Any = study.ranking()
    first = ranked.loc[0, "task"]
    if name != "plot_gradients":
        assert plot(first).properties(title="mine").to_dict()["title"] == "mine"
    assert '"values": [{' in json.dumps(every) or "datasets" in every
    with pytest.raises(UnknownNameError, match="task of varied"):
        plot("nothing")


@needs_altair
@pytest.mark.parametrize("name", PLOTS)
def test_a_chart_of_nothing_is_refused_in_words(name: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="none of its trials has a result"):
        getattr(of([planted(status=Status.FAILED, reason="no")], tmp_path), name)()


def test_a_chart_without_altair_names_the_extra(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "altair", None)
    with pytest.raises(MissingFrameworkError, match="report"):
        study.plot_ranking()


@needs_altair
def test_the_report_is_written(tmp_path: Path) -> None:
    from fixtures.shards import write_study

    stored = write_study(tmp_path / "s", vanishing_at_the_start_alone())
    opened = Study.of(stored).report(tmp_path / "out", "markdown")
    assert opened.is_file()
    with pytest.raises(UnknownNameError, match="format"):
        Study.of(stored).report(tmp_path / "out", "word")


def test_what_the_package_offers_is_in_the_reference() -> None:
    from fixtures.sources import ROOT

    text = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    for name in benchsuite.__all__:
        assert f":: benchsuite.{name}\n" in text, name
        assert getattr(benchsuite, name).__doc__ or name == "hookimpl"
    assert sorted(benchsuite.__all__) == benchsuite.__all__
    assert set(benchsuite.__all__) <= set(dir(benchsuite))
