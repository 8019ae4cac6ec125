"""Messages survive the channel as they were, whatever numbers and texts they hold."""

from __future__ import annotations

import math

import pytest
from fixtures.damaged import damaged
from fixtures.scripted import scripted_trial
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.contracts import BackendInfo, Progress, RaceSample, Ready, TrialSupport
from benchsuite.errors import WorkerError
from benchsuite.measure.worker.channel import (
    BackendDescribed,
    CaseChecked,
    CaseFailed,
    CaseId,
    CaseResult,
    CasesListed,
    CaseStarted,
    CheckBackend,
    CheckCell,
    ChecksFinished,
    CheckSupport,
    CheckTask,
    DescribeBackend,
    ListCases,
    PrepareRacer,
    ProgressMade,
    RacerReady,
    RunTrial,
    SampleTaken,
    SupportChecked,
    TakeSample,
    TrialFinished,
    WorkerAnswer,
    WorkerCommand,
    decode_answer,
    decode_command,
    encode,
)
from benchsuite.schema import Record, Series, Status
from benchsuite.schema.texts import printable

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
numbers = st.floats()
TRIAL = scripted_trial("ok", depth=1.5, name="ü\n", flag=True)
RECORD = Record(trial=TRIAL, status=Status.OK)
COMMANDS: list[WorkerCommand] = [
    DescribeBackend(),
    CheckSupport(trials=()),
    CheckSupport(trials=(TRIAL,)),
    RunTrial(trial=TRIAL),
    PrepareRacer(trial=TRIAL, what="step"),
    TakeSample(calls=3),
    CheckBackend(precision="float64", unrolls=("static",), core=True),
    CheckTask(task="adding", sources=("a", "b")),
    CheckCell(cell="mingru", precision="float32", unrolls=("dynamic",)),
    CheckCell(cell="mingru", cases=(CaseId(check="rows"), CaseId(check="begins", unroll="static"))),
    ListCases(of=CheckTask(task="adding", sources=("a",), download=False)),
]
ANSWERS: list[tuple[WorkerAnswer, WorkerCommand]] = [
    (BackendDescribed(content=BackendInfo("b", "", {}, {}, "3.12")), DescribeBackend()),
    (SupportChecked(content=[TrialSupport(None, "f")]), CheckSupport(trials=(TRIAL,))),
    (ProgressMade(content=Progress(TRIAL, "train")), RunTrial(trial=TRIAL)),
    (ProgressMade(content=Progress(TRIAL, "build")), PrepareRacer(trial=TRIAL, what="step")),
    (TrialFinished.of(RECORD), RunTrial(trial=TRIAL)),
    (RacerReady(content=Ready("")), PrepareRacer(trial=TRIAL, what="step")),
    (SampleTaken(content=RaceSample(1.0, 1.0)), TakeSample(calls=3)),
    (CasesListed(cases=(CaseId(check="c", unroll="static"),), fingerprint="f"), COMMANDS[-1]),
    *[
        (answer, command)
        for answer in (
            CaseStarted(check="c", unroll="static"),
            CaseFailed(result=CaseResult(check="c", status="failed", message="m")),
            CaseChecked(content=CaseResult(check="c", status="failed", message="m", smallest="s", trace="t")),
            ChecksFinished(content=1),
        )
        for command in COMMANDS[-5:-1]
    ],
]


def received(answer: WorkerAnswer, command: WorkerCommand) -> object:
    """The content of an answer after its way through the channel."""
    line = encode(answer)
    assert line.count(b"\n") == 1
    return decode_answer(line, command).content


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.kind)
def test_commands(command: WorkerCommand) -> None:
    line = encode(command)
    assert line.count(b"\n") == 1
    assert decode_command(line) == command


@pytest.mark.parametrize(("answer", "command"), ANSWERS)
def test_answers_to_their_command_and_to_no_other(answer: WorkerAnswer, command: WorkerCommand) -> None:
    assert received(answer, command) == answer.content
    own = [asked for given, asked in ANSWERS if type(given) is type(answer)]
    for other in COMMANDS:
        if type(other) not in {type(asked) for asked in own}:
            with pytest.raises(WorkerError, match="out of turn"):
                decode_answer(encode(answer), other)


@given(words, st.dictionaries(words, words, max_size=3))
def test_what_is_said_of_backends_and_trials(text: str, facts: dict[str, str]) -> None:
    info = BackendInfo("b", text, facts, facts, text)
    assert received(BackendDescribed(content=info), DescribeBackend()) == info
    supported = [TrialSupport(None, text), TrialSupport(text, "", broken=True)]
    command = CheckSupport(trials=(TRIAL, scripted_trial()))
    assert received(SupportChecked(content=supported), command) == supported


@given(words, numbers, st.dictionaries(words, words, max_size=3))
def test_what_racers_say(text: str, seconds: float, facts: dict[str, str]) -> None:
    ready = Ready(text, 3, 4, seconds, True, text, facts)
    command = PrepareRacer(trial=TRIAL, what="step")
    assert repr(received(RacerReady(content=ready), command)) == repr(ready)
    sample = RaceSample(seconds, seconds, seconds, text)
    assert repr(received(SampleTaken(content=sample), TakeSample(calls=3))) == repr(sample)


@given(words, st.none() | numbers, st.none() | numbers)
def test_progress(phase: str, loss: float | None, metric: float | None) -> None:
    sent = Progress(TRIAL, phase, 1, 2, loss, metric)
    assert repr(received(ProgressMade(content=sent), RunTrial(trial=TRIAL))) == repr(sent)


@given(st.dictionaries(words, numbers, max_size=4), words, st.lists(numbers, max_size=6))
def test_records_with_their_curves(scalars: dict[str, float], text: str, values: list[float]) -> None:
    curve = Series(name=text, axis="lag", x=values, y=values)
    sent = Record(
        trial=TRIAL,
        status=Status.DIVERGED,
        reason=text,
        scalars=scalars,
        series=[curve],
        artifacts={text: text},
        finished=1e9 + 1 / 3,
    )
    got = received(TrialFinished.of(sent), RunTrial(trial=TRIAL))
    assert isinstance(got, Record)
    assert repr(got) == repr(sent)
    assert got.series[0].name == text


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"", "malformed .*JSON"),
        (b"warning: something\n", "malformed .*JSON.*: 'warning: something"),
        (b"[1]\n", "malformed"),
        (b"{}\n", "malformed .*kind"),
        (b'{"kind":"dance"}\n', "malformed .*kind"),
        (b'{"kind":"progress","phse":"train"}\n', "malformed"),
        (b'{"kind":"record"}\n', r"malformed \(record.record: field required"),
        (b"\xff" * 200, "malformed"),
        (encode(TrialFinished.of(Record(trial=scripted_trial(), status=Status.OK))), "out of turn"),
        (encode(TrialFinished.of(RECORD)).replace(b'"series":[]', b'"series":3'), r"record.series"),
    ],
)
def test_what_is_no_answer_is_refused(line: bytes, message: str) -> None:
    with pytest.raises(WorkerError, match=message) as caught:
        decode_answer(line, RunTrial(trial=TRIAL))
    assert len(str(caught.value)) < 400


def test_support_of_another_number_of_trials_is_refused() -> None:
    line = encode(SupportChecked(content=[TrialSupport(None, "f")]))
    with pytest.raises(WorkerError, match="out of turn"):
        decode_answer(line, CheckSupport(trials=(TRIAL, scripted_trial())))


@pytest.mark.parametrize("line", [b'{"kind":"dance"}\n', b'{"kind":"run_trial"}\n', b"{}\n"])
def test_unknown_commands_are_refused(line: bytes) -> None:
    with pytest.raises(WorkerError, match="does not know"):
        decode_command(line)


@settings(max_examples=400)
@given(damaged(st.sampled_from([encode(answer) for answer, _ in ANSWERS])), st.sampled_from(COMMANDS))
def test_a_damaged_answer_is_an_answer_or_is_refused_in_few_words(
    line: bytes, command: WorkerCommand
) -> None:
    try:
        answer = decode_answer(line, command)
    except WorkerError as error:
        said = str(error)
    else:
        said = ""
        assert decode_answer(encode(answer), command).kind == answer.kind
    assert len(said) < 600


@settings(max_examples=200)
@given(damaged(st.sampled_from([encode(command) for command in COMMANDS])))
def test_a_damaged_command_is_a_command_or_is_refused(line: bytes) -> None:
    try:
        command = decode_command(line)
    except WorkerError as error:
        said = str(error)
    else:
        said = ""
        assert decode_command(encode(command)).kind == command.kind
    assert len(said) < 600


def test_infinities_are_told_from_large_numbers() -> None:
    sent = Record(
        trial=TRIAL, status=Status.OK, scalars={"a": math.inf, "b": -math.inf, "c": 1.7976931348623157e308}
    )
    got = received(TrialFinished.of(sent), RunTrial(trial=TRIAL))
    assert isinstance(got, Record)
    assert got.scalars == sent.scalars


@given(st.text(st.characters(categories=["Cs", "L"]), max_size=20))
def test_printable_text_can_be_sent(text: str) -> None:
    sent = Ready(printable(text))
    assert received(RacerReady(content=sent), PrepareRacer(trial=TRIAL, what="step")) == sent
