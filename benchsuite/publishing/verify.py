"""Verifies a study: reads its folder or bundle and asks every rule."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path

from benchsuite.errors import StoreError
from benchsuite.publishing.bundle import METADATA, STUDY, unpacked
from benchsuite.publishing.hashes import hash_faults
from benchsuite.publishing.rules import VERIFICATION_RULES, VerifyRule
from benchsuite.publishing.subject import Subject, read_evidence
from benchsuite.publishing.verdict import RuleVerdict, Verification
from benchsuite.running.store import StudyStore
from benchsuite.running.study.asked import read_asked
from benchsuite.running.suites import Suite, frozen_suites, load_suite, suite_of
from benchsuite.schema.texts import described

NOT_READ = "the study could not be read"
NOT_JUDGED = "the records hold what the rule does not expect"


def verify(path: Path, suite: str | Suite | None = None) -> Verification:
    """What every rule says of the study in the folder, or in the bundle, at `path`.

    :param suite: the frozen suite that its trials must belong to, or its name, `quick@1`. By default the
        one that the study says it ran, else the one that most of its trials are of, if any.

    Raises StoreError for what is neither a study nor a bundle, UnknownNameError for a suite that does not
    exist. A bundle that is damaged is one, and fails the rule `files`.
    """
    asked = load_suite(suite) if isinstance(suite, str) else suite
    if not path.is_file():
        return _verified(path.name, path, asked, [], hashed=False)
    try:
        with unpacked(path) as folder:
            faults, hashed = hash_faults(path, METADATA, STUDY)
            return _verified(path.name, folder, asked, faults, hashed=hashed)
    except StoreError as error:
        if not _is_bundle(path):
            raise
        return _unread(path.name, asked, "files", str(error).replace(str(path), path.name))


def _verified(
    name: str, folder: Path, asked: Suite | None, file_faults: list[str], *, hashed: bool
) -> Verification:
    store = StudyStore(folder)
    if not store.is_described:
        StudyStore.open(folder)  # what is no study at all is a wrong request
    try:
        StudyStore.open(folder)
        description = store.description()
    except StoreError as error:
        return _unread(name, asked, "schema", str(error).replace(f"{folder}/", ""))
    records, current, damage, faults = read_evidence(folder)
    claimed = {one.matrix for one in read_asked(description)} & frozen_suites().keys()
    chosen = asked or (load_suite(min(claimed)) if claimed else suite_of(one.trial_id for one in records))
    subject = Subject(
        records=records,
        current=current,
        description=description,
        damage=damage,
        file_faults=[*file_faults, *faults],
        hashed=hashed,
        suite=chosen,
        claimed=asked is not None,
        now=time.time(),
    )
    verdicts = tuple(_judged(rule, subject) for rule in VERIFICATION_RULES)
    return Verification(name, None if chosen is None else chosen.name, verdicts)


def _judged(rule: VerifyRule, subject: Subject) -> RuleVerdict:
    """The rule's verdict. Files of a stranger may hold what no rule expects: that is no pass, and no reason to
    say nothing of the other rules."""
    try:
        return rule.judge(rule, subject)
    except Exception as error:  # of whatever kind, by what a stranger wrote
        return RuleVerdict(rule.name, "fail", f"{NOT_JUDGED}: {described(error)}")


def _unread(name: str, suite: Suite | None, rule: str, fault: str) -> Verification:
    """The verification of a study that cannot be read: one rule failed, and no other says anything."""
    verdicts = tuple(
        RuleVerdict(one.name, "fail", fault, (fault,))
        if one.name == rule
        else RuleVerdict(one.name, "not_applicable", NOT_READ)
        for one in VERIFICATION_RULES
    )
    return Verification(name, None if suite is None else suite.name, verdicts)


def _is_bundle(path: Path) -> bool:
    """Whether the file is a zip with a bundle's description and a study, however damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False
    except Exception as error:  # a damaged zip makes zipfile raise what comes to its mind
        raise StoreError(f"{path} cannot be read as a bundle: {described(error)}") from error
    return METADATA in names and any(name.startswith(f"{STUDY}/") for name in names)
