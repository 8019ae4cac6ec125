"""Is a record's fingerprint that of this installation's code?"""

from __future__ import annotations

from collections.abc import Sequence

from benchsuite.analysis.verification.evidence import Evidence
from benchsuite.errors import BenchsuiteError
from benchsuite.measure.provenance import environment, trial_fingerprint

SAME_CODE = ("python.version", "python.distributions", "code.git_commit")
"""Facts that, where all of them are equal, leave one possible fingerprint."""
CHANGED = "+changes"


def code_faults(all_found: Sequence[Evidence]) -> tuple[list[str], int]:
    """Records whose versions and commit are those of this installation and whose fingerprint is not; and how
    many of the others have a fingerprint that cannot be computed here, because code or versions differ."""
    here, cache = environment(), dict[tuple[str, str, str, str], str]()
    faults, unknown = [], 0
    for found in all_found:
        trial, facts = found.record.trial, found.record.environment
        key = (trial.backend, trial.task, trial.source, trial.cell)
        if key not in cache:
            try:
                cache[key] = trial_fingerprint(trial, trial.backend)
            except BenchsuiteError:  # a plugin that is not installed here
                cache[key] = ""
        if found.record.fingerprint == cache[key]:
            continue
        commit = facts.get("code.git_commit", "")
        same = cache[key] and all(facts.get(name) == here.get(name) for name in SAME_CODE)
        if same and commit and not commit.endswith(CHANGED):
            faults.append(
                found.fault("has this installation's versions, and not the fingerprint of its code")
            )
        else:
            unknown += 1
    return faults, unknown
