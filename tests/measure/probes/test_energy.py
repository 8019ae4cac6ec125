"""Energy is what the counters grew by while training ran, however often they began again at zero."""

from __future__ import annotations

import threading

import pytest
from fixtures.tiny import trial
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts import Phase
from benchsuite.contracts.probe import PHASES
from benchsuite.measure.probes.counters import Counter
from benchsuite.measure.probes.energy import ASKED_BY, Energy
from benchsuite.plugins import registry


class Meter:
    """A count that its owner moves on, and that begins again at `wraps`."""

    def __init__(self, start: float = 0.0, wraps: float | None = None) -> None:
        self.joules, self.wraps, self.asked = start, wraps, threading.Semaphore(0)

    def read(self) -> float:
        self.asked.release()
        return self.joules if self.wraps is None else self.joules % self.wraps

    def counter(self, part: str) -> Counter:
        return Counter(part, part, self.read, self.wraps)


@given(
    start=st.floats(0, 99),
    spent=st.floats(0, 99),
    wraps=st.one_of(st.none(), st.just(100.0)),
)
def test_what_was_spent_is_what_the_count_grew_by(start: float, spent: float, wraps: float | None) -> None:
    meter = Meter(start, wraps)
    probe = Energy([meter.counter("cpu")])
    with Phase([probe], "train"):
        meter.joules += spent
    assert probe.scalars()["energy/train_joules"] == pytest.approx(spent, abs=1e-9)


def test_only_training_is_charged_and_parts_stand_alone_and_together() -> None:
    package, other, gpu = Meter(7.0), Meter(1.0), Meter()
    probe = Energy([package.counter("cpu"), other.counter("cpu"), gpu.counter("gpu")])
    for phase in PHASES:
        with Phase([probe], phase):
            package.joules += 2.0
            other.joules += 1.0
            gpu.joules += 10.0
    assert probe.scalars() == {
        "energy/train_cpu_joules": 3.0, "energy/train_gpu_joules": 10.0, "energy/train_joules": 13.0,
    }  # fmt: skip


def test_a_count_that_begins_again_several_times_in_a_phase_is_followed() -> None:
    meter = Meter(wraps=100.0)
    probe = Energy([meter.counter("cpu")], period=0.001)
    with Phase([probe], "train"):
        for _ in range(5):
            meter.joules += 60.0
            while meter.asked.acquire(blocking=False):  # readings of before
                pass
            assert meter.asked.acquire(timeout=30)
            assert meter.asked.acquire(timeout=30)  # the second one began after the step
    assert probe.scalars()["energy/train_joules"] == pytest.approx(300.0)


def test_without_counters_or_training_there_is_no_figure() -> None:
    none, unused = Energy([]), Energy([Meter().counter("cpu")])
    with Phase([none, unused], "build"):
        pass
    with Phase([none], "train"):
        pass
    assert none.scalars() == unused.scalars() == {}


def test_it_is_off_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def probes() -> list[type]:
        found = registry().hook.benchsuite_probes(trial=trial())
        return [type(probe) for group in found for probe in group]

    def facts() -> dict[str, str]:
        found = registry().hook.benchsuite_environment(trial=trial())
        return {name: text for group in found for name, text in group.items() if name.startswith("energy.")}

    monkeypatch.delenv(ASKED_BY, raising=False)
    assert Energy not in probes()
    assert facts() == {}
    monkeypatch.setenv(ASKED_BY, "1")
    assert Energy in probes()
    assert facts()  # the counters that are read, or why there are none
