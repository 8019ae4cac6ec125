"""Which version of its framework a record was made with, and of this suite."""

from __future__ import annotations

import re
from collections.abc import Mapping

from benchsuite.schema import Record

_VERSION = re.compile(r"v?\d+(?:\.\d+)+\S*")
_COMMIT = re.compile(r"(?P<release>[^+]*)\+g(?P<commit>[0-9a-f]{7,40})(?P<dirty>\.d\d+)?")
"""A version between two releases, as setuptools-scm makes it: its local part is the commit, and the day where
files differed from it."""
DISTRIBUTION = "benchsuite"


def framework_version(record: Record) -> str:
    """The version of the framework that the record's backend lives in, as the backend said it: the fact
    `backend.<name of the backend>`, or of the first word of that name (`keras` of `keras_torch`), or
    `backend.version`; "" where it said none of them."""
    backend = record.trial.backend
    for name in (f"backend.{backend}", f"backend.{backend.partition('_')[0]}", "backend.version"):
        found = record.environment.get(name, "")
        if _VERSION.fullmatch(found):
            return found
    return ""


def suite_version(description: Mapping[str, object]) -> str:
    """The version of benchsuite that a study was run with, by its plugins; several joined by a slash, "" where
    study.json does not say.

    :param description: what study.json holds.
    """
    plugins = description.get("plugins")
    found = {
        str(one.get("version", ""))
        for one in (plugins if isinstance(plugins, list) else [])
        if isinstance(one, dict) and one.get("distribution") == DISTRIBUTION
    }
    return "/".join(sorted(found - {""}))


def version_words(version: str) -> str:
    """`0.2.0`, `0.1.1.dev745 (commit 4ae3caf98)`, or `... (commit 4ae3caf98, changed)` where files differed
    from that commit."""
    found = _COMMIT.fullmatch(version)
    if found is None:
        return version
    return f"{found['release']} (commit {found['commit']}{', changed' if found['dirty'] else ''})"
