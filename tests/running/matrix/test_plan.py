"""Which trials would run, which are recorded, which are skipped, and for how long."""

from __future__ import annotations

import pytest
from fixtures.records import record

from benchsuite.contracts import TrialSupport
from benchsuite.running.matrix import Skipped, make_plan
from benchsuite.schema import Record, Status


def action(known: Record | None, rerun: str | None = None, fingerprint: str = "f") -> tuple[str, str]:
    trial = record().trial
    records = {} if known is None else {known.trial_id: known}
    [item] = make_plan([trial], [TrialSupport(None, fingerprint)], (), records, rerun).items
    return item.action, item.reason


@pytest.mark.parametrize(
    ("known", "rerun", "fingerprint", "expected"),
    [
        (None, None, "f", ("run", "new")),
        (record(), None, "f", ("fresh", "recorded")),
        (record(), None, "g", ("run", "stale: recorded with other code or versions")),
        (record(), "failed", "g", ("fresh", "recorded")),
        (record(), "all", "f", ("run", "asked to run again")),
        (None, "all", "f", ("run", "new")),
        (None, "failed", "f", ("left", "not recorded; only failures were asked for")),
        (record(status=Status.DIVERGED), None, "f", ("fresh", "recorded")),
        (record(status=Status.DIVERGED), "failed", "f", ("run", "diverged before")),
        (record(status=Status.FAILED), None, "f", ("run", "failed before")),
        (record(status=Status.FAILED), "failed", "f", ("run", "failed before")),
        (record(status=Status.TIMEOUT), None, "f", ("run", "timeout before")),
        (record(status=Status.KILLED), None, "f", ("run", "killed before")),
        (record(status=Status.SKIPPED, reason="no such model"), None, "f", ("skip", "no such model")),
        (record(status=Status.SKIPPED), None, "g", ("run", "skipped before")),
    ],
)
def test_actions(
    known: Record | None, rerun: str | None, fingerprint: str, expected: tuple[str, str]
) -> None:
    assert action(known, rerun, fingerprint) == expected


def test_what_the_backend_or_the_matrix_rules_out_is_skipped_with_its_reason() -> None:
    here, there = record().trial, record(cell="gru").trial
    plan = make_plan([here], [TrialSupport("no CUDA device")], [Skipped(there, "no such thing")])
    assert [(item.trial.id, item.action, item.reason) for item in plan.items] == [
        (here.id, "skip", "no CUDA device"),
        (there.id, "skip", "no such thing"),
    ]
    assert plan.seconds == 0.0


def test_a_broken_backend_fails_its_trials() -> None:
    [item] = make_plan([record().trial], [TrialSupport("the worker died", broken=True)]).items
    assert (item.action, item.reason) == ("fail", "the worker died")


def test_the_time_is_estimated_from_other_seeds_of_a_configuration() -> None:
    known = {each.trial_id: each for each in (record(seed=0), record(seed=1))}
    trials = [record(seed=seed).trial for seed in (0, 2, 3)]
    plan = make_plan(trials, [TrialSupport(None, "f")] * 3, (), known)
    assert [item.seconds for item in plan.items] == [3.0, 3.0, 3.0]
    assert plan.seconds == 6.0


def test_trials_that_were_never_run_are_expected_to_take_as_long_as_others() -> None:
    known = {record().trial_id: record()}
    trials = [record(seed=5).trial, *(record(cell=cell).trial for cell in ("gru", "rnn"))]
    plan = make_plan(trials, [TrialSupport(None, "f")] * 3, (), known)
    assert plan.seconds == pytest.approx(9.0)
    assert [item.expected.known_from for item in plan.items if item.expected] == [
        "records of the configuration",
        "trials of its task and backend",
        "trials of its task and backend",
    ]


def test_the_time_is_unknown_where_nothing_was_ever_recorded() -> None:
    plan = make_plan([record().trial], [TrialSupport(None, "f")])
    assert plan.seconds is None
    assert plan.items[0].seconds is None
