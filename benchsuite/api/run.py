"""benchsuite.run: run a matrix, show how far it is, and return the Study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchsuite.api.progress import watching
from benchsuite.api.study import Study
from benchsuite.contracts import RunOptions
from benchsuite.running import study as studies
from benchsuite.running.matrix import Matrix
from benchsuite.running.shards import Shard
from benchsuite.running.study import StoredStudy, StudyEvent
from benchsuite.running.study.runner import StudyListener, ignore


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
    progress: bool | None = None,
    on_event: StudyListener = ignore,
) -> Study:
    """Run a matrix and return its study. Ctrl-C ends the running trials; what is recorded stays, and the
    study says what is left.

    :param matrix: a built-in matrix's name, a TOML file, or the tables of one as a mapping.
    :param filters: field -> values to keep, as the options of `benchsuite run`.
    :param overrides: `field=value` settings that go before the matrix's own, `field+=value` to add to them.
    :param name: the study's name; the matrix's by default.
    :param results: where studies lie; BENCHSUITE_RESULTS, else `results`, by default.
    :param tracking_uri: where to mirror to MLflow; `none` for nowhere, None for a database in `results`.
    :param log_models: keep each trial's best weights in the study, and mirror them as models.
    :param system_metrics: mirror the machine's load during each trial.
    :param log_report: attach the report's first page and pictures to the study's run in MLflow.
    :param executor: who runs the trials.
    :param options: isolation, jobs, timeout, interpreters.
    :param rerun: None for what is new, failed or stale; `failed`; or `all`.
    :param shard: `3/16` runs the third of sixteen parts, into the study `NAME.shard-03-of-16`, which is
        mirrored only where `tracking_uri` is given. Every machine needs the same matrix, filters and
        overrides.
    :param times: the study by whose times shards are balanced; every machine must be given the same.
    :param progress: whether to show how far the run is: None does so in a terminal and in a notebook, unless
        BENCHSUITE_PROGRESS=0; True everywhere, as one line per trial outside of them; False nowhere. What is
        not shown and ought to be known is a Python warning.
    :param on_event: called with every event as it happens.

    Raises MatrixError and other RequestErrors before anything runs.
    """
    with watching(progress) as shown:

        def hear(event: StudyEvent) -> None:
            shown(event)
            on_event(event)

        stored = studies.run(
            matrix,
            filters=filters,
            overrides=overrides,
            name=name,
            results=results,
            tracking_uri=tracking_uri,
            log_models=log_models,
            system_metrics=system_metrics,
            log_report=log_report,
            executor=executor,
            options=options,
            rerun=rerun,
            shard=shard,
            times=times,
            on_event=hear,
        )
    return Study.of(stored)
