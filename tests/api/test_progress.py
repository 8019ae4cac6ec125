"""What a run shows while it runs."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from fixtures.records import record
from rich.console import Console

from benchsuite.analysis.identity import Labels
from benchsuite.api.progress import (
    LiveDisplay,
    PlainDisplay,
    RunState,
    SilentDisplay,
    begun_line,
    finished_line,
    noteworthy,
    progress_words,
    watching,
)
from benchsuite.contracts import Finished, Progress, Started, StudyInfo, TrialSupport
from benchsuite.running.matrix import Skipped, make_plan
from benchsuite.running.study import Begun, StudyEvent, Warned
from benchsuite.schema import INVALID_TIMING, Record, Status

RECORDS = [record(0.9, seed=seed) for seed in range(4)]
SKIPPED = record(None, Status.SKIPPED, cell="gru", reason="no such thing")


def begun() -> Begun:
    trials = [each.trial for each in RECORDS]
    plan = make_plan(
        trials, [TrialSupport(None, "f")] * len(trials), [Skipped(SKIPPED.trial, SKIPPED.reason)]
    )
    return Begun(StudyInfo("quick", Path("quick")), plan)


def events(records: list[Record]) -> list[StudyEvent]:
    told: list[StudyEvent] = [begun(), Finished(SKIPPED)]
    for each in records:
        told += [Started(each.trial), Progress(each.trial, "train", 2, 10, 0.41, 0.88), Finished(each)]
    return told


def test_time_left_is_at_the_pace_so_far() -> None:
    now = [0.0]
    state = RunState(clock=lambda: now[0])
    state.update(begun())
    assert state.seconds_left is None
    now[0] += 100.0  # what plugins do before the first trial
    for each in RECORDS[:2]:
        state.update(Started(each.trial))
        now[0] += 5.0
        state.update(Finished(each))
    assert (state.done, state.total, state.seconds_left) == (2, 4, 10.0)
    assert not state.running
    assert state.tally() == "2 ok"


def test_trials_that_were_never_to_run_do_not_count() -> None:
    state = RunState()
    for event in events([]):
        state.update(event)
    assert (state.done, state.total) == (0, 4)


def test_breaches_and_failures_are_tallied() -> None:
    state = RunState()
    state.update(begun())
    state.update(Finished(RECORDS[0].model_copy(update={"verdicts": {"parity": "breach"}})))
    state.update(Finished(RECORDS[1].model_copy(update={"status": Status.FAILED})))
    assert state.tally() == "1 ok, 1 failed, 1 parity breach"


def test_without_a_terminal_there_is_one_line_a_trial(capsys: pytest.CaptureFixture[str]) -> None:
    with PlainDisplay(sys.stdout) as display:
        for event in [*events(RECORDS), Warned("a plugin failed")]:
            display(event)
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0] == "study quick: 4 trials to run, 1 skipped"
    label = RECORDS[0].trial.label
    assert lines[1] == f"[1/4] ok        {label}  accuracy 0.9  3.00 s"
    assert len(lines) == 5
    assert err == "warning: a plugin failed\n"


def test_in_a_terminal_what_runs_is_shown_and_only_trouble_stays() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=140, color_system=None)
    failure = RECORDS[1].model_copy(update={"status": Status.FAILED, "reason": "ValueError: bad"})
    with LiveDisplay(console) as display:
        display(begun())
        display(Finished(RECORDS[0]))
        display(Started(RECORDS[2].trial))
        display(Progress(RECORDS[2].trial, "train", 2, 10, 0.41, 0.88))
        console.print(display._render())
        display(Finished(failure))
        display(Warned("odd"))
    text = stream.getvalue()
    assert "1/4 trials" in text
    assert "train  epoch 2/10  loss 0.41  metric 0.88" in text
    assert RECORDS[2].trial.label in text
    assert "ValueError: bad" in text
    assert "warning: odd" in text
    assert f"ok        {RECORDS[0].trial.label}" not in text


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (record(None, Status.FAILED, reason="\nValueError: bad\nmore"), "ValueError: bad"),
        (record(None, Status.TIMEOUT), "the worker gave no reason"),
        (
            record(0.5, parity="breach", reason="loss breaks parity"),
            "accuracy 0.5  PARITY BREACH: loss breaks parity",
        ),
    ],
)
def test_a_line_says_what_went_wrong(made: Record, words: str) -> None:
    line = finished_line(made, made.trial.label)
    assert f"  {words}  3.00 s" in line
    assert "\n" not in line


@pytest.mark.parametrize("word", INVALID_TIMING)
def test_a_refused_timing_is_said_at_once_and_tallied(word: str) -> None:
    refused = RECORDS[0].model_copy(update={"verdicts": {"parity": "ok", "speed": word}})
    assert noteworthy(refused)
    line = finished_line(refused, refused.trial.label)
    assert f"{word.upper()}: the timing is refused: {INVALID_TIMING[word]}" in line
    state = RunState()
    state.update(begun())
    state.update(Finished(refused))
    assert state.tally() == f"1 ok, 1 {word}"


def test_trials_are_called_what_the_study_calls_them(capsys: pytest.CaptureFixture[str]) -> None:
    trials = [record(seed=0, options={"horizon": horizon}).trial for horizon in (24, 48, 96)]
    plan = make_plan(trials, [TrialSupport(None, "f")] * 3)
    label = Labels(trials)
    info = StudyInfo("s", Path("s"), {}, {trial.id: label(trial) for trial in trials})
    with PlainDisplay(sys.stdout) as display:
        display(Begun(info, plan))
        for trial in trials:
            display(Finished(record(options=trial.options)))
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.partition("seed 0 ")[2].split("  ")[0] for line in lines] == [
        "horizon=24", "horizon=48", "horizon=96"
    ]  # fmt: skip


def test_progress_says_what_is_known() -> None:
    trial = RECORDS[0].trial
    assert progress_words(None) == "starting"
    assert progress_words(Progress(trial, "load")) == "load"
    assert progress_words(Progress(trial, "train", 1, 3, 0.5)) == "train  epoch 1/3  loss 0.5"


def test_a_plan_in_one_line() -> None:
    trials, supported = [each.trial for each in RECORDS], [TrialSupport(None, "f")] * len(RECORDS)
    records = {each.trial_id: each for each in RECORDS[:3]}
    assert begun_line("a", make_plan(trials[:1], supported[:1])) == "study a: 1 trial to run"
    assert begun_line("a", make_plan(trials, supported, (), records)) == (
        "study a: 1 trial to run, 3 recorded already, about 3 s"
    )


def test_a_silent_run_says_what_ought_to_be_known() -> None:
    with watching(False) as shown:
        for event in events(RECORDS):
            shown(event)
        with pytest.warns(UserWarning, match="a plugin failed"):
            shown(Warned("a plugin failed"))


def test_a_program_shows_progress_only_where_it_is_seen_or_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("BENCHSUITE_PROGRESS", raising=False)
    assert isinstance(watching(None), SilentDisplay)
    with watching(True) as shown:
        for event in events(RECORDS[:1]):
            shown(event)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("study quick: 4 trials to run")
    monkeypatch.setenv("BENCHSUITE_PROGRESS", "0")
    assert isinstance(watching(True), PlainDisplay)
    monkeypatch.setattr(Console, "is_terminal", property(lambda _: True))
    assert isinstance(watching(None), SilentDisplay)
    monkeypatch.delenv("BENCHSUITE_PROGRESS")
    assert isinstance(watching(None), LiveDisplay)
