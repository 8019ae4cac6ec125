"""Run a matrix into a stored study: what `benchsuite.run` and the command line are made of."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchsuite.contracts import RunOptions
from benchsuite.contracts.study import results_folder
from benchsuite.contracts.trained_model import WEIGHTS_VARIABLE
from benchsuite.errors import RequestError, UnknownNameError
from benchsuite.measure.provenance import environment
from benchsuite.plugins import Registry, registry
from benchsuite.running.matrix import Expansion, Matrix, load_matrix, select
from benchsuite.running.matrix.source import frozen_origin
from benchsuite.running.shards import Shard, cut_trials, parse_shard, take, trial_weights
from benchsuite.running.store import StudyStore, study_folder
from benchsuite.running.study.asked import Asked, ask, matrix_digest, read_asked, whole_cut
from benchsuite.running.study.events import Warned
from benchsuite.running.study.runner import StudyListener, ignore, run_study
from benchsuite.running.study.study import StoredStudy
from benchsuite.running.suites import frozen_suites

RERUNS = ("failed", "all")
NO_MIRROR = "none"
"""The tracking URI of a study that is mirrored nowhere."""


def run(
    matrix: str | Path | Mapping[str, Any] | Matrix,
    *,
    filters: Mapping[str, Sequence[str]] | None = None,
    overrides: Iterable[str] = (),
    name: str | None = None,
    results: str | Path | None = None,
    tracking_uri: str | None = None,
    log_models: bool = False,
    system_metrics: bool = False,
    log_report: bool = False,
    executor: str = "local",
    options: RunOptions | None = None,
    rerun: str | None = None,
    shard: str | Shard | None = None,
    times: StoredStudy | None = None,
    on_event: StudyListener = ignore,
) -> StoredStudy:
    """Run a matrix and return its stored study.

    The parameters are those of `benchsuite.run`, which documents them, less what it shows.

    Raises MatrixError and other RequestErrors before anything runs.
    """
    if rerun not in (None, *RERUNS):
        raise UnknownNameError("value of rerun", str(rerun), RERUNS)
    found = registry()
    asked = _matrix(matrix)
    for plugin in found.problems:
        on_event(Warned(f"plugin {plugin.name} of {plugin.distribution} is left out: {plugin.problem}"))
    overrides = tuple(overrides)
    expansion = select(asked, found, filters, overrides)
    own = parse_shard(shard) if isinstance(shard, str) else shard
    expansion, request = part(expansion, name or asked.name, asked, filters, overrides, own, times)
    folder = results_folder(results)
    study = own.study(request.study) if own else request.study
    if own is not None:
        tracking_uri = tracking_uri or NO_MIRROR  # a database in the folder would be written by all machines
        for sentence in cut_changes(study_folder(folder, study), request):
            on_event(Warned(sentence))
    for sentence in suite_notes(asked, expansion):
        on_event(Warned(sentence))
    settings = {} if tracking_uri is None else {"tracking_uri": tracking_uri}
    wanted = {"system_metrics": system_metrics, "log_report": log_report}
    settings |= {name: "yes" for name, is_wanted in wanted.items() if is_wanted}
    with _weights(log_models), found.start_executor(executor, options or RunOptions()) as runner:
        return run_study(
            study,
            expansion.trials,
            runner,
            found,
            folder,
            skipped=expansion.skipped,
            rerun=rerun,
            description={**describe(asked, found), "asked": request.as_json()},
            settings=settings,
            on_event=on_event,
        )


@contextmanager
def _weights(asked: bool) -> Iterator[None]:
    """Ask the workers that are started meanwhile for trained weights."""
    before = os.environ.get(WEIGHTS_VARIABLE)
    if asked:
        os.environ[WEIGHTS_VARIABLE] = "1"
    try:
        yield
    finally:
        if asked and before is None:
            del os.environ[WEIGHTS_VARIABLE]
        elif asked and before is not None:
            os.environ[WEIGHTS_VARIABLE] = before


def part(
    expansion: Expansion,
    name: str,
    matrix: Matrix,
    filters: Mapping[str, Sequence[str]] | None,
    overrides: Iterable[str],
    shard: Shard | None,
    times: StoredStudy | None = None,
) -> tuple[Expansion, Asked]:
    """The trials of a shard, all of them where there is none, and what was asked for. Raises RequestError.

    :param name: the study's, without the shard. :param times: by whose records shards are balanced.
    """
    trials = [*expansion.trials, *(skip.trial for skip in expansion.skipped)]
    if shard is None:
        if times is not None:
            raise RequestError("--times balances shards: give --shard I/N, too")
        return expansion, ask(name, matrix, filters, overrides, None, "", whole_cut(trials))
    weights = trial_weights(None if times is None else times.records)
    cut = cut_trials(trials, shard.count, weights)
    where = "" if times is None else times.origin or str(times.folder)
    return take(expansion, cut.part(shard)), ask(name, matrix, filters, overrides, shard, where, cut)


def cut_changes(folder: Path, request: Asked) -> list[str]:
    """A sentence where a shard's study was begun with another cut of the matrix. Raises StoreError."""
    for before in read_asked(StudyStore(folder).description()):
        if before.cut != request.cut:
            return [
                f"{folder.name} was begun with other trials in its shards: the matrix, the filters, the "
                "plugins or --times differ. All shards must be run alike: `benchsuite merge` lists what is "
                "missing"
            ]
    return []


def suite_notes(matrix: Matrix, expansion: Expansion) -> list[str]:
    """A sentence where a frozen suite is asked for and what will run is not all of it."""
    for suite in frozen_suites().values():
        if matrix.origin == frozen_origin(suite.name):
            trials = [*expansion.trials, *(skip.trial for skip in expansion.skipped)]
            return [] if suite.is_whole(trials) else [suite.standing(trials)]
    return []


def describe(matrix: Matrix, found: Registry) -> dict[str, Any]:
    """What study.json says of a run: its matrix, the plugins, the parent's environment."""
    # a matrix made in Python has no text: its tables are stored instead
    written = {"text": matrix.text} if matrix.text else {"data": dict(matrix.data)}
    return {
        "matrix": {
            "name": matrix.name,
            "origin": matrix.origin,
            "sha256": matrix_digest(matrix),
            **written,
        },
        "plugins": [asdict(plugin) for plugin in found.plugins],
        "environment": environment(),
    }


def _matrix(asked: str | Path | Mapping[str, Any] | Matrix) -> Matrix:
    if isinstance(asked, Matrix):
        return asked
    if isinstance(asked, Mapping):
        given = asked.get("name")
        return Matrix(given if isinstance(given, str) else "matrix", asked)
    return load_matrix(asked)
