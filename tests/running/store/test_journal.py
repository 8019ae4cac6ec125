"""The journal keeps every whole line, whatever a crash does to the last one."""

from __future__ import annotations

import math
import resource
import tempfile
import time
from pathlib import Path

import pytest
from fixtures.scripted import scripted_trial
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.errors import StoreError
from benchsuite.running.store import Journal
from benchsuite.running.store.journal import MOST_DAMAGE
from benchsuite.schema import Record, Status

numbers = st.floats(allow_nan=True, allow_infinity=True)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
records = st.builds(
    Record,
    trial=st.builds(scripted_trial, st.just("ok"), st.integers(0, 5)),
    status=st.sampled_from(Status),
    reason=words,
    exception=words,
    output_tail=words,
    scalars=st.dictionaries(words, numbers, max_size=4),
    verdicts=st.dictionaries(words, words, max_size=2),
    baselines=st.dictionaries(words, st.dictionaries(words, numbers, max_size=2), max_size=2),
    environment=st.dictionaries(words, words, max_size=3),
    started=st.floats(0, 1e10),
)


def same(left: object, right: object) -> bool:
    """Equality that takes NaN for itself."""
    if isinstance(left, float) and isinstance(right, float):
        return (math.isnan(left) and math.isnan(right)) or left == right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


@settings(deadline=None, max_examples=50)
@given(st.lists(records, max_size=4))
def test_what_is_appended_is_what_is_read(written: list[Record]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / "records.jsonl")
        for record in written:
            journal.append(record)
        read, damage = journal.read()
    assert not damage
    assert same([one.model_dump() for one in read], [one.model_dump() for one in written])


@settings(deadline=None, max_examples=60)
@given(st.lists(records, min_size=1, max_size=3), records, st.data())
def test_a_file_cut_at_any_byte_loses_the_torn_line_alone(
    written: list[Record], later: Record, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder) / "records.jsonl")
        for record in written:
            journal.append(record)
        content = journal.path.read_bytes()
        cut = data.draw(st.integers(0, len(content)))
        journal.path.write_bytes(content[:cut])
        whole = content[:cut].count(b"\n") + (content[cut : cut + 1] == b"\n")
        torn = content[:cut].rpartition(b"\n")[2] if content[cut : cut + 1] != b"\n" else b""

        before, _ = journal.read()
        assert len(before) == whole
        damage = journal.recover()
        assert (damage is not None) == bool(torn)
        journal.append(later)
        read, left = journal.read()
        aside = journal.path.with_name("records.jsonl.torn")
        assert not left
        assert same(
            [one.model_dump() for one in read], [one.model_dump() for one in [*written[:whole], later]]
        )
        assert (aside.read_bytes() if aside.exists() else b"") == (torn + b"\n" if torn else b"")


def test_recovering_twice_changes_nothing_more(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "records.jsonl")
    assert journal.recover() is None
    journal.append(Record(trial=scripted_trial(), status=Status.OK))
    with journal.path.open("ab") as file:
        file.write('{"trial": {"tä'.encode()[:-1])
    damage = journal.recover()
    assert damage is not None
    assert damage.line == 2
    content = journal.path.read_bytes()
    assert journal.recover() is None
    assert journal.path.read_bytes() == content


def test_damage_in_the_middle_is_reported_and_costs_its_line_alone(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "records.jsonl")
    first, second = (Record(trial=scripted_trial(seed=seed), status=Status.OK) for seed in range(2))
    journal.append(first)
    with journal.path.open("ab") as file:
        file.write(b"\0" * 30 + b"\n" + b'{"status": "ok"}\n')
    journal.append(second)
    read, damage = journal.read()
    assert [one.trial.seed for one in read] == [0, 1]
    assert [one.line for one in damage] == [2, 3]


def test_a_disk_that_is_full_leaves_no_half_line(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "records.jsonl")
    journal.append(Record(trial=scripted_trial(), status=Status.OK))
    content = journal.path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(content) + 20, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            journal.append(Record(trial=scripted_trial(seed=1), status=Status.OK))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert journal.path.read_bytes() == content


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.binary(max_size=60)
        | st.sampled_from([b"[" * 60_000, b'{"trial":' * 3_000, b"{" * 5_000, b"", b" ", b"1e999", b"null"])
        | records.map(lambda one: one.model_dump_json().encode())
        | st.builds(
            lambda one, number: one.model_dump_json().replace('"seed":', f'"seed":{number},"seed":').encode(),
            records,
            st.sampled_from(["1e999", "9" * 400, "9" * 5000, "-0", "1e-999", "true", '"1"', "[]"]),
        )
        | st.builds(
            lambda one, number: (
                one.model_dump_json().replace('"started":', f'"started":{number},"started":').encode()
            ),
            records,
            st.sampled_from(["1e999", "9" * 400, "9" * 5000]),
        )
        | st.builds(
            lambda one, number: (
                one.model_dump_json().replace('"options":{', f'"options":{{"a":{number},').encode()
            ),
            records,
            st.sampled_from(["1e999", "-1e999", "9" * 400, "9" * 5000, "NaN"]),
        ),
        max_size=5,
    )
)
def test_whatever_a_journal_holds_is_a_record_or_damage(lines: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.jsonl"
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        read, damage = Journal(path).read()
        assert len(read) + len(damage) == path.read_bytes().count(b"\n")
        assert all(one.sentence("s") for one in damage)
        Journal(path).recover()


def test_millions_of_lines_that_are_no_records_are_read_quickly_and_told_briefly(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    path.write_bytes(b"\n" * (4 << 20) + b"x\n" * (1 << 20))
    begin = time.monotonic()
    read, damage = Journal(path).read()
    assert time.monotonic() - begin < 10
    assert (read, len(damage)) == ([], MOST_DAMAGE)
    assert damage[-1].problem == f"it is blank; {(5 << 20) - MOST_DAMAGE:,} more lines are none"


def test_a_record_behind_much_damage_is_read(tmp_path: Path) -> None:
    one = Record(trial=scripted_trial(), status=Status.OK)
    path = tmp_path / "records.jsonl"
    path.write_bytes(b"\n" * 5_000 + one.model_dump_json().encode() + b"\n" + b"\n" * 5)
    read, _ = Journal(path).read()
    assert read == [one]


def test_a_journal_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "records.jsonl").mkdir()
    with pytest.raises(StoreError, match=r"records\.jsonl cannot be read"):
        Journal(tmp_path / "records.jsonl").read()
