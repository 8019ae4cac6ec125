"""The machine's limit: best rate by shape, joined by time, measured once."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.measure.flops import Product
from benchsuite.measure.timing import peak, peak_rate
from benchsuite.schema import Execution
from benchsuite_numpy.reference import ReferenceBackend


class HandBackend(ReferenceBackend):
    """Products of known cost: `rates[n]` operations a second, the first call ten times slower."""

    def __init__(self, rates: dict[int, float]) -> None:
        self.rates, self.now, self.made = rates, 0.0, 0

    def product(self, m: int, k: int, n: int, execution: Execution) -> Callable[[], None]:  # noqa: ARG002
        self.made += 1
        costs = [10.0]

        def run() -> None:
            self.now += (costs.pop() if costs else 1.0) * 2 * m * k * n / self.rates[n]

        return run


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """No rate is known from earlier tests of this process."""
    monkeypatch.setattr(peak, "_known", {})


@pytest.mark.usefixtures("known")
def test_rates_are_joined_by_time_not_averaged(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = HandBackend({8: 1e3, 4: 4e3})
    monkeypatch.setattr(peak, "time", SimpleNamespace(perf_counter=lambda: backend.now))
    one, other = Product(2, 3, 8), Product(2, 3, 4, count=6.0)
    assert peak_rate([one], [backend], Execution()) == pytest.approx(1e3)
    seconds = one.flops / 1e3 + other.flops / 4e3
    assert peak_rate([one, other], [backend], Execution()) == pytest.approx(
        (one.flops + other.flops) / seconds
    )


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("seconds", [0.5, 5.0])
def test_the_limit_takes_the_time_it_is_given(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    backend = HandBackend({8: 1e3})
    monkeypatch.setattr(peak, "time", SimpleNamespace(perf_counter=lambda: backend.now))
    peak_rate([Product(2, 3, 8)], [backend], Execution(), seconds)
    assert seconds <= backend.now - 10 * 0.096 <= seconds + 0.1


@pytest.mark.usefixtures("known")
def test_a_shape_is_measured_once_for_each_type_and_thread_count(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = HandBackend({8: 1e3})
    monkeypatch.setattr(peak, "time", SimpleNamespace(perf_counter=lambda: backend.now))
    for execution in (Execution(), Execution(), Execution(unroll="static")):
        peak_rate([Product(2, 3, 8), Product(1, 3, 8, count=2)], [backend], execution)
    assert backend.made == 1
    peak_rate([Product(2, 3, 8)], [backend], Execution(precision="float64"))
    peak_rate([Product(2, 3, 8)], [backend], Execution(threads=2))
    assert backend.made == 3


@pytest.mark.usefixtures("known")
def test_the_machine_is_as_fast_as_the_fastest_that_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A framework whose calls cost more than a small product does not lower the limit."""
    quick, slow = HandBackend({8: 1e3}), HandBackend({8: 1e2})
    monkeypatch.setattr(peak, "time", SimpleNamespace(perf_counter=lambda: quick.now + slow.now))
    assert peak_rate([Product(2, 3, 8)], [slow, quick], Execution()) == pytest.approx(1e3)


@pytest.mark.usefixtures("known")
def test_a_real_machine_has_a_plausible_peak_within_its_budget() -> None:
    begin = time.perf_counter()
    rate = peak_rate([Product(64, 64, 64), Product(32, 32, 32)], [ReferenceBackend()], Execution())
    assert 1e7 < rate < 1e14
    assert time.perf_counter() - begin < 10 * peak.BUDGET_SECONDS + 1


@given(m=st.integers(1, 300), k=st.integers(1, 600), n=st.integers(1, 600), steps=st.integers(1, 100))
def test_repeated_products_are_measured_several_at_once(m: int, k: int, n: int, steps: int) -> None:
    found = peak.at_once(Product(m, k, n, steps), near=2**14)
    assert (found.k, found.n) == (k, n)
    assert m <= found.m <= m * steps
    assert found.m == m or found.m * max(k, n) <= 2**14
    if m * steps * max(k, n) <= 2**14:
        assert found.m == m * steps
