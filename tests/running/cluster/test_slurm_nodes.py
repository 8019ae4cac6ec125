"""The executor `slurm` on a real Slurm of three nodes on this machine. One dies with all that runs on it.

`tox run -e slurm`, as root, after `apt-get install slurmctld slurmd slurm-client munge`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures.cluster_study import (
    MATRIX,
    begin,
    differences,
    finish,
    journals,
    outlives,
    times_recorded,
)
from fixtures.command import call
from fixtures.scripted import wait_until
from fixtures.slurm_cluster import SlurmCluster, is_installed

from benchsuite.running.study import StoredStudy
from benchsuite.schema import Status

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(not is_installed(), reason="needs root and slurmctld, slurmd, slurm-client, munge"),
]
SLURM = ("--executor", "slurm", "--executor-option", "shards=4")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmCluster]:
    made = SlurmCluster(tmp_path_factory.mktemp("slurm"))
    made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def slurm(cluster: SlurmCluster) -> dict[str, str]:
    """The environment in which commands find the cluster, all of whose nodes are up."""
    cluster.wait_for(3)
    return {"SLURM_CONF": str(cluster.configuration)}


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("matrix") / "nodes.toml"
    path.write_text(MATRIX)
    return path


@pytest.fixture(scope="module")
def alone(matrix: Path, tmp_path_factory: pytest.TempPathFactory) -> StoredStudy:
    """The same study, run by the local executor."""
    results = tmp_path_factory.mktemp("alone")
    finish(begin(matrix, results), 600)
    return StoredStudy.read(results / "nodes")


def kill_a_busy_node(cluster: SlurmCluster) -> str:
    """One that runs a shard dies; its name."""
    node = cluster.busy_nodes()[0]
    cluster.kill(node)
    return node


def test_a_node_that_dies_costs_nothing_but_time(
    cluster: SlurmCluster, slurm: dict[str, str], matrix: Path, alone: StoredStudy, tmp_path: Path
) -> None:
    driver = begin(matrix, tmp_path, *SLURM, **slurm)
    assert wait_until(lambda: len(journals(tmp_path)) >= 2, 120)
    node = kill_a_busy_node(cluster)
    said, _ = driver.communicate(timeout=600)
    cluster.back(node)
    assert driver.returncode == 0, said
    study = StoredStudy.read(tmp_path / "nodes")
    assert {record.status for record in study.records} == {Status.OK}
    assert times_recorded(study.folder) == {1: 12}
    assert differences(study, alone) == []
    assert outlives(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_driver_that_ends_leaves_its_jobs_and_finds_them(
    slurm: dict[str, str], matrix: Path, alone: StoredStudy, tmp_path: Path, number: int
) -> None:
    driver = begin(matrix, tmp_path, *SLURM, **slurm)
    assert wait_until(lambda: bool(journals(tmp_path)), 120)
    driver.send_signal(number)
    said, _ = driver.communicate(timeout=60)
    if number == signal.SIGINT:
        assert (driver.returncode, "`benchsuite cancel nodes` ends them" in said) == (130, True), said
    again = begin(matrix, tmp_path, *SLURM, **slurm)
    said, _ = again.communicate(timeout=600)
    assert again.returncode == 0, said
    assert "are watched again" in said
    study = StoredStudy.read(tmp_path / "nodes")
    assert times_recorded(study.folder) == {1: 12}
    assert differences(study, alone) == []


def test_cancel_ends_the_jobs_and_the_next_run_keeps_what_they_recorded(
    cluster: SlurmCluster,
    slurm: dict[str, str],
    matrix: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    driver = begin(matrix, tmp_path, *SLURM, "--executor-option", "parallel=1", **slurm)
    assert wait_until(lambda: bool(journals(tmp_path)), 120)
    driver.kill()
    driver.wait()
    for name, value in slurm.items():
        monkeypatch.setenv(name, value)
    assert "is cancelled" in call("cancel", "nodes", "--results", str(tmp_path)).output
    assert wait_until(lambda: not cluster.busy_nodes(), 60)
    assert outlives(tmp_path) == []
    again = begin(matrix, tmp_path, *SLURM, **slurm)
    said, _ = again.communicate(timeout=600)
    assert again.returncode == 0, said
    assert times_recorded(tmp_path / "nodes") == {1: 12}


def test_a_job_whose_time_ends_is_queued_again(slurm: dict[str, str], tmp_path: Path) -> None:
    """The partition `short` ends jobs after two minutes; a minute before, they are told."""
    matrix = tmp_path / "nodes.toml"
    seeds = MATRIX.replace("[0, 1, 2, 3]", str(list(range(400))))
    matrix.write_text(seeds.replace('["rnn", "lstm", "gru"]', '"rnn"'))
    options = ("--executor", "slurm", "--executor-option", "shards=1", "--executor-option", "partition=short")
    driver = begin(matrix, tmp_path, *options, **slurm)
    said, _ = driver.communicate(timeout=1200)
    assert driver.returncode == 0, said
    assert times_recorded(tmp_path / "nodes") == {1: 400}
    logs = "".join(path.read_text() for path in (tmp_path / "nodes").glob(".cluster/*/logs/*.out"))
    assert "DUE TO JOB REQUEUE" in logs


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("partition=gpu", "this cluster has no partition 'gpu'; it has all, short"),
        ("sbatch.constraint=none_such", "the jobs are refused"),
        ("sbatch.no-such-option=1", "the jobs are refused"),
    ],
)
def test_what_slurm_refuses_is_said_in_a_sentence(
    slurm: dict[str, str], matrix: Path, tmp_path: Path, option: str, message: str
) -> None:
    driver = begin(matrix, tmp_path, *SLURM, "--executor-option", option, **slurm)
    said, _ = driver.communicate(timeout=120)
    assert driver.returncode == 2, said
    assert message in said.splitlines()[-1]
    assert not list((tmp_path / "nodes").glob(".cluster/*"))


@pytest.mark.slow
def test_quick_on_four_shards_with_a_node_that_dies_is_the_local_quick(
    cluster: SlurmCluster, slurm: dict[str, str], tmp_path: Path
) -> None:
    """BENCHSUITE_TEST_BACKENDS says which backends, by default all that are here."""
    backends = os.environ.get("BENCHSUITE_TEST_BACKENDS", "")
    asked = ["--backend", backends] if backends else []
    finish(begin("quick", tmp_path / "alone", *asked), 3000)
    driver = begin("quick", tmp_path / "cluster", *asked, *SLURM, **slurm)
    assert wait_until(lambda: len(journals(tmp_path / "cluster")) >= 4, 600)
    node = kill_a_busy_node(cluster)
    said, _ = driver.communicate(timeout=3000)
    cluster.back(node)
    assert driver.returncode == 0, said
    study, alone = (
        StoredStudy.read(tmp_path / "cluster" / "quick"),
        StoredStudy.read(tmp_path / "alone" / "quick"),
    )
    assert set(times_recorded(study.folder)) == {1}
    assert differences(study, alone) == []
    assert outlives(tmp_path) == []
