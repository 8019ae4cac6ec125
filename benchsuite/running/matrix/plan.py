"""A plan: which trials would run, which are recorded already, which cannot run and why, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from benchsuite.analysis.expected_time import ExpectedTime, TimeEstimator, seconds_of_all
from benchsuite.contracts import TrialSupport
from benchsuite.running.matrix.expansion import Skipped
from benchsuite.schema import Record, Status, Trial

Action = Literal["run", "fresh", "fail", "skip", "left"]
"""`fresh`: recorded already; `fail`: its backend is broken; `skip`: cannot run here; `left`: not asked for"""


@dataclass(frozen=True)
class Planned:
    """One trial: `reason` says why it does not run, or why it runs again; `expected` is the time that it will
    take, None where nothing is known of any trial."""

    trial: Trial
    action: Action
    reason: str = ""
    expected: ExpectedTime | None = None
    fingerprint: str = ""

    @property
    def seconds(self) -> float | None:
        """The expected time."""
        return None if self.expected is None else self.expected.seconds


@dataclass(frozen=True)
class Plan:
    """Every trial of a run and what becomes of it, in running order; `jobs` run at the same time."""

    items: tuple[Planned, ...]
    jobs: int = 1

    def of(self, action: Action) -> list[Planned]:
        return [item for item in self.items if item.action == action]

    @property
    def seconds(self) -> float | None:
        """Expected seconds until all that will run has run; None where it is not known of every trial."""
        known = [(item.trial, item.expected.seconds) for item in self.of("run") if item.expected is not None]
        return seconds_of_all(known, self.jobs) if len(known) == len(self.of("run")) else None


Expect = Callable[[Sequence[Trial]], Sequence[ExpectedTime | None]]
"""Trials -> the time that each will take."""


def make_plan(
    trials: Iterable[Trial],
    supported: Iterable[TrialSupport],
    skipped: Iterable[Skipped] = (),
    records: Mapping[str, Record] | None = None,
    rerun: str | None = None,
    expect: Expect | None = None,
) -> Plan:
    """Decide what becomes of each trial.

    :param supported: whether each of `trials` can run, as the executor answered.
    :param skipped: trials already known to be impossible.
    :param records: trial id -> latest record of the study.
    :param rerun: None runs what is new, failed or stale; `failed` only what is recorded and did not end
        well, divergence included; `all` everything.
    :param expect: what is known of times; by default what `records` tell.
    """
    records = records or {}
    items = []
    for trial, support in zip(trials, supported, strict=True):
        if support.reason is not None:
            items.append(Planned(trial, "fail" if support.broken else "skip", support.reason))
            continue
        action, why = _action(records.get(trial.id), support.fingerprint, rerun)
        items.append(Planned(trial, action, why, fingerprint=support.fingerprint))
    due = [item.trial for item in items if item.action in TIMED]
    times = iter((expect or _expect(records.values()))(due))
    items = [replace(item, expected=next(times)) if item.action in TIMED else item for item in items]
    items += [Planned(skip.trial, "skip", skip.reason) for skip in skipped]
    return Plan(tuple(items))


TIMED: tuple[Action, ...] = ("run", "fresh", "left")
"""Of what may run, the time is told."""


def _expect(records: Iterable[Record]) -> Expect:
    estimator = TimeEstimator()
    estimator.add(list(records))
    return lambda trials: [estimator.expected(trial) for trial in trials]


def _action(record: Record | None, fingerprint: str, rerun: str | None) -> tuple[Action, str]:
    if rerun == "all":
        return "run", "asked to run again" if record else "new"
    if record is None:
        return ("left", "not recorded; only failures were asked for") if rerun == "failed" else ("run", "new")
    if record.status is Status.SKIPPED and rerun is None and record.fingerprint == fingerprint:
        return "skip", record.reason  # the worker itself found that it cannot run, and would again
    ended = (Status.OK,) if rerun == "failed" else (Status.OK, Status.DIVERGED)
    if record.status not in ended:
        return "run", f"{record.status} before"
    if rerun is None and fingerprint and record.fingerprint != fingerprint:
        return "run", "stale: recorded with other code or versions"
    return "fresh", "recorded"
