"""`benchsuite compare`: what it prints, and when its gate ends with 1."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from fixtures import planted
from fixtures.command import call

from benchsuite.cli.compare import signed
from benchsuite.running.store import StudyStore
from benchsuite.schema import INVALID_TIMING, Record, Status


def stored(folder: Path, name: str, records: list[Record]) -> str:
    """A study's path."""
    store = StudyStore(folder / name)
    with store.writing():
        store.describe({})
        for record in records:
            store.append(record)
    return str(store.folder)


def with_status(records: list[Record], status: Status) -> list[Record]:
    return [record.model_copy(update={"status": status, "reason": "out of memory"}) for record in records]


GATE = ("--fail-on-regression", "5%")


def test_equal_studies_pass_the_gate(tmp_path: Path) -> None:
    a, b = (stored(tmp_path, name, planted.equal(0.0)) for name in "ab")
    assert "B is same" in call("compare", a, b, *GATE).stdout


@pytest.mark.parametrize("status", [Status.FAILED, Status.TIMEOUT, Status.KILLED, Status.SKIPPED])
def test_the_gate_fails_where_every_trial_of_b_failed(status: Status, tmp_path: Path) -> None:
    a = stored(tmp_path, "a", planted.equal(0.0))
    b = stored(tmp_path, "b", with_status(planted.equal(0.0), status))
    ended = call("compare", a, b, *GATE, code=1)
    assert (
        f"B does not rank digits/tiny lstm plain numpy dynamic cpu float32 seed 0: {status}" in ended.stderr
    )
    assert "out of memory" in ended.stderr
    assert "no trial of A could be compared with one of B" in ended.stderr
    assert call("compare", a, b).exit_code == 0


def test_the_gate_fails_where_one_trial_of_b_failed(tmp_path: Path) -> None:
    first, *others = planted.equal(0.0)
    a = stored(tmp_path, "a", [first, *others])
    b = stored(tmp_path, "b", [*with_status([first], Status.FAILED), *others])
    assert "B does not rank" in call("compare", a, b, *GATE, code=1).stderr
    assert call("compare", b, a, *GATE).exit_code == 0  # what A did not rank is no regression


def test_the_gate_fails_where_no_pair_exists(tmp_path: Path) -> None:
    a = stored(tmp_path, "a", planted.equal(0.0))
    b = stored(tmp_path, "b", [planted.planted(seed=9)])
    ended = call("compare", a, b, *GATE, code=1)
    assert "no trial of A could be compared with one of B" in ended.stderr
    assert "no trial of A could be compared with one of B" in ended.stdout


@pytest.mark.parametrize("word", INVALID_TIMING)
def test_the_gate_fails_where_a_timing_of_b_is_refused(word: str, tmp_path: Path) -> None:
    a = stored(tmp_path, "a", planted.refused("stable"))
    b = stored(tmp_path, "b", planted.refused(word))
    ended = call("compare", a, b, *GATE, code=1)
    assert f"in B: the timing is refused: {INVALID_TIMING[word]}" in ended.stderr
    assert "speeds not compared of B: 3 trials" in ended.stdout
    assert not [wrong for wrong in planted.BOGUS_SPEED if wrong in ended.stdout]
    found = json.loads(call("compare", a, b, "--json").stdout)
    assert {one["side"] for one in found["refused"]} == {"B"}
    assert not [one for one in found["speeds"] if "jax" in one["where"]]


def test_the_clock_is_printed_and_that_of_several_threads_is_wall_time(tmp_path: Path) -> None:
    study = stored(tmp_path, "a", planted.one_and_four_threads())
    sides = (f"{study}:execution.threads=1", f"{study}:execution.threads=4")
    text = call("compare", *sides, *GATE).stdout
    assert "numpy cpu, wall time" in text
    assert "12.0 ms" in text
    assert "4.00 ms" in text
    assert "B is better" in text
    [speed] = json.loads(call("compare", *sides, "--json").stdout)["speeds"]
    assert (speed["clock"], speed["verdict"]) == ("wall", "better")
    one, two = (stored(tmp_path, name, planted.equal(0.0)) for name in ("one", "two"))
    assert "numpy cpu, CPU time" in call("compare", one, two).stdout


def test_trials_that_are_not_compared_have_labels_of_their_own(tmp_path: Path) -> None:
    a = stored(tmp_path, "a", planted.three_horizons())
    b = stored(tmp_path, "b", planted.three_horizons(Status.FAILED))
    text = call("compare", a, b).stdout
    for horizon in (24, 48, 96):
        assert f"horizon={horizon}: failed: out of memory" in text


@pytest.mark.parametrize(
    ("value", "form", "words"),
    [
        (0.33123, "share", "+33.1 %"),
        (-0.0123, "number", "−0.0123"),
        (0.0, "number", "0"),
        (math.nan, "number", "NaN"),
    ],
)
def test_a_difference_has_its_sign(value: float, form: str, words: str) -> None:
    assert signed(value, form) == words  # type: ignore[arg-type]
