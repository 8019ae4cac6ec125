"""Messages survive the channel as they were, whatever numbers and texts they hold."""

from __future__ import annotations

import math

import pytest
from fixtures.scripted import scripted_trial
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts import BackendInfo, Progress, RaceSample, Ready, TrialSupport
from benchsuite.errors import WorkerError
from benchsuite.measure.worker.channel import (
    AskExamine,
    AskReady,
    AskRun,
    AskSample,
    AskSurvey,
    Command,
    decode_answer,
    decode_command,
    encode_command,
    encode_examined,
    encode_lap,
    encode_progress,
    encode_ready,
    encode_record,
    encode_survey,
)
from benchsuite.schema import Record, Series, Status

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
numbers = st.floats()
TRIAL = scripted_trial("ok", depth=1.5, name="ü\n", flag=True)


@pytest.mark.parametrize(
    "command",
    [
        AskSurvey(),
        AskExamine(()),
        AskExamine((TRIAL,)),
        AskRun(TRIAL),
        AskReady(TRIAL, "step"),
        AskSample(3),
    ],
)
def test_commands(command: Command) -> None:
    line = encode_command(command)
    assert line.count(b"\n") == 1
    assert decode_command(line) == command


@given(words, st.dictionaries(words, words, max_size=3))
def test_surveys_and_examinations(text: str, facts: dict[str, str]) -> None:
    survey = BackendInfo("b", text, facts, facts, text)
    assert decode_answer(encode_survey(survey), AskSurvey()) == survey
    examined = [TrialSupport(TRIAL, None, text), TrialSupport(scripted_trial(), text, "", broken=True)]
    command = AskExamine((TRIAL, scripted_trial()))
    assert decode_answer(encode_examined(examined), command) == examined


@given(words, st.floats(allow_nan=False), st.dictionaries(words, words, max_size=3))
def test_what_racers_say(text: str, seconds: float, facts: dict[str, str]) -> None:
    ready = Ready(text, 3, 4, seconds, True, text, facts)
    assert decode_answer(encode_ready(ready), AskReady(TRIAL, "step")) == ready
    lap = RaceSample(seconds, seconds, seconds, text)
    assert decode_answer(encode_lap(lap), AskSample(3)) == lap
    with pytest.raises(WorkerError, match="out of turn"):
        decode_answer(encode_lap(lap), AskReady(TRIAL, "step"))


@given(words, st.none() | numbers, st.none() | numbers)
def test_progress(phase: str, loss: float | None, metric: float | None) -> None:
    sent = Progress(TRIAL, phase, 1, 2, loss, metric)
    line = encode_progress(sent)
    assert line.count(b"\n") == 1
    assert repr(decode_answer(line, AskRun(TRIAL))) == repr(sent)


@given(st.dictionaries(words, numbers, max_size=4), words, st.lists(numbers, max_size=6))
def test_records_with_their_curves(scalars: dict[str, float], text: str, values: list[float]) -> None:
    curve = Series(name=text, axis="lag", x=values, y=values)
    sent = Record(
        trial=TRIAL,
        status=Status.DIVERGED,
        reason=text,
        scalars=scalars,
        series=[curve],
        finished=1e9 + 1 / 3,
    )
    line = encode_record(sent)
    assert line.count(b"\n") == 1
    got = decode_answer(line, AskRun(TRIAL))
    assert isinstance(got, Record)
    assert repr(got) == repr(sent)
    assert got.series[0].name == text


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"", "not JSON"),
        (b"warning: something\n", "not JSON: 'warning: something"),
        (b"[1]\n", "not a JSON object"),
        (b"{}\n", "out of turn"),
        (b'{"answer":"record","trial_id":"another"}\n', "out of turn"),
        (b'{"answer":"survey"}\n', "out of turn"),
        (b'{"answer":"progress","phse":"train"}\n', "malformed"),
        (b'{"answer":"record"}\n', "malformed"),
        (
            b'{"answer":"record","trial_id":"' + TRIAL.id.encode() + b'","record":{},"series":[]}\n',
            "malformed",
        ),
        (b"\xff" * 200, "not JSON"),
    ],
)
def test_what_is_no_answer_is_refused(line: bytes, message: str) -> None:
    with pytest.raises(WorkerError, match=message) as caught:
        decode_answer(line, AskRun(TRIAL))
    assert len(str(caught.value)) < 400


def test_an_examination_of_another_number_of_trials_is_refused() -> None:
    line = encode_examined([TrialSupport(TRIAL, None, "f")])
    with pytest.raises(WorkerError, match="malformed"):
        decode_answer(line, AskExamine((TRIAL, scripted_trial())))


@pytest.mark.parametrize("line", [b'{"command":"dance"}\n', b'{"command":"run"}\n', b"{}\n"])
def test_unknown_commands_are_refused(line: bytes) -> None:
    with pytest.raises(WorkerError, match="does not know"):
        decode_command(line)


def test_infinities_are_told_from_large_numbers() -> None:
    sent = Record(
        trial=TRIAL, status=Status.OK, scalars={"a": math.inf, "b": -math.inf, "c": 1.7976931348623157e308}
    )
    got = decode_answer(encode_record(sent), AskRun(TRIAL))
    assert isinstance(got, Record)
    assert got.scalars == sent.scalars
