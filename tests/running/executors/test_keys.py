"""Trials share a worker where interpreter, backend, device and environment agree, and nowhere else."""

from __future__ import annotations

from fixtures.scripted import BACKENDS, scripted_executor, scripted_trial

from benchsuite.contracts import BackendEntry, Finished, RunOptions
from benchsuite.running.executors.local import LocalExecutor
from benchsuite.schema import Record, Trial


def records_of(trials: list[Trial], **options: object) -> list[Record]:
    """Run trials and return their records in the order in which they ended."""
    with scripted_executor(**options) as executor:
        return [event.record for event in executor.run(trials) if isinstance(event, Finished)]


def test_warm_workers_serve_trials_of_one_environment_and_no_other() -> None:
    found = records_of(
        [
            scripted_trial(),
            scripted_trial(threads=2),
            scripted_trial(seed=1),
            scripted_trial(seed=1, threads=2),
        ]
    )
    processes = [record.scalars["scripted/process"] for record in found]
    assert processes[0] == processes[2] != processes[1] == processes[3]
    assert [record.scalars["scripted/threads"] for record in found] == [1, 2, 1, 2]


def test_devices_share_no_worker() -> None:
    trials = [scripted_trial(), scripted_trial(device="gpu"), scripted_trial(seed=1)]
    processes = [record.scalars["scripted/process"] for record in records_of(trials)]
    assert processes[0] == processes[2] != processes[1]


def test_a_plugin_that_cannot_name_its_environment_is_named() -> None:
    def broken(_: object) -> dict[str, str]:
        raise ZeroDivisionError("a plugin's defect")

    entry = BackendEntry("scripted", BACKENDS["scripted"].load, "for tests", (), None, environment=broken)
    with LocalExecutor(RunOptions(), {"scripted": entry}, "scripted_worker") as executor:
        (support,) = executor.check_support([scripted_trial()])
    assert "backend 'scripted' cannot name its environment: ZeroDivisionError" in str(support.reason)
