"""Freezing a matrix: what is written, that it is not written over, and bands from records."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fixtures.planted import planted

from benchsuite.plugins import registry
from benchsuite.running.matrix import expand, parse_matrix
from benchsuite.running.suites.freeze import main, make_bands


@pytest.mark.slow
def test_a_suite_is_frozen_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["smoke", "--version", "3", "--seeds", "5", "6", "--folder", str(tmp_path)]
    assert main(command) == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        "smoke@3.toml", "smoke@3.json", "smoke@3.bands.json",
    }  # fmt: skip
    content = json.loads((tmp_path / "smoke@3.json").read_text("utf-8"))
    trials = expand(parse_matrix((tmp_path / "smoke@3.toml").read_text("utf-8"), "x", "x"), registry()).trials
    assert {one for ids in content["trials"] for one in ids.split()} == {trial.id for trial in trials}
    assert {trial.seed for trial in trials} == {5, 6}
    assert content["data"]
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    capsys.readouterr()
    assert main(command) == 2
    assert "a change is version 4" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_band_is_of_every_seed_and_backend_of_a_model() -> None:
    values = {("numpy", 0): 0.90, ("torch", 0): 0.90, ("numpy", 1): 0.94}
    records = [planted(value, backend=name, seed=seed) for (name, seed), value in values.items()]
    other = planted(0.5, cell="gru")
    (band,) = make_bands([records[0].trial], [*records, other], "a study").values()
    assert (band.seeds, band.values, band.source) == (2, (0.9, 0.9, 0.94), "a study")
    assert band.low < 0.9 < 0.94 < band.high


def test_a_model_that_spreads_more_than_its_neighbours_keeps_its_spread() -> None:
    """Those whose accuracy is nearly 1 have none on the scale of odds, and would make the band of the other one
    narrower than what it came out as."""
    values = [0.991, 0.988, 0.972, 0.971, 0.964, 0.961]
    noisy = [planted(value, cell="rnn", seed=seed) for seed, value in enumerate(values)]
    steady = [
        planted(0.99 + seed / 1000, cell=cell, seed=seed) for cell in ("lstm", "gru") for seed in range(6)
    ]
    alone = make_bands([noisy[0].trial], noisy, "")
    together = make_bands([noisy[0].trial, *(one.trial for one in steady)], [*noisy, *steady], "")
    assert alone.items() <= together.items()
    (band,) = alone.values()
    assert band.low < 0.943


def test_what_is_not_ranked_makes_no_band() -> None:
    breach = planted(0.9)
    broken = breach.model_copy(update={"verdicts": breach.verdicts | {"parity": "breach"}})
    assert make_bands([broken.trial], [broken], "a study") == {}
