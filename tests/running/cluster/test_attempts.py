"""AttemptReader: what a driver sees of an attempt while it is written, and which records count."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures.scripted import scripted_trial
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts import Event, Finished, Notice, Progress, RunOptions, Started
from benchsuite.running.cluster.attempts import AttemptReader, gets_further, recorded_trials
from benchsuite.running.cluster.events import EventLog, Tail, events_path
from benchsuite.running.cluster.runs import ClusterRun, RunFolder
from benchsuite.running.cluster.task import ShardTask
from benchsuite.running.store import StudyStore
from benchsuite.running.study import Warned
from benchsuite.schema import Cause, Exhibit, Record, Series, Status, Trial

TRIALS = [scripted_trial(seed=seed) for seed in range(3)]
BY_ID = {trial.id: trial for trial in TRIALS}
HOME = {"hardware.cpu": "Small", "hardware.cores": "1"}


def record(trial: Trial, cause: Cause = "") -> Record:
    return Record(
        trial=trial,
        status=Status.KILLED if cause else Status.OK,
        cause=cause,
        environment={"artifact.words": "x"},
        series=[Series(name="train/loss", axis="step", x=[1.0], y=[0.5])],
        exhibits=[Exhibit(name="note", kind="text")],
        artifacts={"words": "a text"},
    )


@pytest.fixture
def attempt(tmp_path: Path) -> Iterator[StudyStore]:
    """The study of an attempt that is being written."""
    store = StudyStore(tmp_path / "3" / "attempt-1")
    with store.writing():
        store.describe({"environment": HOME})
        yield store


def records(events: list[Event]) -> list[Record]:
    return [event.record for event in events if isinstance(event, Finished)]


def test_a_record_comes_with_all_that_belongs_to_it_once(attempt: StudyStore) -> None:
    reader = AttemptReader(attempt.folder, BY_ID)
    assert list(reader.read()) == []
    stored = attempt.append(record(TRIALS[0]))
    (seen,) = records(list(reader.read()))
    assert (seen.attempt, seen.series, seen.exhibits) == (stored.attempt, stored.series, stored.exhibits)
    assert seen.environment == {"artifact.words": "x", **HOME}
    assert list(reader.read()) == []
    attempt.append(record(TRIALS[1]))
    assert [one.trial for one in records(list(reader.read()))] == [TRIALS[1]]


@pytest.mark.parametrize("cause", ["lost", "interrupted"])
def test_a_worker_that_ended_with_its_job_gives_no_record(attempt: StudyStore, cause: Cause) -> None:
    reader, log = AttemptReader(attempt.folder, BY_ID), EventLog(attempt.folder)
    attempt.append(record(TRIALS[0], cause))
    attempt.append(record(TRIALS[1], "memory"))
    assert [one.trial for one in records(list(reader.read()))] == [TRIALS[1]]
    assert recorded_trials(attempt.folder, BY_ID) == {TRIALS[1].id}
    log.tell("ended")
    assert [one.trial for one in records(list(reader.read()))] == [TRIALS[0]]
    assert reader.ended
    assert recorded_trials(attempt.folder, BY_ID) == {TRIALS[0].id, TRIALS[1].id}


def test_a_damaged_line_is_no_record(attempt: StudyStore) -> None:
    attempt.append(record(TRIALS[0]))
    with (attempt.folder / "records.jsonl").open("ab") as file:
        file.write(b'{"trial": 3}\n{"torn')
    assert [one.trial for one in records(list(AttemptReader(attempt.folder, BY_ID).read()))] == [TRIALS[0]]


def test_events_are_those_that_the_node_told(attempt: StudyStore) -> None:
    log = EventLog(attempt.folder)
    progress = Progress(TRIALS[0], "train", 1, 2, float("nan"), 0.5)
    for event in (Started(TRIALS[0]), progress, progress, Warned("odd"), Started(scripted_trial(seed=9))):
        log(event)
    log.tell("failed", text="no data")
    log.close()
    reader = AttemptReader(attempt.folder, BY_ID)
    begun, moved, said = reader.read()  # the second Progress follows too soon; another's trial is unknown
    assert (begun, said) == (Started(TRIALS[0]), Notice("shard 3: odd"))
    assert isinstance(moved, Progress)
    assert (moved.phase, moved.epochs, moved.metric) == ("train", 2, 0.5)
    assert (reader.ended, reader.failure) == (False, "no data")


@given(st.lists(st.binary(max_size=30), max_size=20))
def test_events_that_cannot_be_read_say_nothing(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("events") / "attempt-1"
    whole = [line.replace(b"\n", b"") for line in lines]
    events_path(folder).write_bytes(b"\n".join([*whole, b"[]", b'{"kind": "progress"}', b""]))
    assert list(AttemptReader(folder, BY_ID).read()) == []


@given(st.lists(st.integers(0, 40), max_size=8))
def test_a_tail_gives_every_line_once_however_the_file_grows(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    path = tmp_path_factory.mktemp("tail") / "file"
    lines = [json.dumps({"line": number}).encode() for number in range(3)]
    content = b"".join(line + b"\n" for line in lines)
    tail, seen, before = Tail(path), list[bytes](), 0
    for cut in sorted({*(min(cut, len(content)) for cut in cuts), len(content)}):
        with path.open("ab") as file:
            file.write(content[before:cut])
        before = cut
        seen += tail.lines()
    assert seen == lines


@pytest.mark.parametrize(
    ("counts", "expected"), [([], True), ([0, 0], True), ([1, 0, 0], True), ([1, 0, 0, 0], False)]
)
def test_a_shard_whose_last_attempts_recorded_nothing_gets_no_further(
    tmp_path: Path, counts: list[int], expected: bool
) -> None:
    """A trial that takes longer than its job's time would be queued again for ever."""
    pytest.importorskip("submitit")
    folder = RunFolder.create(tmp_path / "s", ClusterRun("test", RunOptions(), (tuple(TRIALS),)))
    for count in counts:
        store = StudyStore(folder.new_attempt(0))
        with store.writing():
            for trial in TRIALS[:count]:
                store.append(record(trial))
    assert gets_further(folder, 0) is expected
    assert (ShardTask(str(folder.path), 0).checkpoint() is not None) is expected
