"""Links and views of MLflow's pages: one link per study, which opens on what people compare."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fixtures.planted import planted
from fixtures.shards import write_study

from benchsuite.schema import Record, Status
from benchsuite.trackers import descriptions, views
from benchsuite.trackers import mlflow as tracker

pytest.importorskip("mlflow")


@pytest.fixture(scope="module")
def mirrored(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """(client, folder, lines) of a study of two tasks and two seeds."""
    from mlflow import MlflowClient

    folder = tmp_path_factory.mktemp("views")
    data = {"data.sha256": "ab" * 32, "data.licence": "CC0", "hardware.cpu": "X"}
    records = [
        planted(value, cell=cell, task=task, seed=seed).model_copy(update={"environment": data})
        for task, value in (("digits", 0.9), ("other", 0.4))
        for cell in ("lstm", "gru")
        for seed in (0, 1)
    ]
    study = write_study(folder / "s", records)
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    _, lines = tracker.sync(study.folder, uri)
    return MlflowClient(uri), folder, lines


def test_a_study_of_several_tasks_has_one_link_to_a_page_that_has_one_for_each(mirrored: Any) -> None:
    client, _, lines = mirrored
    assert [line.count("http") for line in lines] == [0, 1]
    page = urlsplit(lines[1].rpartition(" ")[2]).fragment.partition("?")[0]
    run = client.get_run(page.rpartition("/")[2])
    note = run.data.tags[descriptions.NOTE]
    assert note.startswith("Study s: 8 trials of 2 tasks.")
    for task in ("digits", "other"):
        experiment = client.get_experiment_by_name(f"benchsuite/{task}")
        assert f"#/experiments/{experiment.experiment_id}/runs?" in note
        [row] = [line for line in note.splitlines() if line.startswith(f"| {task} / ")]
        assert "accuracy" in row


def test_the_page_of_a_task_opens_on_metric_loss_and_speed_the_best_runs_first(mirrored: Any) -> None:
    client, _, _ = mirrored
    experiment = client.get_experiment_by_name("benchsuite/digits")
    assert experiment.tags[views.KIND_TAG] == views.KIND
    [(key, text)] = [
        (name.removeprefix(views.VIEW_TAG), text)
        for name, text in experiment.tags.items()
        if name.startswith(views.VIEW_TAG)
    ]
    link = views.view_link("http://h", experiment.experiment_id, key)
    assert parse_qs(urlsplit(link).fragment.partition("?")[2])["viewStateShareKey"] == [key]
    shown = json.loads(text)
    assert [one["metricKey"] for one in shown["compareRunCharts"]] == [
        "test/accuracy",
        "train/loss",
        "speed/sequences_per_second",
    ]
    assert [one["name"] for one in shown["compareRunSections"] if one["display"]] == [views.OPEN_SECTION]
    assert {one["metricSectionId"] for one in shown["compareRunCharts"]} == {
        shown["compareRunSections"][0]["uuid"]
    }
    assert (shown["orderByKey"], shown["orderByAsc"]) == ("metrics.`test/accuracy`", False)
    found = client.search_runs([experiment.experiment_id], shown["searchFilter"])
    assert len(found) == 4
    assert len(text) < 5_000  # what the tag of an experiment may hold


def test_a_metric_that_is_better_when_lower_is_sorted_so() -> None:
    shown = json.loads(views.view("test/mse", False, "x"))
    assert shown["orderByAsc"] is True
    assert "lower is better" in shown["compareRunCharts"][0]["displayName"]


def test_a_run_has_its_data_its_user_its_source_and_a_sentence(mirrored: Any) -> None:
    client, _, _ = mirrored
    experiment = client.get_experiment_by_name("benchsuite/digits")
    run = client.search_runs([experiment.experiment_id], max_results=1)[0]
    [data] = run.inputs.dataset_inputs
    assert (data.dataset.name.partition("/")[0], data.dataset.digest) == ("digits", ("ab" * 32)[:16])
    assert json.loads(data.dataset.profile) == {"sha256": "ab" * 32, "licence": "CC0"}
    assert {tag.key: tag.value for tag in data.tags}["licence"] == "CC0"
    assert run.data.tags["mlflow.user"]
    assert run.data.tags["mlflow.source.name"].startswith("benchsuite run")
    sentence = run.data.tags[descriptions.NOTE]
    assert "on digits / " in sentence
    assert "test accuracy 0.9" in sentence
    assert sentence.endswith(".")


@pytest.mark.parametrize("status", [Status.FAILED, Status.DIVERGED])
def test_the_sentence_of_a_trial_that_did_not_end_well_says_why(status: Status) -> None:
    one = planted().model_copy(update={"status": status, "reason": "the loss was NaN"})
    assert descriptions.trial_sentence(one).endswith(f": {status}, the loss was NaN.")


def test_a_sentence_has_room_for_any_figure() -> None:
    one = planted(math.nan)
    assert "NaN" in descriptions.trial_sentence(one)
    assert descriptions.trial_sentence(Record(trial=one.trial, status=Status.OK)).endswith(".")


def test_search_runs_gives_a_frame_that_can_be_plotted_at_once(mirrored: Any) -> None:
    import mlflow

    _, folder, _ = mirrored
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    frame = mlflow.search_runs(experiment_names=["benchsuite/digits"])
    table = frame.pivot_table(index="params.cell", columns="params.seed", values="metrics.test/accuracy")
    assert table.shape == (2, 2)
    assert table.notna().all().all()
    assert {"params.task", "params.hidden", "params.epochs", "params.learning_rate"} <= set(frame.columns)


def test_an_experiment_of_an_earlier_version_opens_on_its_runs_too(tmp_path: Path) -> None:
    from mlflow import MlflowClient

    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    client = MlflowClient(uri)
    client.create_experiment("benchsuite/digits")
    study = write_study(tmp_path / "s", [planted()])
    _, lines = tracker.sync(study.folder, uri)
    known = client.get_experiment_by_name("benchsuite/digits")
    assert known is not None
    assert known.tags[views.KIND_TAG] == views.KIND
    assert f"/#/experiments/{known.experiment_id}/runs?workflowType=machine_learning" in lines[-1]
