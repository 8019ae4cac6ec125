"""The rules of `verify`: a name, what each demands, and the function that judges it.

What a record must hold is said in `analysis.verification`; here a rule asks, and puts the answer into words.
docs/howto/verify.md has the same table; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from benchsuite.analysis.machines import machines_of
from benchsuite.analysis.ranking import best_baseline
from benchsuite.analysis.validity import invalid_timing, is_ranked
from benchsuite.analysis.verification.completeness import completeness_faults
from benchsuite.analysis.verification.copies import copy_faults
from benchsuite.analysis.verification.curves import curve_faults
from benchsuite.analysis.verification.durations import duration_faults
from benchsuite.analysis.verification.evidence import Evidence
from benchsuite.analysis.verification.gradient_figures import gradient_faults
from benchsuite.analysis.verification.journal_order import identity_faults, journal_faults
from benchsuite.analysis.verification.machine_limits import limit_faults
from benchsuite.analysis.verification.metrics import metric_faults
from benchsuite.analysis.verification.parity_figures import parity_faults
from benchsuite.analysis.verification.provenance import (
    baseline_faults,
    data_faults,
    fingerprint_faults,
    machine_faults,
)
from benchsuite.analysis.verification.timings import timing_faults
from benchsuite.analysis.verification.twins import has_twins, twin_faults
from benchsuite.publishing.known_code import code_faults
from benchsuite.publishing.subject import Subject
from benchsuite.publishing.suite_rules import judge_learning, judge_seeds, judge_suite, strange_data
from benchsuite.publishing.verdict import RuleVerdict
from benchsuite.schema import Status

Judge = Callable[["VerifyRule", Subject], RuleVerdict]
NO_RECORDS = "no trial ended well"


@dataclass(frozen=True)
class VerifyRule:
    """One rule.

    demands  what must hold, in a sentence for a reader
    judge    the verdict on a study
    """

    name: str
    demands: str
    judge: Judge


def judged(rule: VerifyRule, faults: Iterable[str], passed: str) -> RuleVerdict:
    """`pass` where there is no fault, `fail` with all of them else."""
    found = tuple(faults)
    if not found:
        return RuleVerdict(rule.name, "pass", passed)
    count = "1 finding" if len(found) == 1 else f"{len(found)} findings"
    return RuleVerdict(rule.name, "fail", f"{count}: {found[0]}", found)


def each(
    faults: Callable[[Evidence], Iterable[str]], passed: str
) -> Callable[[VerifyRule, Subject], RuleVerdict]:
    """A rule on each record alone."""

    def judge(rule: VerifyRule, subject: Subject) -> RuleVerdict:
        if not subject.well:
            return RuleVerdict(rule.name, "not_applicable", NO_RECORDS)
        found = [fault for one in subject.current for fault in faults(one)]
        return judged(rule, found, passed.format(n=len(subject.well)))

    return judge


def _schema(rule: VerifyRule, subject: Subject) -> RuleVerdict:
    faults = [
        f"study.json lacks {name}"
        for name in ("name", "created", "matrix", "plugins", "environment")
        if name not in subject.description and not subject.merged
    ]
    faults += [fault for one in subject.current for fault in completeness_faults(one)]
    return judged(rule, faults, f"{len(subject.current)} records have all that a record must have")


def _files(rule: VerifyRule, subject: Subject) -> RuleVerdict:
    if subject.file_faults or subject.hashed:
        return judged(rule, subject.file_faults, "every file is the one that was bundled")
    told = "the files belong together; no hashes are known of them"
    return RuleVerdict(rule.name, "warn", told)


def _journal(rule: VerifyRule, subject: Subject) -> RuleVerdict:
    faults = [one.sentence("the journal") for one in subject.damage]
    faults += journal_faults(
        subject.records, subject.description, merged=bool(subject.merged), now=subject.now
    )
    return judged(rule, faults, f"{len(subject.records)} attempts, each once and in order")


def _trials(rule: VerifyRule, subject: Subject) -> RuleVerdict:
    ended = [one.record.status for one in subject.current]
    if not ended:
        return RuleVerdict(rule.name, "fail", "there is no record")
    bad = [
        one.fault(f"{one.record.status}: {one.record.reason or one.record.cause}")
        for one in subject.current
        if one.record.status in (Status.FAILED, Status.TIMEOUT, Status.KILLED)
    ]
    if bad:
        return RuleVerdict(rule.name, "warn", f"{len(bad)} of {len(ended)} trials failed", tuple(bad))
    return RuleVerdict(rule.name, "pass", f"none of {len(ended)} trials failed")


def _fingerprint(rule: VerifyRule, subject: Subject) -> RuleVerdict:
    if not subject.well:
        return RuleVerdict(rule.name, "not_applicable", NO_RECORDS)
    faults, unknown = code_faults(subject.well)
    faults = [*fingerprint_faults(subject.current), *faults]
    if not faults and unknown:
        told = (
            f"{unknown} of {len(subject.well)} records are of other code or versions than are installed here"
        )
        return RuleVerdict(rule.name, "warn", told)
    return judged(rule, faults, f"{len(subject.well)} records are of the code that is installed here")


def _timing(rule: VerifyRule, subject: Subject) -> RuleVerdict:
    verdict = each(timing_faults, "{n} timings follow from their samples")(rule, subject)
    refused = [
        one.fault(f"its timing is refused: {invalid_timing(one.record)}")
        for one in subject.well
        if invalid_timing(one.record)
    ]
    if verdict.status == "pass" and refused:
        told = f"{len(refused)} of {len(subject.well)} timings are refused, and nowhere ranked"
        return RuleVerdict(rule.name, "warn", told, tuple(refused))
    return verdict


def _machine(rule: VerifyRule, subject: Subject) -> RuleVerdict:
    if not subject.well:
        return RuleVerdict(rule.name, "not_applicable", NO_RECORDS)
    names = sorted({one.name for one in machines_of([one.record for one in subject.well])})
    return judged(
        rule, machine_faults(subject.current, subject.description, subject.merged), "; ".join(names)
    )


def _data(rule: VerifyRule, subject: Subject) -> RuleVerdict:
    if not subject.well:
        return RuleVerdict(rule.name, "not_applicable", NO_RECORDS)
    faults = [*data_faults(subject.current), *strange_data(subject)]
    return judged(rule, faults, "records of a task used the same data")


def _twins(rule: VerifyRule, subject: Subject) -> RuleVerdict:
    if not has_twins(subject.current):
        told = "no model was run in two ways with one seed"
        return RuleVerdict(rule.name, "not_applicable", told)
    return judged(rule, twin_faults(subject.current), "the ways to run a model agree")


def _copies(rule: VerifyRule, subject: Subject) -> RuleVerdict:
    current = {(one.record.trial_id, one.record.attempt) for one in subject.current}
    older = [
        Evidence(record) for record in subject.records if (record.trial_id, record.attempt) not in current
    ]
    return judged(
        rule, copy_faults([*subject.current, *older]), "no record has another's durations or losses"
    )


def _baselines(rule: VerifyRule, subject: Subject) -> RuleVerdict:
    if not subject.well:
        return RuleVerdict(rule.name, "not_applicable", NO_RECORDS)
    verdict = judged(rule, baseline_faults(subject.current), "every model is better than its baselines")
    poor = [one.fault("is no better than a baseline") for one in subject.well if _below(one)]
    if verdict.status == "pass" and poor:
        told = f"{len(poor)} of {len(subject.well)} trials are no better than a baseline"
        return RuleVerdict(rule.name, "warn", told, tuple(poor))
    return verdict


def _below(found: Evidence) -> bool:
    """Whether a ranked record is no better than its task's best baseline."""
    record = found.record
    value = record.scalars.get(f"test/{record.primary}")
    best = best_baseline(
        {
            name: metrics[record.primary]
            for name, metrics in record.baselines.items()
            if record.primary in metrics
        },
        record.higher_is_better,
    )
    if value is None or best is None or not is_ranked(record):
        return False
    return value <= best[1] if record.higher_is_better else value >= best[1]


VERIFICATION_RULES: tuple[VerifyRule, ...] = (
    VerifyRule(
        "schema", "each record has the figures, counts and verdicts that a record of this suite has", _schema
    ),
    VerifyRule("files", "each file has the hash that the bundle says, and belongs to a record", _files),
    VerifyRule(
        "journal", "no line is damaged; each attempt is there once, in order, not before its study", _journal
    ),
    VerifyRule(
        "identity",
        "each trial's id is the hash of its content",
        lambda rule, subject: judged(rule, identity_faults(subject.records), "ids are those of their trials"),
    ),
    VerifyRule("trials", "there are records; trials that failed are named", _trials),
    VerifyRule(
        "parity",
        "each record's errors are within this suite's tolerances, and its verdict follows from them",
        each(parity_faults, "{n} records have parity"),
    ),
    VerifyRule(
        "fingerprint",
        "records of one kind were measured by one version of the code, where known by this one",
        _fingerprint,
    ),
    VerifyRule(
        "timing",
        "medians, intervals, rates and verdicts follow from the samples; no timing uses more "
        "threads than it was given",
        _timing,
    ),
    VerifyRule(
        "durations",
        "steps fit into training, training into the trial",
        each(duration_faults, "the times of {n} trials fit into each other"),
    ),
    VerifyRule(
        "limits",
        "no model does more operations per second than the machine's matrix products",
        lambda rule, subject: judged(rule, limit_faults(subject.current), "no speed is beyond the machine"),
    ),
    VerifyRule(
        "curves",
        "loss, validation and norms have a value for each step or epoch, and the scalars are theirs",
        each(curve_faults, "the curves of {n} trials agree with their scalars"),
    ),
    VerifyRule(
        "gradients",
        "gradient statistics, their curves and the verdict agree",
        each(gradient_faults, "the gradient statistics of {n} trials agree"),
    ),
    VerifyRule(
        "metrics",
        "metrics are in their domain, and agree with each other and with the confusion matrix",
        each(metric_faults, "the metrics of {n} trials are in their domain"),
    ),
    VerifyRule(
        "twins",
        "records of one model and seed begin with the same losses, gradients and counts, whoever ran them",
        _twins,
    ),
    VerifyRule(
        "copies",
        "no two records have durations, no two models or seeds have losses that are equal to the last digit",
        _copies,
    ),
    VerifyRule("machine", "each record says where it was made, and the study names that machine", _machine),
    VerifyRule(
        "data", "each record names its data by hash; records of a task, and the suite, have the same", _data
    ),
    VerifyRule(
        "baselines",
        "records of a task have the same baselines; models that are no better are named",
        _baselines,
    ),
    VerifyRule(
        "suite",
        "each trial is one of the frozen suite",
        lambda rule, subject: judge_suite(rule.name, subject),
    ),
    VerifyRule(
        "seeds",
        "each configuration was run with every seed of the suite",
        lambda rule, subject: judge_seeds(rule.name, subject),
    ),
    VerifyRule(
        "learning",
        "each metric is inside its reference band, on either side",
        lambda rule, subject: judge_learning(rule.name, subject),
    ),
)
"""In the order in which they are shown."""
