"""What the items of a matrix do. pytest gives each its trial."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from benchsuite.pytest_plugin.racers import TrialRacer

BENCHMARK_ROUNDS = 12


def parity(racer: TrialRacer) -> None:
    """The program computes what the reference computes: loss, gradients, first steps."""
    assert racer.kernel


def speed(racer: TrialRacer, benchmark: Any) -> None:
    """The rounds that the worker measured, as rounds of pytest-benchmark."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        pytest.skip("speed is not measured under pytest-xdist: its workers disturb each other; leave out -n")
    benchmark.pedantic(racer.step, rounds=BENCHMARK_ROUNDS, iterations=1)
    benchmark.extra_info.update(racer.facts())


def speed_without_benchmark(trial: object) -> None:  # noqa: ARG001
    """Says what is missing."""
    pytest.skip("speed needs pytest-benchmark: pip install pytest-benchmark")
