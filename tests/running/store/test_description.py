"""study.json is read whole, or refused with what is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fixtures.command import call
from fixtures.records import record
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.errors import StoreError
from benchsuite.running.store import DESCRIPTION, StudyStore
from benchsuite.running.store.description import LATEST, read_description
from benchsuite.running.study.asked import read_asked


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[" * 100_000, "cannot be read"),
        ("{", "cannot be read"),
        ("[]", "holds no JSON object"),
        ('{"matrix": 0}', "matrix is an object, not 0"),
        ('{"matrix": {"text": []}}', r"matrix\.text is a text, not \[\]"),
        ('{"environment": "x"}', "environment is an object, not 'x'"),
        ('{"created": "now"}', "created is a number, not 'now'"),
        ('{"created": true}', "created is a number, not True"),
        ('{"created": 1e400}', "created is POSIX seconds, not inf"),
        (f'{{"created": {10**400}}}', "created is POSIX seconds"),
        (f'{{"created": {LATEST + 1}}}', "created is POSIX seconds"),
        ('{"created": NaN}', "created is POSIX seconds, not nan"),
        ('{"id": 3}', "id is a text, not 3"),
    ],
)
def test_what_no_run_writes_is_refused_with_its_place(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / DESCRIPTION).write_text(content)
    with pytest.raises(StoreError, match=said) as caught:
        read_description(tmp_path / DESCRIPTION)
    assert "mend it or remove it" in str(caught.value)
    assert len(str(caught.value)) < 600


def test_what_is_missing_is_missing(tmp_path: Path) -> None:
    assert read_description(tmp_path / DESCRIPTION) == {}
    (tmp_path / DESCRIPTION).write_text('{"created": null, "more": [1]}')
    assert read_description(tmp_path / DESCRIPTION) == {"created": None, "more": [1]}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
FIELDS = ("study", "matrix", "sha256", "filters", "overrides", "shard", "times", "parts")


@given(st.dictionaries(st.sampled_from(FIELDS), values), st.booleans())
def test_what_was_asked_is_read_or_left_out(asked: dict[str, Any], whole: bool) -> None:
    good: dict[str, Any] = dict.fromkeys(FIELDS, "") | {"filters": {}, "overrides": [], "parts": []}
    for one in read_asked({"asked": {**good, **asked} if whole else asked}):
        assert hash(one.whole) is not None


READERS = {
    "show": ["show", "s"],
    "trial": ["show", "s", record(seed=0).trial_id],
    "report": ["report", "s", "--output", "{out}/site", "--format", "markdown"],
    "plan": ["plan", "smoke", "--backend", "numpy", "--name", "s"],
    "merge": ["merge", "s", "--output", "m"],
    "bundle": ["bundle", "s", "--no-report", "--output", "{out}/b.zip"],
}
ODD: tuple[Any, ...] = (None, 0, -1.5, "", "x", [], {}, [1], {"a": [1]}, True, 10**30)
PLACES = ("id", "name", "matrix", "environment", "asked", "merged", "plugins", "format", "created")


@pytest.mark.parametrize("reader", READERS)
def test_no_reader_stumbles_over_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: str) -> None:
    """Each reader meets a few of the odd values in every field: it reads them, or says what is wrong."""
    monkeypatch.setenv("BENCHSUITE_RESULTS", str(tmp_path))
    store = StudyStore(tmp_path / "s")
    with store.writing():
        store.describe({"matrix": {"name": "x", "text": "a = 1"}, "environment": {}})
        for seed in range(2):
            store.append(record(seed=seed))
    whole = (tmp_path / "s" / DESCRIPTION).read_text()
    for number, place in enumerate(PLACES):
        value = ODD[(number + sorted(READERS).index(reader) * 3) % len(ODD)]
        (tmp_path / "s" / DESCRIPTION).write_text(json.dumps({**json.loads(whole), place: value}))
        result = call(*[word.format(out=tmp_path / "out") for word in READERS[reader]], code=None)
        assert result.exit_code in (0, 2), (place, value, result.output)
