"""The parts of a trial's time: they nest, add up, and hold what was compiled apart."""

from __future__ import annotations

import time

import pytest

from benchsuite.contracts import Compilation
from benchsuite.measure.stopwatch import Stopwatch
from benchsuite.schema import TIME_PARTS, time_scalar

SHORT = 0.01


def test_the_clock_of_a_part_does_not_run_inside_another_one() -> None:
    watch, begin = Stopwatch(), time.perf_counter()
    with watch.of("training"):
        time.sleep(SHORT)
        with watch.of("evaluation"):
            time.sleep(3 * SHORT)
        time.sleep(SHORT)
    whole = time.perf_counter() - begin
    found = watch.scalars()
    wall = {part: found[time_scalar(part)] for part in TIME_PARTS}
    assert wall["evaluation"] >= 3 * SHORT
    assert 2 * SHORT <= wall["training"] <= whole - wall["evaluation"]
    assert sum(wall.values()) == pytest.approx(whole, abs=SHORT)
    assert found[time_scalar("training", cpu=True)] < SHORT  # it slept


def test_a_part_that_fails_ends_all_the_same() -> None:
    watch = Stopwatch()
    with pytest.raises(ValueError, match=r"^no$"), watch.of("build"):
        raise ValueError("no")
    with watch.of("parity"):
        time.sleep(SHORT)
    assert watch.scalars()["time/build_seconds"] < SHORT


@pytest.mark.parametrize(
    ("part", "function", "apart"),
    [
        ("training", "step", True),
        ("parity", "predict", True),
        ("parity", "gradients", False),
        ("timing", "predict", False),
    ],
)
def test_compiling_is_apart_where_training_or_evaluation_needs_it(
    part: str, function: str, apart: bool
) -> None:
    made: list[Compilation] = []
    watch = Stopwatch()
    watch.watch(lambda: made)
    with watch.of(part):
        time.sleep(2 * SHORT)
        made.append(Compilation(function, "28x32x8", SHORT, 0.0))
    found = watch.scalars()
    assert found["time/compile_seconds"] == (SHORT if apart else 0.0)
    assert found[time_scalar(part)] >= (SHORT if apart else 2 * SHORT)
    assert watch.facts() == {f"compiled.{function}": "28x32x8 0.010 s"}


def test_what_was_compiled_before_is_not_counted_again() -> None:
    made = [Compilation("step", "1", 5.0, 5.0)]
    watch = Stopwatch()
    watch.watch(lambda: made)
    with watch.of("training"):
        pass
    assert watch.scalars()["time/compile_seconds"] == 0.0
