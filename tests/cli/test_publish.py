"""A stranger's study, made in another home, folder and on other cores: verified, published, run again,
compared, shown and exported, by commands alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures.command import call
from fixtures.hostile import store
from fixtures.pages import see
from fixtures.records import record
from fixtures.sources import ROOT

from benchsuite.errors import StoreError
from benchsuite.publishing.repository import Repository

MATRIX = """
name = "tiny"
[axes]
task = "mnist_rows"
source = "digits"
cell = "gru"
architecture = "plain"
backend = "numpy"
seed = [0, 1]
[defaults]
size.hidden = 8
recipe.epochs = 1
recipe.limit = 64
protocol.rounds = 3
protocol.warmup_seconds = 0.05
protocol.round_seconds = 0.01
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that a stranger sends."""
    there = tmp_path_factory.mktemp("stranger")
    (there / "home").mkdir()
    (there / "tiny.toml").write_text(MATRIX)
    source = os.pathsep.join(str(ROOT / name) for name in (".", "backends", "tasks", "cells"))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BENCHSUITE_")}
    environment = {
        **kept, "HOME": str(there / "home"), "USER": "grace", "XDG_CACHE_HOME": str(there / "cache"),
        "PYTHONPATH": source,
    }  # fmt: skip
    first = str(min(os.sched_getaffinity(0))) if sys.platform == "linux" else ""
    pinned = ["taskset", "-c", first] if first and shutil.which("taskset") else []
    for arguments in (
        ["run", "tiny.toml", "--tracking-uri", "none"],
        ["bundle", "tiny", "--no-report", "--output", "theirs.zip"],
    ):
        command = [*pinned, sys.executable, "-m", "benchsuite", *arguments]
        done = subprocess.run(
            command, cwd=there, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    shutil.rmtree(there / "results")
    return there / "theirs.zip"


def test_a_strangers_bundle_is_published_run_again_compared_and_shown(bundle: Path, tmp_path: Path) -> None:
    results, again, site = tmp_path / "results", tmp_path / "again", tmp_path / "site"
    said = json.loads(call("publish", str(bundle), "--to", str(results), "--as", "Grace", "--json").stdout)
    assert [(one["level"], one["already"], one["trials"]) for one in said] == [("verified", False, 2)]
    call("site", str(results), "--output", str(site))
    badge = site / "badges" / f"{said[0]['id']}.json"
    assert json.loads(badge.read_text())["message"] == "verified"

    told = call("reproduce", str(bundle), "--output", str(again)).output
    assert "2 trials run again: 2 bit-equal" in told
    assert "HARDWARE" not in told
    compared = call("compare", str(again), "--with", str(results), "--json")
    assert json.loads(compared.stdout)["pairs"] == 2
    assert all(one["verdict"] == "same" for one in json.loads(compared.stdout)["metrics"])
    call("publish", str(again), "--to", str(results), "--as", "Ada")
    call("site", str(results), "--output", str(site))
    assert json.loads(badge.read_text())["message"] == "reproduced by 1 other"
    assert "reproduced by 1 other" in see(site / "index.html").text
    assert [one.reproduces for one in Repository.open(results).submissions()] == ["", "tiny"]


def test_reproduce_keeps_nothing_in_a_study_that_is_there(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "study.json").write_text("{}")
    said = call("reproduce", str(bundle), "--output", str(tmp_path / "there"), code=2)
    assert "holds a study already" in said.output


def test_a_study_as_pytest_benchmark_is_read_by_pytest_benchmark(bundle: Path, tmp_path: Path) -> None:
    storage = pytest.importorskip("pytest_benchmark.storage.file")
    logger = pytest.importorskip("pytest_benchmark.logger")
    folder = tmp_path / "Linux-CPython-3.11-64bit"
    folder.mkdir()
    call("export", str(bundle), "--format", "pytest-benchmark", "--output", str(folder / "0001_tiny.json"))
    found = storage.FileStorage(str(tmp_path), logger.Logger(0), "Linux-CPython-3.11-64bit")
    [(_, loaded)] = list(found.load())
    assert len(loaded["benchmarks"]) == 2
    for one in loaded["benchmarks"]:
        stats = one["stats"]
        assert one["fullname"].startswith("mnist_rows/digits gru plain numpy")
        assert stats["rounds"] == len(stats["data"]) == 3
        assert 0 < stats["min"] <= stats["q1"] <= stats["median"] <= stats["q3"] <= stats["max"]
        assert stats["ops"] == pytest.approx(1 / stats["mean"])
        assert one["extra_info"]["clock"] == "cpu"
    done = subprocess.run(
        [sys.executable, "-m", "pytest_benchmark", "--storage", str(tmp_path), "compare"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("mnist_rows/digits gru plain numpy") == 2


@pytest.mark.parametrize("arguments", [["compare", "a"], ["compare", "a", "b", "--with", "c"]])
def test_compare_needs_two_studies_or_one_and_a_repository(arguments: list[str]) -> None:
    assert "--with REPOSITORY" in call(*arguments, code=2).output


def test_a_site_needs_a_results_repository(tmp_path: Path) -> None:
    assert "benchsuite publish" in call("site", str(tmp_path), code=2).output
    with pytest.raises(StoreError):
        Repository.open(tmp_path)


def test_push_needs_a_git_url(tmp_path: Path) -> None:
    assert "git URL" in call("publish", "quick", "--to", str(tmp_path / "x"), "--push", code=2).output
    assert not (tmp_path / "x").exists()


def test_a_study_that_is_not_there_makes_no_repository(tmp_path: Path) -> None:
    call("publish", str(tmp_path / "missing.zip"), "--to", str(tmp_path / "board"), code=2)
    assert not (tmp_path / "board").exists()


def test_a_refused_study_makes_no_repository(tmp_path: Path) -> None:
    study = store(tmp_path / "refused", [record(0.9)])
    told = call("publish", str(study.folder), "--to", str(tmp_path / "board"), code=2).output
    assert "is not verified" in told
    assert not (tmp_path / "board").exists()
