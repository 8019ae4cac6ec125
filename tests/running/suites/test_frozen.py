"""Frozen suites: no file of theirs changes, and their matrices still give the trials that they list."""

from __future__ import annotations

import hashlib

import pytest
from fixtures.sources import ROOT

from benchsuite.errors import UnknownNameError
from benchsuite.plugins import registry
from benchsuite.running.matrix import expand, load_matrix
from benchsuite.running.suites import frozen_suites, load_suite, suite_of

FOLDER = ROOT / "benchsuite" / "running" / "suites" / "frozen"
SUMS = ROOT / "tests" / "running" / "suites" / "SHA256SUMS"


def test_no_file_of_a_frozen_suite_changes() -> None:
    """Made by `sha256sum *@*` in the folder; until the first release the suites may be made again."""
    lines = (line.split() for line in SUMS.read_text("utf-8").splitlines())
    pinned = {name: digest for digest, name in lines}
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.iterdir()}
    assert found == pinned


@pytest.mark.parametrize("name", frozen_suites())
def test_the_matrix_gives_the_trials_that_are_listed(name: str) -> None:
    suite, matrix = load_suite(name), load_matrix(name)
    trials = expand(matrix, registry()).trials
    assert {trial.id for trial in trials} == suite.trials
    assert len(suite.trials) == len(suite.configurations) * len(suite.seeds)
    by_id = {trial.id: trial for trial in trials}
    for ids in suite.configurations:
        assert [by_id[one].seed for one in ids] == list(suite.seeds)
        assert len({by_id[one].configuration_id for one in ids}) == 1
    assert matrix.name == name.replace("@", "-")


@pytest.mark.parametrize("name", frozen_suites())
def test_bands_are_of_models_of_the_suite_and_hold_their_values(name: str) -> None:
    for band in load_suite(name).bands.values():
        assert band.low < band.high
        assert all(band.low - 1e-9 <= value <= band.high + 1e-9 for value in band.values)
        assert band.source
        assert band.seeds >= 1


def test_suites_have_three_seeds_but_for_the_long_one() -> None:
    found = {name: suite.seeds for name, suite in frozen_suites().items()}
    assert found.pop("applications@1") == (0,)
    assert set(found) == {"quick@1", "standard@1", "cells@1", "paper@1"}
    assert set(found.values()) == {(0, 1, 2)}


def test_a_part_is_called_a_part_and_a_change_is_no_suite() -> None:
    suite = load_suite("cells@1")
    trials = list(expand(load_matrix("cells@1"), registry()).trials)
    assert suite.is_whole(trials)
    assert suite.standing(trials) == "all 234 trials of cells@1"
    assert not suite.is_whole(trials[:10])
    assert suite.standing(trials[:10]) == "part of cells@1: 10 of its 234 trials"
    changed = [one.model_copy(update={"backend": "numpy"}) for one in trials[:3]]
    assert "3 of 13 trials are not of cells@1" in suite.standing([*trials[:10], *changed])


def test_missing_seeds_are_those_of_configurations_that_were_begun() -> None:
    suite = load_suite("cells@1")
    first, second, *_ = suite.configurations
    assert suite.missing_seeds([*first, second[0]]) == [second[1:]]
    assert suite.missing_seeds([]) == []


def test_a_study_is_of_the_suite_that_most_of_its_trials_are_of() -> None:
    ids = list(load_suite("standard@1").trials)[:4]
    found = suite_of([*ids, "0" * 16])
    assert found is not None
    assert found.name == "standard@1"
    assert suite_of(["0" * 16]) is None


def test_an_unknown_suite_names_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match="quick@1"):
        load_suite("quick@9")
    with pytest.raises(UnknownNameError, match="quick@1"):
        load_matrix("quick@9")
