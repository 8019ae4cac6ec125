"""benchsuite.run: the main job from Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchsuite.contracts import RunOptions
from benchsuite.contracts.study import results_folder
from benchsuite.errors import UnknownNameError
from benchsuite.measure.provenance import environment
from benchsuite.plugins import Registry, registry
from benchsuite.running.matrix import Matrix, load_matrix, select
from benchsuite.running.study.events import Warned
from benchsuite.running.study.runner import StudyListener, ignore, run_study
from benchsuite.running.study.study import Study

RERUNS = ("failed", "all")


def run(
    matrix: str | Path | Mapping[str, Any] | Matrix,
    *,
    filters: Mapping[str, Sequence[str]] | None = None,
    overrides: Iterable[str] = (),
    name: str | None = None,
    results: str | Path | None = None,
    tracking_uri: str | None = None,
    executor: str = "local",
    options: RunOptions | None = None,
    rerun: str | None = None,
    on_event: StudyListener = ignore,
) -> Study:
    """Run a matrix and return its study.

    :param matrix: a built-in matrix's name, a TOML file, or the tables of one as a mapping.
    :param filters: field -> values to keep, as the options of `benchsuite run`.
    :param overrides: `field=value` settings that go before the matrix's own, `field+=value` to add to them.
    :param name: the study's name; the matrix's by default.
    :param results: where studies lie; BENCHSUITE_RESULTS, else `results`, by default.
    :param tracking_uri: where to mirror to MLflow; `none` for nowhere, None for a database in `results`.
    :param executor: who runs the trials.
    :param options: isolation, jobs, timeout, interpreters.
    :param rerun: None for what is new, failed or stale; `failed`; or `all`.
    :param on_event: called with every event as it happens.

    Raises MatrixError and other RequestErrors before anything runs.
    """
    if rerun not in (None, *RERUNS):
        raise UnknownNameError("value of rerun", str(rerun), RERUNS)
    found = registry()
    asked = _matrix(matrix)
    for plugin in found.problems:
        on_event(Warned(f"plugin {plugin.name} of {plugin.distribution} is left out: {plugin.problem}"))
    expansion = select(asked, found, filters, overrides)
    with found.executor(executor).load(options or RunOptions()) as runner:
        return run_study(
            name or asked.name,
            expansion.trials,
            runner,
            found,
            results_folder(results),
            skipped=expansion.skipped,
            rerun=rerun,
            description=describe(asked, found),
            settings={} if tracking_uri is None else {"tracking_uri": tracking_uri},
            on_event=on_event,
        )


def describe(matrix: Matrix, found: Registry) -> dict[str, Any]:
    """What study.json says of a run: its matrix, the plugins, the parent's environment."""
    # a matrix made in Python has no text: its tables are stored instead
    written = {"text": matrix.text} if matrix.text else {"data": dict(matrix.data)}
    return {
        "matrix": {"name": matrix.name, "origin": matrix.origin, **written},
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
