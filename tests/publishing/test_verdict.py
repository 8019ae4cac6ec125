"""Verdicts as JSON and Markdown."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.errors import StoreError
from benchsuite.publishing.verdict import MOST_DETAILS, RuleVerdict, Verification


def made(*statuses: str) -> Verification:
    rules = [RuleVerdict(f"rule{n}", status, f"sentence {n}") for n, status in enumerate(statuses)]  # type: ignore[arg-type]
    return Verification("study.crate.zip", "quick@1", tuple(rules))


@pytest.mark.parametrize(
    ("statuses", "passed", "sentence"),
    [
        (("pass", "pass"), True, "verified: 2 rules passed"),
        (
            ("pass", "warn", "not_applicable"),
            True,
            "verified: 2 rules passed, 1 with a warning, 1 not applicable",
        ),
        (("pass", "fail"), False, "not verified: rule1 failed"),
    ],
)
def test_the_whole_passes_unless_a_rule_fails(statuses: tuple[str, ...], passed: bool, sentence: str) -> None:
    found = made(*statuses)
    assert (found.passed, found.sentence) == (passed, sentence)
    assert json.loads(found.to_json())["passed"] is passed


@given(
    st.lists(
        st.builds(
            RuleVerdict,
            st.text(max_size=20),
            st.sampled_from(["pass", "warn", "fail", "not_applicable"]),
            st.text(max_size=40),
            st.lists(st.text(max_size=20), max_size=3).map(tuple),
        ),
        max_size=4,
    ),
    st.none() | st.just("quick@1"),
)
def test_a_verification_is_read_as_it_was_written(rules: list[RuleVerdict], suite: str | None) -> None:
    found = Verification("study.crate.zip", suite, tuple(rules))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "verification.json"
        path.write_text(found.to_json(), encoding="utf-8", errors="surrogatepass")
        assert Verification.read(path) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"rules": 1}',
        '{"rules": [{"rule": "a", "status": "good", "summary": ""}]}',
        "[" * 9999,
    ],
)
def test_a_file_that_is_no_verification_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "verification.json"
    path.write_text(text)
    with pytest.raises(StoreError, match="cannot be read as a verification"):
        Verification.read(path)


def test_json_has_what_the_values_have() -> None:
    found = Verification("s", None, (RuleVerdict("parity", "fail", "one", ("a", "b")),))
    assert json.loads(found.to_json()) == {
        "subject": "s",
        "suite": None,
        "passed": False,
        "rules": [{"rule": "parity", "status": "fail", "summary": "one", "details": ["a", "b"]}],
    }


def test_markdown_shows_so_many_details_and_counts_the_others() -> None:
    details = tuple(f"finding {n}" for n in range(MOST_DETAILS + 3))
    text = Verification("s", None, (RuleVerdict("curves", "fail", "many", details),)).to_markdown()
    assert text.count("- finding") == MOST_DETAILS
    assert "and 3 more" in text


@given(st.text())
def test_a_text_of_a_record_makes_no_markup(text: str) -> None:
    """A bundle is written by a stranger, and its verdict is posted into a pull request."""
    plain = Verification("s", None, (RuleVerdict("curves", "fail", "x", ("x",)),)).to_markdown()
    found = Verification("s", None, (RuleVerdict("curves", "fail", text, (text,)),)).to_markdown()
    assert found.count("\n") == plain.count("\n")
    for mark in ("<", "@", "|"):
        bare = found.replace(f"\\{mark}", "").replace("@\u200b", "")
        assert bare.count(mark) == plain.count(mark)


def test_an_unknown_rule_is_no_verdict() -> None:
    with pytest.raises(KeyError):
        made("pass").rule("nothing")
