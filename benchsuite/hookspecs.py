"""Every hook a plugin may implement. Typed and documented here; docs/hooks.md says how to use each.

A plugin is a module (or object) named by an entry point of the group `benchsuite`, whose functions carry
`@hookimpl` and the names below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from benchsuite.contracts import BackendEntry, CellEntry, ExecutorEntry, Probe, StudyInfo, TaskEntry
    from benchsuite.contracts.report import PageSection
    from benchsuite.schema import Record, Trial

PROJECT = "benchsuite"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def benchsuite_register_backends() -> Iterable[BackendEntry]:  # type: ignore[empty-body]
    """Backends this plugin brings. Called in the parent and in every worker; must import no framework."""


@hookspec
def benchsuite_register_tasks() -> Iterable[TaskEntry]:  # type: ignore[empty-body]
    """Tasks this plugin brings. Called in the parent and in every worker; must read no data."""


@hookspec
def benchsuite_register_cells() -> Iterable[CellEntry]:  # type: ignore[empty-body]
    """Cells this plugin brings. Called in the parent and in every worker; must import no framework."""


@hookspec
def benchsuite_register_executors() -> Iterable[ExecutorEntry]:  # type: ignore[empty-body]
    """Executors this plugin brings. Called in the parent."""


@hookspec
def benchsuite_modify_trials(trials: list[Trial]) -> None:
    """Add, drop or reorder the trials of a matrix, in place, before they are planned.

    :param trials: the expanded trials.
    """


@hookspec(firstresult=True)
def benchsuite_skip_trial(trial: Trial) -> str | None:
    """A reason to skip `trial`, or None. The first plugin with a reason decides.

    :param trial: a trial about to be planned.
    """


@hookspec
def benchsuite_study_started(study: StudyInfo, trials: Sequence[Trial]) -> None:
    """A study is about to run.

    :param study: the study's name, folder and settings.
    :param trials: the trials that will run, in order.
    """


@hookspec
def benchsuite_trial_started(trial: Trial) -> None:
    """A trial was handed to a worker.

    :param trial: the trial.
    """


@hookspec
def benchsuite_trial_finished(study: StudyInfo, record: Record) -> None:
    """A trial ended; its record is already stored.

    :param study: the study's name, folder and settings.
    :param record: what the trial produced.
    """


@hookspec
def benchsuite_study_finished(study: StudyInfo, records: Sequence[Record]) -> None:
    """A study ended; every record is stored.

    :param study: the study's name, folder and settings.
    :param records: all records of the study, earlier ones included.
    """


@hookspec
def benchsuite_probes(trial: Trial) -> Iterable[Probe]:  # type: ignore[empty-body]
    """Probes to wrap around the phases of a trial. Called in the worker.

    :param trial: the trial about to run.
    """


@hookspec
def benchsuite_environment(trial: Trial) -> Mapping[str, str]:  # type: ignore[empty-body]
    """Facts to record with a trial. Called in the worker.

    :param trial: the trial about to run.
    """


@hookspec
def benchsuite_report_sections(records: Sequence[Record]) -> Iterable[PageSection]:  # type: ignore[empty-body]
    """Sections to show in a report. Called in the parent.

    :param records: the records that the report ranks, those that failed or were skipped included.
    """
