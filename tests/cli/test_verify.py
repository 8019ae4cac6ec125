"""`benchsuite verify`: its three forms and its exit codes; frozen suites on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fixtures.command import call
from fixtures.sources import RESULTS, published_bundle

from benchsuite.plugins import registry
from benchsuite.publishing.verify import verify
from benchsuite.running.matrix import load_matrix, select
from benchsuite.running.study.api import suite_notes

BUNDLE = str(RESULTS / "quick@1")


def test_a_rule_that_fails_ends_with_1_in_every_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """The study is verified once; the forms of the answer are what is asked for."""
    found = verify(published_bundle(), "paper@1")
    monkeypatch.setattr("benchsuite.publishing.verify.verify", lambda _path, _suite: found)
    table = call("verify", BUNDLE, "--suite", "paper@1", code=1).stdout
    assert "study.crate.zip: not verified: suite failed" in table
    given = json.loads(call("verify", BUNDLE, "--json", code=1).stdout)
    told = call("verify", BUNDLE, "--markdown", code=1).stdout
    assert (given["passed"], given["suite"]) == (False, "paper@1")
    for rule in given["rules"]:
        assert f"| {rule['rule']} |" in told
        assert rule["rule"] in table


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["verify", BUNDLE, "--json", "--markdown"], "give one of them"),
        (["verify", BUNDLE, "--suite", "quick@9"], "unknown frozen suite 'quick@9'"),
        (["verify", "nothing"], "unknown study 'nothing'"),
        (["verify", "./nothing"], "there is no study at"),
        (["plan", "quick@9"], "unknown matrix 'quick@9'"),
    ],
)
def test_a_wrong_request_ends_with_2(words: list[str], said: str, tmp_path: Path) -> None:
    assert said in call(*words, "--results", str(tmp_path), code=2).stderr


def test_a_part_of_a_suite_is_called_a_part(tmp_path: Path) -> None:
    found = call("plan", "quick@1", "--backend", "numpy", "--task", "copy", "--results", str(tmp_path))
    assert "part of quick@1: 3 of its 726 trials" in found.stderr
    assert "study quick-1" in found.stdout


@pytest.mark.parametrize(
    ("matrix", "overrides", "said"),
    [
        ("quick@1", [], []),
        ("quick@1", ["recipe.epochs=1"], ["726 of 726 trials are not of quick@1"]),
        ("quick", ["recipe.epochs=1"], []),
    ],
)
def test_a_changed_trial_is_none_of_the_suite(matrix: str, overrides: list[str], said: list[str]) -> None:
    asked = load_matrix(matrix)
    notes = suite_notes(asked, select(asked, registry(), {}, overrides))
    assert [note.partition(":")[0] for note in notes] == said


def test_the_suites_are_listed() -> None:
    rows = json.loads(call("list", "suites", "--json").stdout)
    assert {row["name"]: row["trials"] for row in rows}["standard@1"] == 192
