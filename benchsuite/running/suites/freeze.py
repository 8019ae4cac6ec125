"""Freezes a built-in matrix as a suite: `python -m benchsuite.running.suites.freeze quick --version 1`.

A suite that was released is never frozen again: a change makes the next version. Before the first release a
suite is made anew with --again. `--bands STUDY` takes reference bands from a study's folder; without it the
bands that are there are kept.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchsuite.analysis.identity import task_key
from benchsuite.analysis.validity import is_ranked
from benchsuite.analysis.verification.bands import Band, bounds, model_digest, scaled
from benchsuite.errors import RequestError
from benchsuite.plugins import Registry, registry
from benchsuite.running.matrix import builtin_matrices, expand, parse_matrix
from benchsuite.running.matrix.source import FROZEN, frozen_origin
from benchsuite.running.suites.data_hashes import data_hashes
from benchsuite.schema import Record, Trial

FROZEN_FOLDER = Path(__file__).resolve().parent / FROZEN
SEEDS = (0, 1, 2)
HEADER = "# Frozen as {name}. It is not edited: a change is a new version (docs/howto/verify.md).\n"


def freeze(name: str, version: int, registered: Registry, seeds: Sequence[int] = SEEDS) -> dict[str, str]:
    """File name -> text of the frozen matrix of that name and of what determines its trials.

    Raises UnknownNameError, RequestError.
    """
    suite = f"{name}@{version}"
    text = HEADER.format(name=suite) + _renamed(builtin_matrices()[name].text, f"{name}-{version}", seeds)
    matrix = parse_matrix(text, suite, frozen_origin(suite))
    trials = expand(matrix, registered).trials
    groups: dict[str, dict[int, Trial]] = defaultdict(dict)
    for trial in trials:
        groups[trial.configuration_id][trial.seed] = trial
    if any(set(own) != set(seeds) for own in groups.values()):
        raise RequestError(f"{suite}: some configuration does not have the seeds {list(seeds)}")
    content = {
        "suite": suite,
        "seeds": list(seeds),
        "data": data_hashes(trials),
        "trials": [" ".join(own[seed].id for seed in seeds) for own in groups.values()],
    }
    return {f"{suite}.toml": text, f"{suite}.json": _json(content)}


def _renamed(text: str, name: str, seeds: Sequence[int]) -> str:
    """The matrix under another name and with seeds on an axis, where it has none."""
    text, count = re.subn(r'^name = ".*"$', f'name = "{name}"', text, count=1, flags=re.MULTILINE)
    if count != 1:
        raise RequestError(f"the matrix has no line with its name, to be replaced by {name!r}")
    if not re.search(r"^seed = ", text, re.MULTILINE):
        text = text.replace("[axes]\n", f"[axes]\nseed = {list(seeds)}\n", 1)
    return text


def make_bands(trials: Iterable[Trial], records: Iterable[Record], source: str) -> dict[str, Band]:
    """Digest of a model -> the band of its test metric, of the models that `records` are of.

    :param source: what the records are called for a reader.
    """
    wanted = {model_digest(trial) for trial in trials}
    by_model: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        digest = model_digest(record.trial)
        if digest in wanted and is_ranked(record) and math.isfinite(_metric(record)):
            by_model[digest].append(record)
    spreads = _spreads(by_model)
    made = {}
    for digest, own in by_model.items():
        trial, metric = own[0].trial, own[0].primary
        values = [_metric(record) for record in own]
        seeds = len({record.trial.seed for record in own})
        low, high = bounds(metric, values, spreads[digest], seeds)
        rounded = tuple(sorted(float(f"{value:.6g}") for value in values))
        made[digest] = Band(
            f"{trial.model} {trial.task}/{trial.source}", metric, float(f"{low:.6g}"), float(f"{high:.6g}"),
            rounded, seeds, source,
        )  # fmt: skip
    return made


def _spreads(by_model: Mapping[str, Sequence[Record]]) -> dict[str, float]:
    """Digest of a model -> the standard deviation over its seeds and backends, on the scale of scaled(): its
    own, or the one pooled over the models of its task, whichever is larger. Three seeds of one model say too
    little, and neighbours whose metric is as near to its end as can be have no spread to lend."""
    own: dict[str, tuple[float, int]] = {}
    pooled: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for digest, records in by_model.items():
        values = [scaled(record.primary, _metric(record)) for record in records]
        mean = math.fsum(values) / len(values)
        own[digest] = math.fsum((value - mean) ** 2 for value in values), len(values) - 1
        pooled[task_key(records[0].trial)].append(own[digest])
    return {
        digest: max(_deviation([own[digest]]), _deviation(pooled[task_key(records[0].trial)]))
        for digest, records in by_model.items()
    }


def _deviation(found: Sequence[tuple[float, int]]) -> float:
    """The standard deviation of several groups together; 0 where it is not known.

    :param found: of each group the sum of squares around its mean, and the degrees of freedom.
    """
    free = sum(own for _, own in found)
    return math.sqrt(math.fsum(square for square, _ in found) / free) if free else 0.0


def _metric(record: Record) -> float:
    return record.scalars.get(f"test/{record.primary}", math.nan)


def _json(content: Any) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns 2 where a file is there already and --again is not given."""
    parser = argparse.ArgumentParser(prog="python -m benchsuite.running.suites.freeze", description=__doc__)
    parser.add_argument("names", nargs="+", metavar="MATRIX")
    parser.add_argument("--version", type=int, default=1)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument("--again", action="store_true", help="replace a suite that was not released")
    parser.add_argument("--bands", type=Path, help="a study's folder that reference bands are taken from")
    parser.add_argument("--source", default="", help="what the study of --bands is called")
    parser.add_argument("--folder", type=Path, default=FROZEN_FOLDER, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    found = registry()
    for name in given.names:
        suite = f"{name}@{given.version}"
        target = given.folder / f"{suite}.toml"
        if target.exists() and not given.again:
            print(f"{suite} is frozen; a change is version {given.version + 1}", file=sys.stderr)
            return 2
        files = freeze(name, given.version, found, given.seeds)
        trials = expand(parse_matrix(files[f"{suite}.toml"], suite, suite), found).trials
        bands_file = f"{suite}.bands.json"
        if given.bands is not None:
            from benchsuite.running.study import StoredStudy

            study = StoredStudy.read(given.bands)
            made = make_bands(trials, study.records, given.source or study.name)
            files[bands_file] = _json({digest: band.as_json() for digest, band in sorted(made.items())})
        elif not (given.folder / bands_file).exists():
            files[bands_file] = _json({})
        for file, text in files.items():
            (given.folder / file).write_text(text, encoding="utf-8", newline="\n")
        print(f"{suite}: {len(trials)} trials")
    return 0


if __name__ == "__main__":
    sys.exit(main())
