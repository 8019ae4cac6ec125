"""Which cores go to whom: none twice, physical ones first, quiet ones first."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures.scripted import scripted_executor, scripted_trial
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts import Finished
from benchsuite.measure.timing.cores import cores_of
from benchsuite.running.executors import pinning
from benchsuite.running.executors.pinning import Slots, preferred, slots, wanted_threads
from benchsuite.schema import Record, Trial

several = pytest.mark.skipif(len(cores_of()) < 2, reason="needs Linux and two cores")


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 12))
def test_sets_are_disjoint_and_as_large_as_asked_for(jobs: int, threads: int, cores: int) -> None:
    found = slots(jobs, threads, range(cores))
    if jobs * threads > cores:
        assert found == []
    else:
        assert [len(one) for one in found] == [threads] * jobs
        assert len({core for one in found for core in one}) == jobs * threads


def test_hardware_threads_of_one_core_are_used_last() -> None:
    siblings = {0: "0,4", 1: "1,5", 2: "2,6", 3: "3,7", 4: "0,4", 5: "1,5", 6: "2,6", 7: "3,7"}
    assert preferred(siblings, {}) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert preferred({core: siblings[core] for core in (1, 5, 6, 7)}, {}) == [1, 6, 7, 5]


def test_busy_cores_are_used_last_and_with_them_their_siblings() -> None:
    siblings = {0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"}
    assert preferred(siblings, {2: 0.9}) == [1, 0, 3, 2]
    assert preferred(siblings, {0: 0.03, 1: 0.01}) == [0, 1, 2, 3]


def test_the_topology_is_read_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for core, text in {0: "0,2", 1: "1", 2: "0,2"}.items():
        folder = tmp_path / f"cpu{core}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{text}\n")
    monkeypatch.setattr(pinning, "TOPOLOGY", tmp_path)
    monkeypatch.setattr(pinning, "cores_of", lambda: frozenset({0, 1, 2, 9}))
    monkeypatch.setattr(pinning, "_load", lambda cores: dict.fromkeys(cores, 0.0))
    assert pinning.available() == [0, 1, 9, 2]
    monkeypatch.setattr(pinning, "cores_of", frozenset)
    assert pinning.available() == []


def test_only_trials_on_the_cpu_want_cores() -> None:
    assert wanted_threads([scripted_trial(threads=2), scripted_trial(threads=8, device="gpu")]) == 2
    assert wanted_threads([]) == 0


def test_a_set_comes_back_after_its_trial() -> None:
    sets = Slots([(3, 4)])
    for trial in (scripted_trial(threads=1), scripted_trial(threads=2)):
        with sets.taken(trial) as cores:
            assert cores == (3, 4)[: trial.execution.threads]
    with sets.taken(scripted_trial(device="gpu")) as cores:
        assert cores == ()


def run(trials: list[Trial], **options: object) -> list[Record]:
    with scripted_executor(**options) as executor:
        return [event.record for event in executor.run(trials) if isinstance(event, Finished)]


@several
def test_a_warm_worker_is_kept_on_as_many_cores_as_its_trial_has_threads() -> None:
    first, second = run([scripted_trial(), scripted_trial(seed=1)])
    assert first.scalars["scripted/cores"] == second.scalars["scripted/cores"] == 1
    (two,) = run([scripted_trial(threads=2)])
    assert two.scalars["scripted/cores"] == 2


@several
def test_jobs_have_disjoint_cores() -> None:
    found = run([scripted_trial("sleep", seed=seed, seconds=0.3) for seed in range(4)], jobs=2)
    assert {record.scalars["scripted/cores"] for record in found} == {1}
    assert len({record.environment["scripted.cores"] for record in found}) == 2


@pytest.mark.parametrize(("options", "threads"), [({"pin": False}, 1), ({}, 1000), ({"jobs": 100}, 10)])
def test_without_enough_cores_or_wish_nobody_is_kept_and_the_reason_is_told(
    options: dict[str, object], threads: int
) -> None:
    trials = [scripted_trial(threads=threads)]
    (found,) = run(trials, **options)
    assert found.scalars["scripted/cores"] == len(cores_of())
    with scripted_executor(**options) as executor:
        told = executor.remarks(trials)
    if "pin" in options or not cores_of():
        assert told == []
    else:
        assert "need 1000 cores" in told[0]
