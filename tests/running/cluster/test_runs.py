"""RunFolder: what is asked of nodes comes back as it was, and no two attempts have one folder."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fixtures.scripted import scripted_trial

from benchsuite.contracts import RunOptions
from benchsuite.errors import StoreError
from benchsuite.running.cluster.runs import CLUSTER_FOLDER, ClusterRun, RunFolder, ShardJobs, runs_of

RUN = ClusterRun(
    "slurm",
    RunOptions(
        "trial", 2, 5.0, (("torch", "/opt/python"),), False, math.inf, (("lost", 2),), (("partition", "a"),)
    ),
    ((scripted_trial(), scripted_trial(seed=1)), (scripted_trial("fail", seconds=0.5),)),
)


def test_what_was_asked_and_submitted_is_read_as_it_was(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "s", RUN)
    assert folder.read() == RUN
    assert folder.submissions() == ()
    submissions = (ShardJobs("a", (0, 1), (0, 0)), ShardJobs("b", (1,), (3,), ("77",)))
    folder.keep(submissions)
    (found,) = runs_of(tmp_path / "s")
    assert found.submissions() == submissions
    assert found.name.startswith("s.")


def test_attempts_begun_at_once_have_folders_of_their_own(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, RUN)
    assert folder.attempts(1) == []
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: folder.new_attempt(1), range(12)))
    assert folder.attempts(1) == sorted(set(made), key=lambda path: int(path.name[8:]))
    assert [path.name for path in folder.attempts(1)] == [f"attempt-{number}" for number in range(1, 13)]


def test_a_finished_run_keeps_its_logs_until_the_next(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, RUN)
    folder.new_attempt(0)
    folder.finish()
    assert not folder.attempts(0)
    assert folder.logs.exists()
    assert runs_of(tmp_path) == []
    assert not folder.path.exists()


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, RUN)
    (folder.path / "job.json").write_text("{")
    with pytest.raises(StoreError, match=r"job\.json cannot be read.*remove .*\.cluster"):
        folder.read()
    (tmp_path / CLUSTER_FOLDER / "made by hand").mkdir()
    assert runs_of(tmp_path) == [] or [one.path for one in runs_of(tmp_path)] == [folder.path]
