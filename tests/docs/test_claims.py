"""The page of claims says what its kept records say, and its matrices can be read."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

import pytest
from fixtures.sources import ROOT

from benchsuite.running.matrix import load_matrix

FOLDER = ROOT / "docs" / "claims"
PAGE = ROOT / "docs" / "claims.md"
MATRICES = sorted(path.stem for path in FOLDER.glob("*.toml"))


@pytest.fixture(scope="module")
def make() -> ModuleType:
    spec = importlib.util.spec_from_file_location("claims_make", FOLDER / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look for it there
    spec.loader.exec_module(module)
    return module


def test_the_page_is_made_of_what_is_kept(make: ModuleType) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert make.written(text) == text


def test_no_line_begins_with_a_ratio() -> None:
    """Markdown begins a block of HTML there, and the sentence would be torn."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.lstrip().startswith("<!-- ratio")] == []


@pytest.mark.parametrize("name", MATRICES)
def test_a_claim_has_a_matrix_a_race_and_its_commands(make: ModuleType, name: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert f"benchsuite run docs/claims/{name}.toml" in text
    assert f"benchsuite race claims-{name}" in text
    assert f"<!-- table: {name} -->" in text
    assert load_matrix(FOLDER / f"{name}.toml").name == f"claims-{name}"
    assert make.load(name)
    for kept in make.load(name):
        assert all(race.judgement is not None for race in kept.race.races)
        ids = {racer.trial.id for race in kept.race.races for racer in race.racers}
        assert {kept.records[each].verdicts["parity"] for each in ids} == {"ok"}


def test_a_claim_of_which_no_race_is_kept_says_so(make: ModuleType) -> None:
    assert make.table("nothing") == "No race of it is kept here yet."
