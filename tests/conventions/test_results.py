"""The study that is kept can be read, is whole, and is the one whose tables stand beside it."""

from __future__ import annotations

import pytest
from fixtures.sources import ROOT

from benchsuite.analysis.validity import is_ranked
from benchsuite.plugins import registry
from benchsuite.publishing.bundle import unpacked
from benchsuite.running.matrix import load_matrix, select
from benchsuite.running.study import StoredStudy

BUNDLE = ROOT / "results" / "quick-cpu.crate.zip"
ADDED_LATER = {"associative_recall", "selective_copy", "state_tracking"}
"""Tasks of `quick` that it did not have yet when the study was run."""


def test_every_trial_of_the_kept_study_is_ok_at_parity_and_has_its_curves() -> None:
    with unpacked(BUNDLE) as folder:
        study = StoredStudy.load(folder)
        assert len(study.records) > 150
        assert all(is_ranked(record) for record in study.records)
        assert all(study.series(record.trial_id) for record in study.records[::20])
        named = {record.trial.task for record in study.records}
    now = {trial.task for trial in select(load_matrix("quick"), registry(), None, ()).trials}
    assert named == now - ADDED_LATER
    assert not ADDED_LATER - now


def test_its_trials_have_the_ids_under_which_their_curves_are_kept() -> None:
    with unpacked(BUNDLE) as folder:
        study = StoredStudy.load(folder)
        kept = {file.name.partition(".")[0] for file in folder.rglob("*") if file.is_file()}
        assert {record.trial.id for record in study.records} <= kept


def test_its_tables_stand_beside_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    from benchsuite.report import write_report

    output = tmp_path_factory.mktemp("report")
    with unpacked(BUNDLE) as folder:
        write_report([StoredStudy.load(folder)], output, ["markdown"])
    told = (output / "report.md").read_text(encoding="utf-8").splitlines()
    readme = (ROOT / "results" / "README.md").read_text(encoding="utf-8").splitlines()
    tables = [line for line in told[: told.index("### What was run")] if line.startswith("|")]
    assert len(tables) > 60
    assert [line for line in tables if line not in readme] == []
