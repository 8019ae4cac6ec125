"""A sender never delays a trial, whatever its mirror does, and sends each record in the end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from fixtures.records import record
from fixtures.scripted import wait_until

from benchsuite.schema import Record
from benchsuite.trackers import sender as module
from benchsuite.trackers.sender import Sender


class SlowMirror:
    """Takes its time, fails while it is told to, and notes what arrived."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds, self.broken = seconds, False
        self.sent: list[str] = []
        self.ended: list[str] = []

    def _work(self) -> None:
        time.sleep(self.seconds)
        if self.broken:
            raise ConnectionError("the server is gone")

    def start(self) -> None:
        self._work()

    def send(self, one: Record) -> bool:
        if one.trial_id in self.sent:
            return False
        self._work()
        self.sent.append(one.trial_id)
        return True

    def finish(self, records: Sequence[Record], status: str) -> None:
        self._work()
        assert {each.trial_id for each in records} >= set(self.sent)
        self.ended.append(status)


def sender(mirror: SlowMirror) -> Sender:
    connect: Callable[[], Any] = lambda: mirror  # noqa: E731
    return Sender(connect)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in {
        "START_SECONDS": 0.3,
        "TRIAL_SECONDS": 0.2,
        "FINISH_SECONDS": 1.0,
        "RETRY_SECONDS": 0.05,
        "MOST_RETRY_SECONDS": 0.1,
    }.items():
        monkeypatch.setattr(module, name, seconds)


def test_a_quick_mirror_has_each_record_before_the_next_trial() -> None:
    mirror = SlowMirror()
    one = sender(mirror)
    for seed in range(5):
        one.send(record(seed=seed))
        assert len(mirror.sent) == seed + 1
    one.finish([record(seed=seed) for seed in range(5)], "FINISHED")
    assert (one.finished, mirror.ended, one.problem) == (True, ["FINISHED"], None)


@pytest.mark.parametrize("seconds", [0.5, 60.0])
def test_a_slow_mirror_delays_no_trial(seconds: float) -> None:
    begin = time.monotonic()
    one = sender(SlowMirror(seconds))
    for seed in range(200):
        one.send(record(seed=seed))
    assert time.monotonic() - begin < 1.5
    one.finish([record(seed=seed) for seed in range(200)], "FINISHED")
    assert time.monotonic() - begin < 4.0
    assert not one.finished
    assert "too long" in str(one.problem)


def test_a_mirror_that_is_always_just_in_time_takes_no_more_than_a_share(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "WAITING_SECONDS", 0.4)
    mirror = SlowMirror(0.1)
    one = sender(mirror)
    begin = time.monotonic()
    for seed in range(30):
        one.send(record(seed=seed))
        wait_until(lambda seed=seed: len(mirror.sent) > seed, 1)  # type: ignore[misc]
    waited = one._waited
    assert 0.3 < waited < 0.4 + 0.05 * (time.monotonic() - begin) + 0.2
    one.finish([record(seed=seed) for seed in range(30)], "FINISHED")
    assert one.finished


def test_the_queue_is_bounded_and_what_found_no_room_is_sent_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    gate, mirror = threading.Event(), SlowMirror()

    def connect() -> Any:
        gate.wait(20)
        return mirror

    one = Sender(connect)
    records = [record(seed=seed) for seed in range(50)]
    for each in records:
        one.send(each)
    gate.set()
    one.finish(records, "FINISHED")
    assert one.finished
    assert sorted(mirror.sent) == sorted(each.trial_id for each in records)


def test_a_mirror_that_comes_back_is_used_again() -> None:
    mirror = SlowMirror()
    mirror.broken = True
    one = sender(mirror)
    one.send(record(seed=0))
    assert wait_until(lambda: isinstance(one.problem, ConnectionError))
    mirror.broken = False
    time.sleep(0.15)
    one.send(record(seed=1))
    assert wait_until(lambda: len(mirror.sent) == 1)
    one.finish([record(seed=0), record(seed=1)], "KILLED")
    assert (one.finished, one.problem, len(mirror.sent), mirror.ended) == (True, None, 2, ["KILLED"])
