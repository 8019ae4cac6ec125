"""Which version of its framework a record was made with, and of this suite."""

from __future__ import annotations

import re
from collections.abc import Mapping

from benchsuite.schema import Record

_VERSION = re.compile(r"v?\d+(?:\.\d+)+\S*")
DISTRIBUTION = "benchsuite"


def framework_version(record: Record) -> str:
    """The version of the framework that the record's backend lives in, as the backend said it: the fact
    `backend.<name of the backend>`, or `backend.version`; "" where it said neither."""
    for name in (f"backend.{record.trial.backend}", "backend.version"):
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
