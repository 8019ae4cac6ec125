"""A plan: which trials would run, which are recorded already, which cannot run and why, and for how long."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from benchsuite.contracts import TrialSupport
from benchsuite.running.matrix.expansion import Skipped
from benchsuite.schema import Record, Status, Trial

Action = Literal["run", "fresh", "fail", "skip", "left"]
"""`fresh`: recorded already; `fail`: its backend is broken; `skip`: cannot run here; `left`: not asked for"""


@dataclass(frozen=True)
class Planned:
    """One trial: `reason` says why it does not run, or why it runs again; `seconds` is its estimated time,
    None without an earlier record of its configuration."""

    trial: Trial
    action: Action
    reason: str = ""
    seconds: float | None = None
    fingerprint: str = ""


@dataclass(frozen=True)
class Plan:
    """Every trial of a run and what becomes of it, in running order."""

    items: tuple[Planned, ...]

    def of(self, action: Action) -> list[Planned]:
        return [item for item in self.items if item.action == action]

    @property
    def seconds(self) -> float | None:
        """Estimated seconds of what will run, one trial after the other; None when too little is known.

        Trials of unknown length count as long as the mean of the known ones, which must be at least half.
        """
        runs = self.of("run")
        known = [item.seconds for item in runs if item.seconds is not None]
        if not runs:
            return 0.0
        if 2 * len(known) < len(runs):
            return None
        return fmean(known) * len(runs)


def make_plan(
    trials: Iterable[Trial],
    supported: Iterable[TrialSupport],
    skipped: Iterable[Skipped] = (),
    records: Mapping[str, Record] | None = None,
    rerun: str | None = None,
) -> Plan:
    """Decide what becomes of each trial.

    :param supported: whether each of `trials` can run, as the executor answered.
    :param skipped: trials already known to be impossible.
    :param records: trial id -> latest record of the study.
    :param rerun: None runs what is new, failed or stale; `failed` only what is recorded and did not end
        well, divergence included; `all` everything.
    """
    records = records or {}
    history = _history(records.values())
    items = []
    for trial, support in zip(trials, supported, strict=True):
        if support.reason is not None:
            items.append(Planned(trial, "fail" if support.broken else "skip", support.reason))
            continue
        action, why = _action(records.get(trial.id), support.fingerprint, rerun)
        seconds = history.get(trial.configuration_id)
        items.append(Planned(trial, action, why, seconds, support.fingerprint))
    items += [Planned(skip.trial, "skip", skip.reason) for skip in skipped]
    return Plan(tuple(items))


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
    if rerun is None and record.fingerprint != fingerprint:
        return "run", "stale: recorded with other code or versions"
    return "fresh", "recorded"


def _history(records: Iterable[Record]) -> dict[str, float]:
    """Configuration id -> mean seconds of its trials that ran to an end."""
    seconds: dict[str, list[float]] = {}
    for record in records:
        if record.status in (Status.OK, Status.DIVERGED) and record.finished > record.started:
            seconds.setdefault(record.trial.configuration_id, []).append(record.finished - record.started)
    return {key: fmean(values) for key, values in seconds.items()}
