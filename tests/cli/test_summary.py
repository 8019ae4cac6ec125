"""What a study says in the terminal: titles, what is not ranked, and when a command has failed."""

from __future__ import annotations

import pytest
from fixtures.printed import printed, rows
from fixtures.records import record

from benchsuite.cli.summary import failed, problems
from benchsuite.schema import INVALID_TIMING, Record, Status


def timed(word: str, **fields: object) -> Record:
    """A record whose timing has this verdict."""
    made = record(0.9, **fields)  # type: ignore[arg-type]
    return made.model_copy(update={"verdicts": {**made.verdicts, "speed": word}})


def test_what_is_not_at_parity_is_never_in_the_table() -> None:
    breach = record(0.99, parity="breach", cell="gru", reason="gradient/rnn.l0.fwd.Wh breaks parity")
    text = printed([record(0.5), breach])
    assert rows(text, "gru plain") == [[f"{breach.trial.label} [{breach.trial_id}]"]]
    assert "parity breach: 1" in text
    assert "gradient/rnn.l0.fwd.Wh breaks parity (1 trial)" in text


def test_what_went_wrong_is_listed_by_reason_gravest_first() -> None:
    records = [record(None, Status.SKIPPED, reason="no CUDA device", seed=seed) for seed in range(9)]
    records += [record(None, Status.FAILED, cell="gru", reason="ValueError: bad\nmore")]
    records += [record(None, Status.DIVERGED, cell="rnn", reason="loss is NaN at step 3")]
    records += [record(None, Status.TIMEOUT, backend="torch", reason="took more than 3 s")]
    found = problems(records)
    assert [heading for heading, _ in found] == ["failed: 1", "timeout: 1", "diverged: 1", "skipped: 9"]
    skipped = found[-1][1]
    assert skipped[0] == "no CUDA device (9 trials)"
    assert skipped[-1] == "  and 4 more"
    assert found[0][1][0] == "ValueError: bad (1 trial)"


@pytest.mark.parametrize("word", INVALID_TIMING)
def test_a_refused_timing_is_listed_with_its_reason_and_shows_no_speed(word: str) -> None:
    text = printed([timed(word)])
    assert f"{word}: 1" in text
    assert f"the timing is refused: {INVALID_TIMING[word]} (1 trial)" in text
    assert "1,234" not in text


def test_trials_of_one_study_have_labels_of_their_own() -> None:
    records = [
        record(None, Status.FAILED, reason="broken", options={"horizon": horizon}) for horizon in (24, 48, 96)
    ]
    [(_, lines)] = problems(records)
    assert [line.split(" seed 0 ")[1].split()[0] for line in lines[1:]] == [
        "horizon=24", "horizon=48", "horizon=96"
    ]  # fmt: skip


def test_a_study_of_failures_alone_prints_no_table() -> None:
    text = printed([record(None, Status.FAILED, reason="broken")])
    assert "accuracy" not in text
    assert "failed: 1" in text


def test_no_records_are_said_so() -> None:
    assert printed([]).strip() == "no records"


def test_options_split_a_task_and_are_told_in_the_title() -> None:
    records = [record(0.8, options={"view": "rows", "head": "dense"})]
    records += [record(0.7, options={"view": "pixels", "head": "dense"})]
    text = printed(records)
    assert "digits / tiny view=rows\n" in "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
    assert "head=" not in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_any_width_will_do(width: int) -> None:
    lines = printed(
        [record(0.9), record(None, Status.FAILED, cell="gru", reason="x" * 300)], width
    ).splitlines()
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([record()], False),
        ([record(), record(None, Status.FAILED, cell="gru")], True),
        ([record(None, Status.TIMEOUT)], True),
        ([record(None, Status.KILLED)], True),
        ([record(parity="breach")], True),
        ([record(None, Status.SKIPPED)], False),
        ([record(None, Status.DIVERGED)], False),
        ([], False),
        ([timed("unstable")], False),
        *(([record(), timed(word, cell="gru")], True) for word in INVALID_TIMING),
    ],
)
def test_what_makes_a_run_end_with_one(records: list[Record], expected: bool) -> None:
    assert failed(records) is expected
