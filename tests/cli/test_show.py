"""`benchsuite show`: trials and one trial."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import pytest
from fixtures import planted
from fixtures.command import call
from fixtures.hostile import store
from fixtures.records import record

from benchsuite.cli.show import scalar_words
from benchsuite.publishing.bundle import write_bundle
from benchsuite.running.store import StudyStore
from benchsuite.schema import INVALID_TIMING, Record, Status


def stored(folder: Path, records: list[Record]) -> str:
    """A study's path."""
    store = StudyStore(folder / "mine")
    with store.writing():
        store.describe({})
        for record in records:
            store.append(record)
    return str(store.folder)


@pytest.mark.parametrize("word", INVALID_TIMING)
def test_a_trial_whose_timing_is_refused_shows_why_and_no_speed(word: str, tmp_path: Path) -> None:
    made = planted.planted(timing=word, step=planted.BOGUS_STEP)
    path = stored(tmp_path, [made])
    text = call("show", path, made.trial_id).stdout
    assert f"{word}: the timing is refused: {INVALID_TIMING[word]}" in text
    assert "speed/sequences_per_second" not in text
    plain = json.loads(call("show", path, made.trial_id, "--json").stdout)
    assert (plain["problem"], plain["problem_reason"]) == (
        word, f"the timing is refused: {INVALID_TIMING[word]}"
    )  # fmt: skip
    assert not [name for name in plain["scalars"] if name.startswith(("speed/step_", "speed/sequences"))]
    assert "speed/import_seconds" in plain["scalars"]


def test_both_snapshots_of_a_gradient_are_shown_and_nothing_between_them(tmp_path: Path) -> None:
    [made] = planted.vanishing_at_the_start_alone()
    text = call("show", stored(tmp_path, [made]), made.trial_id).stdout
    assert "vanishing, half-life 2.6 steps, 0.01 % left at the first step" in " ".join(text.split())
    assert "stable, half-life 33 steps, 44 % left at the first step" in " ".join(text.split())
    assert "verdict: gradient" not in text


def test_the_way_that_ran_is_shown_with_what_the_others_cost(tmp_path: Path) -> None:
    facts = {
        "calibration.way": "fused products=blas",
        "calibration.relative_seconds": "dynamic products=blas: 1.204; fused products=blas: 1.000",
    }
    made = record(0.9, execution={"unroll": "best"}).model_copy(update={"environment": facts})
    text = " ".join(call("show", stored(tmp_path, [made]), made.trial_id).stdout.split())
    assert "way fused products=blas; dynamic products=blas takes 1.2 times as long" in text


def test_the_list_of_trials_names_each_and_what_is_wrong_with_it(tmp_path: Path) -> None:
    records = [*planted.three_horizons(Status.FAILED), planted.planted(cell="gru", timing="cached")]
    text = call("show", stored(tmp_path, records), "--trials").stdout
    for horizon in (24, 48, 96):
        assert f"horizon={horizon}" in text
    assert text.count("out of memory") == 3
    assert "cached" in text


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("speed/step_median_seconds", 0.00125, "1.25 ms"),
        ("speed/build_seconds", 0.145547, "146 ms"),
        ("speed/sequences_per_second", 21234.5, "21,230"),
        ("memory/peak_bytes", 413 * 2.0**20, "413 MiB"),
        ("gradient/half_life_steps_end", math.inf, "∞"),
        ("test/accuracy", 0.98123, "0.9812"),
        ("model/parameters", 30122.0, "30,122"),
        ("train/loss_final", math.nan, "NaN"),
    ],
)
def test_a_scalar_has_the_unit_that_its_name_tells(name: str, value: float, words: str) -> None:
    assert scalar_words(name, value) == words


def test_texts_of_any_length_that_an_earlier_version_kept_are_shown_in_short(tmp_path: Path) -> None:
    long = record(status=Status.FAILED, reason="r" * 20_000_000).model_copy(
        update={"exception": "e\n" * 10_000_000}
    )
    store(tmp_path / "results" / "mine", [long])
    begin = time.monotonic()
    for arguments in ([], ["--trials"], [long.trial_id]):
        shown = call("show", "mine", *arguments, "--results", str(tmp_path / "results"))
        assert len(shown.output) < 300_000
    assert time.monotonic() - begin < 20


def test_of_a_bundle_its_file_is_named_and_not_where_it_was_unpacked(tmp_path: Path) -> None:
    bundle = write_bundle(store(tmp_path / "mine", [record(0.9)]), tmp_path / "mine.crate.zip")
    assert f"study: {bundle} (1 records)" in call("show", str(bundle)).stdout
