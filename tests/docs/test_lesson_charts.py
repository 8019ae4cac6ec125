"""The charts that lessons draw are in the report of what they run: by page and title, without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from fixtures.lessons import LESSONS, SPANISH, code, load_make, run_trials
from fixtures.records import record

from benchsuite.plugins import registry
from benchsuite.report.notebook import study_charts
from benchsuite.running.store import StudyStore
from benchsuite.running.study import StoredStudy
from benchsuite.schema import Record, Series, Trial

make = load_make()
PAGES = [folder / f"{name}.md" for folder in (LESSONS, SPANISH) for name in (*make.names(), "index")]


@cache
def primary(task: str, source: str, options: tuple[tuple[str, str | int | float | bool], ...]) -> str:
    """The metric by which the task's models are ranked."""
    entry = registry().tasks[task]
    return entry.load().load(source, entry.complete(dict(options))).primary


def trained(trial: Trial) -> Record:
    """A record of the trial, with curves such as its training leaves."""
    metric = primary(trial.task, trial.source, tuple(trial.options.items()))
    curves = {
        ("train/loss", "step"): [2.0, 1.0, 0.5],
        (f"val/{metric}", "epoch"): [0.2, 0.5, 0.8],
        ("gradient/state/rnn.l0.fwd/start", "lag"): [1.0, 0.1, 0.01],
        ("gradient/state/rnn.l0.fwd/end", "lag"): [1.0, 0.5, 0.2],
    }
    series = [
        Series.model_validate({"name": name, "axis": axis, "x": range(len(y)), "y": y})
        for (name, axis), y in curves.items()
    ]
    made = record(scalars={f"test/{metric}": 0.8})
    return made.model_copy(update={"trial": trial, "primary": metric, "series": series})


def study(folder: Path, trials: tuple[Trial, ...]) -> StoredStudy:
    """A study of these trials as if they had run."""
    store = StudyStore(folder)
    with store.writing():
        return StoredStudy("lesson", folder, [store.append(trained(trial)) for trial in trials])


def named_charts(page: Path, folder: Path) -> Iterator[tuple[str, set[str]]]:
    """Each title that a cell looks up, with those that there are."""
    studies: dict[str, StoredStudy] = {}
    charts: dict[str, set[str]] = {}

    def titles(node: ast.expr) -> set[str] | None:
        if isinstance(node, ast.Name):
            return charts.get(node.id)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "study_charts":
            return set(study_charts(studies[ast.unparse(node.args[0])]))
        return None

    for statement in (one for source in code(page) for one in ast.parse(source).body):
        for node in ast.walk(statement):
            if isinstance(node, ast.Subscript) and (found := titles(node.value)) is not None:
                yield ast.literal_eval(node.slice), found
        if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Call):
            continue
        name = ast.unparse(statement.targets[0])
        if ast.unparse(statement.value.func) == "benchsuite.run":
            studies[name] = study(folder / str(len(studies)), run_trials(statement.value))
        elif (found := titles(statement.value)) is not None:
            charts[name] = found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.parent.name}/{page.stem}")
def test_a_lesson_draws_charts_that_there_are(page: Path, tmp_path: Path) -> None:
    wanted = list(named_charts(page, tmp_path))
    assert bool(wanted) == any("study_charts(" in source for source in code(page))
    for title, there_are in wanted:
        assert title in there_are
