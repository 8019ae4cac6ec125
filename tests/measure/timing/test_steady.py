"""The steady state: on a clock that a test moves by hand every figure is known."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.measure.timing import Samples, steady, steady_state
from benchsuite.schema import Protocol
from benchsuite.schema.samples import RESAMPLES, summarise
from benchsuite.schema.thresholds import UNSTABLE

PROTOCOL = Protocol(rounds=7, round_seconds=0.05, warmup_seconds=2.0)


class HandClock:
    """A clock that stands still unless told; waiting for a device takes wall time and no CPU time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.wall = self.cpu = 0.0
        names = SimpleNamespace(perf_counter=lambda: self.wall, process_time=lambda: self.cpu)
        monkeypatch.setattr(steady, "time", names)

    def compute(self, seconds: float) -> None:
        self.wall += seconds
        self.cpu += seconds

    def wait(self, seconds: float) -> None:
        self.wall += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> HandClock:
    return HandClock(monkeypatch)


def nothing() -> None:
    """There is nothing to wait for."""


@pytest.mark.parametrize(("cost", "calls"), [(1e-3, 50), (0.02, 3), (0.2, 1)])
def test_a_round_lasts_as_long_as_the_protocol_says(clock: HandClock, cost: float, calls: int) -> None:
    found = steady_state(lambda: clock.compute(cost), nothing, PROTOCOL)
    np.testing.assert_allclose(found.wall, np.full(7, cost))
    np.testing.assert_allclose(found.cpu, np.full(7, cost))
    assert found.calls == calls
    assert found.warm


def test_the_wait_for_the_device_is_inside_the_round(clock: HandClock) -> None:
    """A step that only queues its work is charged for it, and the CPU is not."""
    queued: list[float] = []

    def step() -> None:
        clock.compute(1e-5)
        queued.append(2e-3)

    def synchronize() -> None:
        clock.wait(sum(queued))
        queued.clear()

    found = steady_state(step, synchronize, PROTOCOL)
    np.testing.assert_allclose(found.wall, np.full(7, 2.01e-3))
    np.testing.assert_allclose(found.cpu, np.full(7, 1e-5))


def test_compilation_and_a_slow_start_are_no_samples(clock: HandClock) -> None:
    costs = iter([3.0] + [0.1 * 0.8**index for index in range(40)])
    found = steady_state(lambda: clock.compute(next(costs, 1e-3)), nothing, PROTOCOL)
    np.testing.assert_allclose(found.wall, np.full(7, 1e-3))
    assert found.warm


def test_what_never_becomes_stable_is_timed_after_the_time_for_warming_up(clock: HandClock) -> None:
    costs = [0.06, 0.09]

    def step() -> None:
        costs.reverse()
        clock.compute(costs[0])

    found = steady_state(step, nothing, PROTOCOL)
    assert not found.warm
    assert found.summary.unstable
    assert clock.wall < PROTOCOL.warmup_seconds + (7 + 3) * 0.1


def test_a_call_too_short_for_the_clock_does_not_divide_by_zero(clock: HandClock) -> None:
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if done % 1000 == 0:
            clock.compute(1e-4)

    found = steady_state(step, nothing, Protocol(rounds=2, round_seconds=1e-3, warmup_seconds=1e-3))
    assert np.isfinite(found.wall).all()


@pytest.mark.parametrize("busy", [False, True])
def test_on_the_real_clock(busy: bool) -> None:
    """Sleeping costs wall time only, computing costs both."""

    def sleep() -> None:
        time.sleep(0.002)

    def compute() -> None:
        # of this thread: those that a framework left in the process may compute too
        end = time.thread_time() + 0.002
        while time.thread_time() < end:
            pass

    call: Callable[[], None] = compute if busy else sleep
    found = steady_state(call, nothing, Protocol(rounds=5, round_seconds=0.01, warmup_seconds=0.1))
    assert found.summary.median >= 0.002
    assert found.cpu_median >= 0.002 if busy else found.cpu_median < 0.001


@given(st.lists(st.floats(1e-6, 10), min_size=2, max_size=30))
def test_the_interval_holds_the_median_and_both_lie_among_the_samples(values: list[float]) -> None:
    samples = np.array(values)
    found = summarise(samples)
    assert samples.min() <= found.low <= found.median <= found.high <= samples.max()
    assert found.median == np.median(samples)
    assert found.iqr >= 0


def test_the_interval_covers_the_true_median_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(120):
        found = summarise(random.exponential(size=40))
        covered += found.low <= np.log(2) <= found.high
    assert 0.87 <= covered / 120 <= 1.0


def test_a_spread_that_is_too_wide_is_called_unstable() -> None:
    for spread, unstable in ((0.9 * UNSTABLE, False), (1.1 * UNSTABLE, True)):
        samples = np.array([1 - spread] * 10 + [1.0] * 21 + [1 + spread] * 10)
        narrow = np.array([1 - spread / 2] * 11 + [1.0] * 9 + [1 + spread / 2] * 11)
        assert not summarise(samples).unstable  # the quartiles do not see rare outliers
        assert summarise(narrow).unstable is unstable
    assert not summarise(np.array([2.0])).unstable


def test_the_summary_is_that_of_the_wall_times() -> None:
    samples = Samples(np.array([1.0, 2.0, 4.0]), np.array([9.0, 8.0, 7.0]), 5, 20, True)
    assert samples.summary.median == 2.0
    assert samples.cpu_median == 8.0


@given(st.lists(st.floats(1e-6, 10), min_size=2, max_size=12))
def test_the_interval_is_that_of_resamples_with_replacement(values: list[float]) -> None:
    ordered = np.sort(values)
    drawn = np.random.default_rng(0).integers(0, len(ordered), (RESAMPLES, len(ordered)))
    expected = np.quantile(np.median(ordered[drawn], axis=1), [0.025, 0.975])
    found = summarise(np.array(values))
    np.testing.assert_allclose([found.low, found.high], expected, rtol=1e-12)
