"""What is told of a line that is no record, by every reader."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from fixtures.command import call
from fixtures.records import record
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts import Damage
from benchsuite.running.store import Journal, StudyStore
from benchsuite.running.study import StoredStudy
from benchsuite.schema import Record

GOOD, LOST, OTHER = record(0.9, seed=0), record(0.8, seed=1), record(0.7, seed=2)


def line(one: Record) -> bytes:
    return one.model_dump_json().encode()


def cut(one: Record) -> bytes:
    """The line without its end."""
    return line(one)[:-40]


def flawed(one: Record) -> bytes:
    """JSON of a status that no record has."""
    return line(one).replace(b'"status":"ok"', b'"status":"well"')


def journal(folder: Path, *lines: bytes) -> Path:
    """A study with these lines in its journal."""
    store = StudyStore(folder)
    with store.writing():
        store.describe({})
    (folder / "records.jsonl").write_bytes(b"".join(one + b"\n" for one in lines))
    return folder


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([line(GOOD), cut(LOST)], Damage(2, "it is not JSON", LOST.trial_id, LOST.trial.label)),
        ([cut(GOOD), line(GOOD)], Damage(1, "it is not JSON", GOOD.trial_id, GOOD.trial.label, "later")),
        ([line(GOOD), cut(GOOD)], Damage(2, "it is not JSON", GOOD.trial_id, GOOD.trial.label, "earlier")),
        ([line(LOST)[:20], line(GOOD)], Damage(1, "it is not JSON")),
        ([b"\0" * 30], Damage(1, "it is not JSON")),
        ([b'{"status": "ok"}'], Damage(1, "trial: field required")),
        ([b'"id":"0123456789abcdef", "status"'], Damage(1, "it is not JSON", "0123456789abcdef")),
    ],
)
def test_the_line_and_its_trial_are_told(tmp_path: Path, lines: list[bytes], expected: Damage) -> None:
    study = StoredStudy.read(journal(tmp_path / "s", *lines))
    assert study.damage == (expected,)


def test_what_is_wrong_with_a_whole_line_is_told(tmp_path: Path) -> None:
    (one,) = StoredStudy.read(journal(tmp_path / "s", flawed(LOST))).damage
    assert one.problem.startswith("status: input should be 'ok'")
    assert one.trial == LOST.trial_id


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (
            Damage(2, "it is not JSON", "a1", "digits/tiny lstm"),
            "line 2 of the journal of s is no record (it is not JSON) and is left out; "
            "its trial is a1 (digits/tiny lstm): nothing else is recorded of it",
        ),
        (Damage(2, "x", "a1", "", "later"), "its trial is a1: its later record is used"),
        (Damage(2, "x"), "is left out; its trial cannot be told"),
    ],
)
def test_the_sentence(damage: Damage, said: str) -> None:
    assert said in damage.sentence("s")


@given(st.data())
def test_no_damage_costs_another_line(data: st.DataObject) -> None:
    """Whatever byte is changed, all other lines are read, and the changed one is a record or is told."""
    import tempfile

    whole = b"".join(line(one) + b"\n" for one in (GOOD, LOST, OTHER))
    start = len(line(GOOD)) + 1
    place = data.draw(st.integers(start, start + len(line(LOST)) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda byte: byte != ord("\n")))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.jsonl"
        path.write_bytes(whole[:place] + bytes([value]) + whole[place + 1 :])
        records, damage = Journal(path).read()
    assert records[0] == GOOD
    assert records[-1] == OTHER
    assert len(records) + len(damage) == 3
    assert all(one.line == 2 for one in damage)


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A results folder with a study whose second line is damaged, and one that is whole."""
    monkeypatch.setenv("BENCHSUITE_RESULTS", str(tmp_path))
    journal(tmp_path / "s", line(GOOD), cut(LOST), line(OTHER))
    journal(tmp_path / "whole", line(GOOD), line(OTHER))
    return tmp_path


SAID = (
    f"line 2 of the journal of s is no record (it is not JSON) and is left out; its trial is {LOST.trial_id}"
)
READERS = {
    "show": ["show", "s"],
    "show a trial": ["show", "s", OTHER.trial_id],
    "show --json": ["show", "s", "--json"],
    "export": ["export", "s", "--format", "csv"],
    "report": ["report", "s", "--output", "{out}", "--format", "markdown"],
    "compare": ["compare", "s:seed=0", "s:seed=2"],
    "compare two": ["compare", "whole", "s"],
    "plan": ["plan", "smoke", "--backend", "numpy", "--name", "s"],
}


@pytest.mark.usefixtures("results")
@pytest.mark.parametrize("reader", READERS)
def test_every_reader_says_it_once(reader: str, tmp_path: Path) -> None:
    arguments = [argument.format(out=tmp_path / "out") for argument in READERS[reader]]
    done = call(*arguments)
    assert done.stderr.count(SAID) == 1
    if "--json" in arguments:
        assert len(json.loads(done.stdout)) == 2
    if "csv" in arguments:
        assert len(pd.read_csv(io.StringIO(done.stdout))) == 2


GATES: dict[str, Callable[[Path], list[str]]] = {
    "bundle": lambda out: ["bundle", "s", "--no-report", "--output", str(out)],
    "gate": lambda _: ["compare", "whole", "s", "--fail-on-regression", "5%"],
}


@pytest.mark.parametrize("gate", GATES)
def test_what_publishes_or_decides_refuses_until_told_otherwise(results: Path, gate: str) -> None:
    arguments = GATES[gate](results / "out.zip")
    refused = call(*arguments, code=2)
    assert SAID in refused.stderr
    assert "--allow-damage" in refused.stderr
    assert not (results / "out.zip").exists()
    assert SAID in call(*arguments, "--allow-damage").stderr


def test_a_bundle_that_was_allowed_tells_its_readers(results: Path) -> None:
    path = results / "out.zip"
    call("bundle", "s", "--no-report", "--output", str(path), "--allow-damage")
    assert SAID in call("show", str(path)).stderr


def test_programs_are_told(results: Path) -> None:
    with pytest.warns(UserWarning, match="line 2 of the journal of s") as caught:
        study = StoredStudy.load(results / "s")
    assert len(caught) == 1
    assert caught[0].filename == __file__
    (said,) = study.frame().attrs["damage"]
    assert said.startswith(SAID)
    assert StoredStudy.load(results / "whole").frame().attrs == {}
