"""The report as files that MLflow shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fixtures.planted import planted
from fixtures.shards import write_study

from benchsuite.errors import RequestError
from benchsuite.trackers import mlflow as tracker
from benchsuite.trackers.report_files import PAGE, PICTURES, report_files

pytest.importorskip("mlflow")
pytest.importorskip("altair")
pytest.importorskip("vl_convert")


def test_the_study_s_run_has_a_page_that_stands_alone_and_its_pictures(tmp_path: Path) -> None:
    from mlflow import MlflowClient

    study = write_study(
        tmp_path / "s", [planted(value, cell=cell) for cell, value in (("lstm", 0.9), ("gru", 0.8))]
    )
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    tracker.sync(study.folder, uri, with_report=True)
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("benchsuite/studies")
    assert experiment is not None
    [run] = client.search_runs([experiment.experiment_id])
    page = Path(client.download_artifacts(run.info.run_id, f"report/{PAGE}")).read_text(encoding="utf-8")
    assert not re.findall(r'<(?:link|script|img)[^>]+(?:src|href)="(?!data:)', page)
    assert "data:image/svg+xml;base64," in page
    assert "lstm plain" in page
    assert "Content-Security-Policy" not in page
    assert not re.findall(r'<a href="(?!#|[a-z]+:)', page)
    pictures = [one.path for one in client.list_artifacts(run.info.run_id, f"report/{PICTURES}")]
    assert pictures
    assert all(name.endswith(".png") for name in pictures)


def test_a_report_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"the report for MLflow was not made: .*no study"):
        report_files(tmp_path / "nothing", tmp_path)
