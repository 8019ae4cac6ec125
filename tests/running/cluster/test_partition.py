"""What Slurm says of a partition, and how many shards it has room for."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures.scripted import scripted_trial

from benchsuite.contracts import RunOptions
from benchsuite.errors import RequestError
from benchsuite.running.cluster.partition import Node, Partition, minutes, most_array_tasks, read_partition
from benchsuite.running.cluster.scheduler import MIB, Need, shard_need

SINFO = "\\n".join(
    (
        "all*|1-00:00:00|8|16000+|gpu:a100:2(S:0-1)",
        "all*|1-00:00:00|4|8000|(null)",
        "slow|infinite|2|4000|gpu:1,gpu:t4:1",
    )
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("infinite", None),
        ("n/a", None),
        ("30", 30),
        ("2:00", 2),
        ("0:30", 1),
        ("2:00:00", 120),
        ("1-00:00:00", 1440),
        ("2-12", 3600),
        ("1-00:30", 1470),
    ],
)
def test_times_of_slurm_are_minutes(text: str, expected: int | None) -> None:
    assert minutes(text) == expected


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs that answer as Slurm's do; nothing else is on the path."""
    monkeypatch.setenv("PATH", str(tmp_path))
    answer(tmp_path, "sinfo", f"printf '{SINFO}'")
    answer(tmp_path, "scontrol", "printf 'MaxArraySize            = 501\\nMaxJobCount = 9\\n'")
    return tmp_path


def answer(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.mark.usefixtures("programs")
def test_a_partition_has_the_nodes_that_slurm_names() -> None:
    nodes = (Node(8, 16000, 2), Node(4, 8000, 0))
    assert read_partition(None) == read_partition("all") == Partition("all", 1440, nodes)
    assert read_partition("slow") == Partition("slow", None, (Node(2, 4000, 2),))
    assert most_array_tasks() == 501


@pytest.mark.usefixtures("programs")
def test_an_unknown_partition_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(RequestError, match="no partition 'gpu'; it has all, slow"):
        read_partition("gpu")


def test_what_slurm_says_of_its_failure_is_told(programs: Path) -> None:
    answer(programs, "sinfo", "echo 'slurm_load_partitions: Unable to contact slurm controller' >&2; exit 1")
    with pytest.raises(RequestError, match="sinfo failed: slurm_load_partitions: Unable to contact"):
        read_partition(None)
    answer(programs, "sinfo", "true")
    with pytest.raises(RequestError, match=r"no default partition.*of none that you may use"):
        read_partition(None)
    (programs / "sinfo").unlink()
    with pytest.raises(RequestError, match=r"there is no sinfo on this machine.*cluster=local"):
        read_partition(None)


@pytest.mark.parametrize(
    ("need", "slots"),
    [
        (Need(1), 12),
        (Need(2), 6),
        (Need(8), 1),
        (Need(1, gpus=1), 2),
        (Need(1, gpus=2), 1),
        (Need(1, memory=4000 * MIB), 6),
        (Need(1, memory=16000 * MIB), 1),
    ],
)
def test_shards_fit_cores_gpus_and_memory(need: Need, slots: int) -> None:
    assert Partition("all", None, (Node(8, 16000, 2), Node(4, 8000, 0))).slots(need) == slots


def test_a_shard_that_fits_no_node_is_refused() -> None:
    with pytest.raises(
        RequestError, match=r"needs 9 cores, 1 GPU, 2\.0 GiB; no node .* the largest has 8 cores"
    ):
        Partition("all", None, (Node(8, 16000, 2),)).slots(Need(9, 1, 2 << 30))


def test_a_shard_needs_what_its_trials_ask() -> None:
    trials = [scripted_trial(threads=2), scripted_trial(threads=3), scripted_trial(device="gpu:1")]
    assert shard_need(trials, RunOptions(jobs=2)) == Need(6, 2)
    assert shard_need(trials[:1], RunOptions(jobs=2, memory=2.0**30)) == Need(4, 0, 3 << 30)
    assert shard_need(trials[:1], RunOptions(memory=float("inf"))) == Need(2)
