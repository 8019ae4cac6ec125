"""The rules that compare a study with a frozen suite. Without a suite they are not applicable."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from benchsuite.analysis.identity import task_key
from benchsuite.analysis.machines import Machine, described_machine, machines_of
from benchsuite.analysis.validity import is_ranked
from benchsuite.analysis.verification.bands import band_faults, evidence_digest, without_band
from benchsuite.publishing.subject import Subject
from benchsuite.publishing.verdict import RuleVerdict
from benchsuite.schema import Status

NO_SUITE = "no trial is of a frozen suite"


def judge_suite(rule: str, subject: Subject) -> RuleVerdict:
    """Whether every trial is of the suite, and how much of the suite is there."""
    suite = subject.suite
    if suite is None:
        return RuleVerdict(rule, "not_applicable", NO_SUITE)
    trials = {one.record.trial_id: one.record.trial for one in subject.current}
    told = suite.standing(list(trials.values()))
    foreign = tuple(f"{one} ({trial.label})" for one, trial in trials.items() if one not in suite.trials)
    if foreign:
        return RuleVerdict(rule, "fail" if subject.claimed else "warn", told, foreign)
    return RuleVerdict(rule, "pass", told)


def judge_seeds(rule: str, subject: Subject) -> RuleVerdict:
    """Whether each configuration of the suite that was run was run with all of its seeds, on each machine."""
    suite = subject.suite
    if suite is None:
        return RuleVerdict(rule, "not_applicable", NO_SUITE)
    ran: dict[Machine, set[str]] = defaultdict(set)
    labels = {}
    machines = machines_of([one.record for one in subject.current], described_machine(subject.description))
    for one, machine in zip(subject.current, machines, strict=True):
        if one.record.status in (Status.OK, Status.DIVERGED):
            ran[machine].add(one.record.trial_id)
            labels[one.record.trial_id] = one.record.trial.label
    if not any(ids & suite.trials for ids in ran.values()):
        return RuleVerdict(rule, "not_applicable", f"no trial of {suite.name} ended well")
    missing = [
        f"{', '.join(absent)} on {machine.name}" for machine, ids in ran.items()
        for absent in suite.missing_seeds(ids)
    ]  # fmt: skip
    if missing:
        seeds = ", ".join(map(str, suite.seeds))
        told = f"{suite.name} has seeds {seeds}; {len(missing)} configurations lack some"
        return RuleVerdict(rule, "fail", told, tuple(f"missing: {one}" for one in missing))
    return RuleVerdict(rule, "pass", f"every configuration has seeds {', '.join(map(str, suite.seeds))}")


def judge_learning(rule: str, subject: Subject) -> RuleVerdict:
    """Whether metrics are inside the reference bands. Models without a band are named, and never pass."""
    bands = {} if subject.suite is None else subject.suite.bands
    ranked = [one for one in subject.well if is_ranked(one.record)]
    models = {evidence_digest(one) for one in ranked}
    if not models & bands.keys():
        return RuleVerdict(rule, "not_applicable", "no reference band is known of these models")
    if faults := tuple(band_faults(ranked, bands)):
        return RuleVerdict(rule, "fail", f"{len(faults)} outside of the reference: {faults[0]}", faults)
    if missing := without_band(ranked, bands):
        told = f"inside the reference bands; no band is known of {len(missing)} of {len(models)} models"
        return RuleVerdict(rule, "warn", told, tuple(f"no band: {name}" for name in missing))
    return RuleVerdict(rule, "pass", f"{len(models)} models are inside their reference bands")


def strange_data(subject: Subject) -> Iterator[str]:
    """Records whose data are not the suite's."""
    known = {} if subject.suite is None else subject.suite.data
    for one in subject.well:
        expected = known.get(task_key(one.record.trial))
        found = one.record.environment.get("data.sha256")
        if expected and found != expected and subject.suite is not None:
            yield one.fault(f"used other data than {subject.suite.name}")
