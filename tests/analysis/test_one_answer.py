"""One set of planted records is sent through every output, and one answer is asked of all: the terminal, the
report in all formats, Study.frame() and export, races, comparisons and the MLflow mirror."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fixtures import planted
from fixtures.command import call
from fixtures.pages import see
from fixtures.printed import printed

from benchsuite.analysis.comparison import Selection, StudyComparison, Verdict, compare
from benchsuite.report import write_report
from benchsuite.running.races import race_groups
from benchsuite.running.store import StudyStore
from benchsuite.running.study import StoredStudy
from benchsuite.schema import INVALID_TIMING, Record, Status
from benchsuite.trackers import mlflow as tracker

pytest.importorskip("mlflow")
pytest.importorskip("altair")


@dataclass
class Outputs:
    """Everything that is said of one study's records."""

    records: list[Record]
    folder: Path

    @cached_property
    def study(self) -> StoredStudy:
        store = StudyStore(self.folder / "results" / "mine")
        with store.writing():
            store.describe({"matrix": {"name": "mine", "text": ""}})
            for record in self.records:
                store.append(record)
        return StoredStudy.load(store.folder)

    @cached_property
    def terminal(self) -> str:
        return printed(self.study.records)

    @cached_property
    def _report(self) -> Path:
        write_report([self.study], self.folder / "report", ["html", "markdown", "latex"])
        return self.folder / "report"

    @cached_property
    def html(self) -> str:
        """The text and the data of all pages."""
        pages = [see(path) for path in sorted(self._report.rglob("*.html"))]
        return "\n".join(part for page in pages for part in (page.text, json.dumps(page.data)))

    @cached_property
    def markdown(self) -> str:
        return (self._report / "report.md").read_text("utf-8")

    @cached_property
    def latex(self) -> str:
        return "\n".join(path.read_text("utf-8") for path in sorted(self._report.rglob("*.tex")))

    @cached_property
    def report(self) -> dict[str, str]:
        """Format -> text, those that hold sentences."""
        return {"html": self.html, "markdown": self.markdown}

    @property
    def texts(self) -> dict[str, str]:
        """Everything that is written for people."""
        return {"terminal": self.terminal, **self.report}

    @cached_property
    def frame(self) -> pd.DataFrame:
        return self.study.frame()

    @cached_property
    def exported(self) -> pd.DataFrame:
        path = self.folder / "table.csv"
        call("export", str(self.study.folder), "--format", "csv", "--output", str(path))
        return pd.read_csv(path)

    @cached_property
    def mirrored(self) -> dict[str, Any]:
        """Trial id -> its run in an MLflow store."""
        from mlflow import MlflowClient

        uri = f"sqlite:///{self.folder / 'mlflow.db'}"
        tracker.sync(self.study.folder, uri)
        client = MlflowClient(uri)
        experiments = {one.name: one.experiment_id for one in client.search_experiments()}
        runs = client.search_runs([experiments["benchsuite/digits"]])
        return {run.data.tags["benchsuite.key"]: run for run in runs}

    def races(self) -> list[list[str]]:
        """The racers of each race."""
        groups, _ = race_groups(self.study.records)
        return [sorted(trial.backend for trial in group.racers.values()) for group in groups]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with MLflow's tables: making them takes seconds, so it is done once and copied."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("mlflow") / "empty.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def outputs(tmp_path: Path, database: Path) -> Callable[[list[Record]], Outputs]:
    def of(records: list[Record]) -> Outputs:
        shutil.copy(database, tmp_path / "mlflow.db")
        return Outputs(records, tmp_path)

    return of


def compared(a: list[Record], b: list[Record]) -> StudyComparison:
    return compare(a, b, Selection("a"), Selection("b"))


def cells(text: str, word: str) -> list[list[str]]:
    """Cells of the terminal's lines that hold `word`."""
    return [
        [cell.strip() for cell in line.split("  ") if cell.strip()]
        for line in text.splitlines()
        if word in line
    ]


def ranks(markdown: str) -> dict[str, str]:
    """Model -> rank, of the first table of a report."""
    rows = re.findall(r"^\| (\d+) \| (\w+ \w+)", markdown, re.M)
    return {name: rank for rank, name in reversed(rows)}


@pytest.mark.parametrize("word", INVALID_TIMING)
def test_a_refused_timing_is_no_speed_anywhere(outputs: Callable[[list[Record]], Outputs], word: str) -> None:
    found = outputs(planted.refused(word))
    jax = {record.trial_id for record in found.study.records if record.trial.backend == "jax"}
    for name, text in {**found.texts, "latex": found.latex}.items():
        assert not [wrong for wrong in planted.BOGUS_SPEED if wrong in text], name
        assert not re.search(r"jax[\w ]* has the fastest|[Ff]astest (steps )?with jax", text), name
    for name, text in found.texts.items():
        assert f"the timing is refused: {INVALID_TIMING[word]}" in text, name
        assert "torch" in text, name
    for table in (found.frame, found.exported):
        rows = table[table["trial_id"].isin(jax)]
        assert set(rows["problem"]) == {word}
        assert set(rows["problem_reason"]) == {f"the timing is refused: {INVALID_TIMING[word]}"}
        assert rows["speed/sequences_per_second"].isna().all()
        assert rows["ranked"].all()
        others = table[~table["trial_id"].isin(jax)]
        assert others["speed/sequences_per_second"].notna().all()
    for trial, run in found.mirrored.items():
        assert ("speed/sequences_per_second" in run.data.metrics) is (trial not in jax)
        assert run.data.tags.get("benchsuite.problem", "") == (word if trial in jax else "")
        assert run.data.tags["benchsuite.ranked"] == "true"
    assert found.races() == [["numpy", "torch"]] * 3
    made = compared(planted.refused("stable"), planted.refused(word))
    assert not [effect for effect in made.speeds if "jax" in effect.where]
    assert [reason for reason in made.gate(0.05) if "jax" in reason and INVALID_TIMING[word] in reason]


@pytest.mark.parametrize("word", INVALID_TIMING)
def test_a_command_whose_trials_have_a_refused_timing_ends_with_one(word: str) -> None:
    from benchsuite.cli.summary import failed

    assert failed(planted.refused(word))
    assert not failed(planted.refused("stable"))


def test_one_thread_and_four_are_compared_by_wall_time(
    outputs: Callable[[list[Record]], Outputs],
) -> None:
    found = outputs(planted.one_and_four_threads())
    assert "numpy threads=4 (3 times numpy threads=1)" in found.terminal
    for name, text in found.report.items():
        assert "Fastest steps with numpy threads=4, 2,500 sequences/s: 3 times as fast as" in text, name
    assert found.races() == [["numpy", "numpy"]] * 3
    one, four = (
        [record for record in found.records if record.trial.execution.threads == threads]
        for threads in (1, 4)
    )
    left, right = Selection("a", {"execution.threads": ("1",)}), Selection("a", {"execution.threads": ("4",)})
    made = compare(one, four, left, right)
    [effect] = made.speeds
    assert (effect.verdict, effect.clock) == (Verdict.BETTER, "wall")
    assert effect.a / effect.b == pytest.approx(3.0)
    assert not made.gate(0.05)


def test_sizes_are_no_replicates(outputs: Callable[[list[Record]], Outputs]) -> None:
    found = outputs(planted.three_sizes())
    made = compared(planted.three_sizes(), planted.three_sizes(gain=0.05))
    assert not made.by_model
    assert [(effect.n, effect.verdict) for effect in made.metrics] == [(1, Verdict.UNCLEAR)]
    assert len([row for row in cells(found.terminal, "hidden=") if "one seed" in row]) == 3
    for name, text in found.report.items():
        assert "One seed: no interval and no test" in text, name
    assert found.frame["configuration_id"].nunique() == 3
    assert found.races() == []


def test_how_long_is_timed_makes_no_other_model(outputs: Callable[[list[Record]], Outputs]) -> None:
    found = outputs(planted.rounds_apart())
    assert "torch (2 times numpy)" in found.terminal
    for name, text in found.report.items():
        assert "The only model with a result" in text, name
        assert "2 times as fast as numpy" in text, name
    assert found.races() == [["numpy", "torch"]]


def test_both_answers_on_speed_are_given_together(outputs: Callable[[list[Record]], Outputs]) -> None:
    found = outputs(planted.fast_but_late())
    rows = [row for row in cells(found.terminal, "lstm plain") if "numpy" in row]
    assert rows[0][-3:] == ["jax (1.5 times torch)", "numpy", "160,000"]
    for name, text in found.report.items():
        assert "Fastest steps with jax" in text, name
        assert "Trained soonest with numpy, in 15.0 s" in text, name
        assert "pay from about 160,000 steps on" in text, name
        assert "Trains fastest with jax" not in text, name


def test_no_sentence_speaks_of_what_did_not_happen(outputs: Callable[[list[Record]], Outputs]) -> None:
    found = outputs(planted.all_timed_out())
    for name, text in found.texts.items():
        assert "timeout" in text, name
        assert not re.search(r"proved equal|agrees? with it|Every trial ended well", text), name
    assert not found.frame["ranked"].any()
    assert set(found.frame["problem"]) == {"timeout"}
    assert {run.data.tags["benchsuite.ranked"] for run in found.mirrored.values()} == {"false"}
    assert found.races() == []


def test_a_verdict_and_its_half_life_are_of_one_snapshot(outputs: Callable[[list[Record]], Outputs]) -> None:
    found = outputs(planted.vanishing_at_the_start_alone())
    row = cells(found.terminal, "gru plain")[0]
    assert row[4:6] == ["vanishing, 2.6 steps", "stable, 33 steps"]
    assert "vanishing (2.6 steps) | stable (33 steps)" in found.markdown
    assert re.search(r"vanishing \(2.6 steps\)\s*stable \(33 steps\)", found.html)
    assert "vanishing (2.6 steps) & stable (33 steps)" in found.latex
    for verdicts in (
        found.frame.iloc[0].to_dict(),
        {
            name.removeprefix("benchsuite."): word
            for run in found.mirrored.values()
            for name, word in run.data.tags.items()
        },
    ):
        assert verdicts["verdict.gradient_start"] == "vanishing"
        assert verdicts["verdict.gradient_end"] == "stable"
        assert "verdict.gradient" not in verdicts


def test_a_half_life_that_is_infinite_is_not_blank(outputs: Callable[[list[Record]], Outputs]) -> None:
    found = outputs(planted.infinite_half_life())
    assert "stable, ∞" in found.terminal
    for name, text in found.report.items():
        assert "stable (∞)" in text, name
    assert r"\infty" in found.latex or "∞" in found.latex
    assert found.frame["gradient/half_life_steps_end"].tolist() == [float("inf")]
    [run] = found.mirrored.values()
    assert "gradient/half_life_steps_end" in run.data.tags["benchsuite.infinite"]


def test_a_model_that_was_still_improving_is_ranked_with_a_caution(
    outputs: Callable[[list[Record]], Outputs],
) -> None:
    found = outputs(planted.still_improving())
    assert "still improving" in cells(found.terminal, "lstm plain")[0][-1]
    assert "still improving" not in cells(found.terminal, "gru plain")[0][-1]
    for name, text in {**found.texts, "latex": found.latex}.items():
        assert "still improving" in text, name


def test_what_a_test_does_not_tell_apart_is_called_so_everywhere(
    outputs: Callable[[list[Record]], Outputs],
) -> None:
    found = outputs(planted.not_told_apart())
    text = found.terminal
    assert "0.70 ± 0.20 (n=3)" in text
    assert [cells(text, f"{cell} plain")[0][0] for cell in ("lstm", "gru", "rnn")] == ["1", "2 ≈", "3"]
    assert "not distinguishable from lstm plain with n = 3: gru plain (4 seeds would tell)" in text
    for name, text in found.report.items():
        assert "Not distinguishable from it with n = 3: gru plain" in text, name
        assert "about 4 seeds" in text, name
    assert "not distinguishable{,} n = 3" in found.latex


def test_a_model_below_a_baseline_is_remarked_everywhere(outputs: Callable[[list[Record]], Outputs]) -> None:
    found = outputs(planted.not_told_apart())
    assert "below baseline" in cells(found.terminal, "rnn plain")[0][-1]
    for name, text in {**found.report, "latex": found.latex}.items():
        assert "below baseline" in text, name


def test_a_disturbed_timing_is_not_steady_and_compared_by_processor_time(
    outputs: Callable[[list[Record]], Outputs],
) -> None:
    found = outputs(planted.disturbed())
    assert "by CPU time" in found.terminal
    assert [row[1] for row in cells(found.terminal, "lstm plain")][1].startswith("~24,000")
    for name, text in {**found.texts, "latex": found.latex}.items():
        assert "not steady" in text, name
        assert not re.search(r"torch[\w ]* has the fastest|[Ff]astest (steps )?with torch", text), name
    numpy = found.frame["backend"] == "numpy"
    assert found.frame.loc[numpy, "unsteady"].str.contains("something else had the core").all()
    assert (found.frame.loc[~numpy, "unsteady"] == "").all()
    assert sum("benchsuite.unsteady" in run.data.tags for run in found.mirrored.values()) == 3
    first, second = (
        [one for one in found.records if one.trial.backend == name] for name in ("torch", "numpy")
    )
    left, right = Selection("a", {"backend": ("torch",)}), Selection("a", {"backend": ("numpy",)})
    [effect] = compare(first, second, left, right).speeds
    assert (effect.verdict, effect.clock) == (Verdict.BETTER, "cpu")


@pytest.mark.parametrize("difference", [0.0, 1.5e-9])
def test_equal_figures_have_one_rank(outputs: Callable[[list[Record]], Outputs], difference: float) -> None:
    found = outputs(planted.equal(difference))
    expected = {"lstm plain": "1", "gru plain": "1", "rnn plain": "3"}
    assert {name: cells(found.terminal, name)[0][0] for name in expected} == expected
    assert ranks(found.markdown) == expected
    for name, rank in expected.items():
        assert re.search(rf"^{rank} & {name} &", found.latex, re.M)


def test_a_gate_fails_where_every_trial_of_b_failed_or_nothing_could_be_compared() -> None:
    failed = [
        record.model_copy(update={"status": Status.FAILED, "reason": "out of memory"})
        for record in planted.equal(0.0)
    ]
    assert all("out of memory" in reason for reason in compared(planted.equal(0.0), failed).gate(0.05)[:-1])
    for b in (failed, [planted.planted(0.9, seed=9)]):
        assert (
            compared(planted.equal(0.0), b).gate(0.05)[-1] == "no trial of A could be compared with one of B"
        )
    assert not compared(planted.equal(0.0), planted.equal(0.0)).gate(0.05)


def test_trials_that_differ_in_one_option_have_labels_of_their_own(
    outputs: Callable[[list[Record]], Outputs],
) -> None:
    found = outputs(planted.three_horizons(Status.FAILED))
    for name, text in found.texts.items():
        for horizon in (24, 48, 96):
            assert f"seed 0 horizon={horizon}" in text, name
    assert found.frame["label"].nunique() == 3
    assert len({run.info.run_name for run in found.mirrored.values()}) == 3
    assert len({run.data.tags["benchsuite.label"] for run in found.mirrored.values()}) == 3
    assert len(set(compared(planted.three_horizons(), found.records).gate(0.05))) == 4
