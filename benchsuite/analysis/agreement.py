"""Do studies that are merged agree in what made their records: data, versions, code, plugins?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchsuite.schema import Record

VERSIONS = ("python.version", "python.numpy", "code.git_commit")
_VERSION = re.compile(r"v?\d+\.\d+\.\d+\S*")
"""Facts of a backend that are versions. Others are times, counts and choices, which may differ by trial."""
CODE = "code"
"""Of a fact that is a record's fingerprint."""
MOST_SHOWN = 40


@dataclass(frozen=True)
class Disagreement:
    """Something in which studies differ.

    what    `data.sha256 of mnist_rows / digits`, `python.version`, `plugin torch (and 12 more)`
    values  what it is -> the studies in which it is that
    """

    what: str
    values: dict[str, tuple[str, ...]]

    def sentence(self) -> str:
        """`python.version differs: 3.11.7 in a; 3.12.1 in b`."""
        told = "; ".join(
            f"{value[:MOST_SHOWN] or 'none'} in {', '.join(names)}" for value, names in self.values.items()
        )
        return f"{self.what} differs: {told}"


def disagreements(
    records: Mapping[str, Sequence[Record]], plugins: Mapping[str, Mapping[str, str]]
) -> list[Disagreement]:
    """Whatever differs among studies and should not.

    :param records: study -> its records. :param plugins: study -> plugin -> distribution and version.
    """
    found: dict[str, dict[str, set[str]]] = {}
    for study, own in records.items():
        for record in own:
            for what, value in _facts(record):
                found.setdefault(what, {}).setdefault(value, set()).add(study)
    for study, versions in plugins.items():
        for plugin, version in versions.items():
            found.setdefault(f"plugin {plugin}", {}).setdefault(version, set()).add(study)
    return _together(
        Disagreement(what, {value: tuple(sorted(names)) for value, names in sorted(values.items())})
        for what, values in sorted(found.items())
        if len(values) > 1 and len(set().union(*values.values())) > 1
    )


def _together(found: Iterable[Disagreement]) -> list[Disagreement]:
    """Those of one kind and equal values as one: all plugins of a distribution have its version. What a hash of
    code is says nothing to a reader: there the studies count alone."""
    groups: dict[tuple[object, ...], list[Disagreement]] = {}
    for one in found:
        kind = one.what.partition(" ")[0]
        same = tuple(one.values.values()) if kind == CODE else tuple(one.values.items())
        groups.setdefault((kind, same), []).append(one)
    return [
        Disagreement(f"{first.what} (and {len(others)} more)", first.values) if others else first
        for first, *others in groups.values()
    ]


def _facts(record: Record) -> Iterator[tuple[str, str]]:
    trial, facts = record.trial, record.environment
    options = json.dumps(trial.options, sort_keys=True) if trial.options else ""
    where = f"{trial.task} / {trial.source} {options}".rstrip()
    for name, value in facts.items():
        if name == "data.sha256" or name.startswith("artifact."):
            yield f"{name} of {where}", value
        elif name in VERSIONS:
            yield name, value
        elif name.startswith("backend.") and _VERSION.fullmatch(value):
            yield f"{name} of backend {trial.backend}", value
    if record.fingerprint:
        yield f"{CODE} of {trial.backend}, {trial.task} / {trial.source}, {trial.cell}", record.fingerprint


def plugin_versions(description: Mapping[str, object]) -> dict[str, str]:
    """Plugin -> `distribution version`, as study.json says it. Of merged studies nothing is known here."""
    given = description.get("plugins")
    found: Iterable[object] = given if isinstance(given, list) else []
    return {
        str(one.get("name")): f"{one.get('distribution')} {one.get('version')}"
        for one in found
        if isinstance(one, dict)
    }
