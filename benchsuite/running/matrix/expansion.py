"""Expands a matrix to trials: (axes and includes) without excludes. Every error is listed at once."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from pydantic import ValidationError

from benchsuite.contracts import TaskEntry
from benchsuite.errors import MatrixError, unknown_name
from benchsuite.plugins import Registry
from benchsuite.running.matrix.fields import check_option
from benchsuite.running.matrix.overrides import override_layer
from benchsuite.running.matrix.settings import Reader, Setting, Settings, SettingValue
from benchsuite.running.matrix.source import Matrix
from benchsuite.schema import Trial
from benchsuite.schema.fields import BadValueError
from benchsuite.schema.names import NO_CELL
from benchsuite.schema.validation import place_of, problem_of

TABLES = ("name", "summary", "defaults", "axes", "include", "exclude", "tasks")
REQUIRED = ("architecture", "cell", "backend")
MOST_COMBINATIONS = 300_000
"""Of one matrix, excluded ones too: they are all made before anything is shown, a minute's work."""
STUDY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Skipped:
    """A trial that will not run, and why."""

    trial: Trial
    reason: str


@dataclass(frozen=True)
class Expansion:
    """What a matrix asks for: trials in running order, each id once, and those that cannot be."""

    trials: tuple[Trial, ...]
    skipped: tuple[Skipped, ...] = ()


@dataclass
class _Expander:
    reader: Reader
    overrides: Sequence[str]
    defaults: Settings = field(default_factory=dict)
    axes: Settings = field(default_factory=dict)
    per_task: dict[str, Settings] = field(default_factory=dict)
    includes: list[tuple[str, Settings]] = field(default_factory=list)
    excludes: list[Settings] = field(default_factory=list)

    @property
    def matrix(self) -> Matrix:
        return self.reader.matrix

    @property
    def tasks(self) -> dict[str, TaskEntry]:
        return self.reader.registry.tasks

    def problem(self, path: str, text: str) -> None:
        self.reader.problem(self.matrix.place(path), text)

    def read(self) -> None:
        reader, data = self.reader, self.matrix.data
        for key in data:
            if key not in TABLES:
                self.problem(key, unknown_name("table", key, TABLES))
        if not isinstance(data.get("summary", ""), str):
            self.problem("summary", "must be text")
        if not isinstance(data.get("name", ""), str) or not STUDY_NAME.fullmatch(self.matrix.name):
            self.problem("name", "must be a word of letters, digits, `-`, `_` and `.`: it names a folder")
        self.defaults = reader.settings(data.get("defaults", {}), "defaults", lists=False)
        self.axes = reader.settings(data.get("axes", {}), "axes")
        for name, table in reader.table(data.get("tasks", {}), "tasks").items():
            if name not in self.tasks:
                self.problem(f"tasks.{name}", unknown_name("task", name, self.tasks))
            self.per_task[name] = reader.settings(table, f"tasks.{name}", closed=("task",))
        for place, table in self._list_of_tables("include"):
            self.includes.append((place, reader.settings(table, place)))
        for place, table in self._list_of_tables("exclude"):
            conditions = reader.settings(table, place, globs=True)
            if not conditions and not table:
                self.problem(place, "no condition: this would exclude every trial")
            self.excludes.append(conditions)
            self._check_conditions(conditions)

    def _list_of_tables(self, name: str) -> Iterator[tuple[str, Any]]:
        given = self.matrix.data.get(name, [])
        if isinstance(given, list):
            yield from ((f"{name} #{number}", table) for number, table in enumerate(given, start=1))
        else:
            self.problem(name, f"must be a list of tables: write `[[{name}]]`")

    def _check_conditions(self, conditions: Settings) -> None:
        sources = {source for entry in self.tasks.values() for source in entry.sources}
        options = {option for entry in self.tasks.values() for option in entry.options}
        for path, setting in conditions.items():
            if path.startswith("options.") and path.removeprefix("options.") not in options:
                text = unknown_name("option", path.removeprefix("options."), options)
                self.reader.problem(setting.place, text)
            for value in setting.values if path == "source" else ():
                if not any(fnmatchcase(source, str(value)) for source in sources):
                    self.reader.problem(setting.place, unknown_name("source", str(value), sources))

    def blocks(self) -> Iterator[tuple[str, Settings]]:
        """(place, settings of that table alone): the axes, when they name a task, and every include."""
        common = self.defaults | self.axes
        if "task" in common or not self.includes:
            yield "axes", {}
        yield from self.includes

    def combinations(self) -> Iterator[tuple[str, dict[str, SettingValue]]]:
        """(place, one value for each field) of every block and task."""
        overrides = override_layer(self.reader, self.overrides)
        count = 0
        for place, own in self.blocks():
            common = self.defaults | self.axes | own
            names = overrides.tasks(common.get("task"))
            if not names and not (common.get("task") or self.reader.problems):
                self.problem(f"{place}.task", f"required. Known: {', '.join(sorted(self.tasks))}.")
            for name in names:
                entry = self.tasks[name]
                layers = self.defaults | self.axes | self.per_task.get(name, {}) | own
                layers = overrides.applied(layers, entry)
                layers["task"] = Setting((name,), place)
                if self._complete(layers, entry, place):
                    count += math.prod(len(setting.values) for setting in layers.values())
                    if count > MOST_COMBINATIONS:
                        self.problem(place, _too_many(count))
                        return
                    order = sorted(layers, key=_nesting)
                    for values in itertools.product(*(layers[path].values for path in order)):
                        yield place, dict(zip(order, values, strict=True))

    def _complete(self, layers: Settings, entry: TaskEntry, place: str) -> bool:
        """Fill in what the task's entry knows and check what only it can check; False after a problem."""
        before = len(self.reader.problems)
        if "source" not in layers and len(entry.sources) == 1:
            layers["source"] = Setting(tuple(entry.sources), place)
        if "source" not in layers:
            known = ", ".join(entry.sources)
            self.problem(f"tasks.{entry.name}.source", f"required: which data to use. Known: {known}.")
        else:
            for value in layers["source"].values:
                if value not in entry.sources:
                    text = unknown_name(f"source of {entry.name}", str(value), entry.sources)
                    self.reader.problem(layers["source"].place, text)
        architectures = layers.get("architecture", Setting((), place)).values
        if architectures == ("cnn",):
            layers["cell"] = Setting((NO_CELL,), place)
        for path in REQUIRED:
            if path not in layers:
                self.problem(f"{place}.{path}", "required; name it in [axes]")
        self._complete_options(layers, entry, place)
        return len(self.reader.problems) == before

    def _complete_options(self, layers: Settings, entry: TaskEntry, place: str) -> None:
        for path in [path for path in layers if path.startswith("options.")]:
            name, setting = path.removeprefix("options."), layers[path]
            if name not in entry.options:
                text = unknown_name(f"option of {entry.name}", name, entry.options)
                self.reader.problem(setting.place, text)
                continue
            values: list[SettingValue] = []
            for value in setting.values:
                try:
                    values.append(check_option(name, entry.options[name], value))
                except BadValueError as error:
                    self.reader.problem(setting.place, str(error))
            layers[path] = Setting(tuple(dict.fromkeys(values)), setting.place)
        for name, option in entry.options.items():
            layers.setdefault(f"options.{name}", Setting((option.default,), place))

    def excluded(self, trial: Trial) -> bool:
        return any(
            conditions
            and all(
                _meets(trial, self.tasks[trial.task], path, setting) for path, setting in conditions.items()
            )
            for conditions in self.excludes
        )


def expand(matrix: Matrix, registry: Registry, overrides: Iterable[str] = ()) -> Expansion:
    """The trials of `matrix`, with `overrides` before everything that it sets (`FIELD=VALUE`), or added to it
    (`FIELD+=VALUE`).

    Raises MatrixError with every problem and its place.
    """
    work = _Expander(Reader(matrix, registry), tuple(overrides))
    work.read()
    trials: dict[str, Trial] = {}
    skipped: dict[str, Skipped] = {}
    for place, values in work.combinations():
        try:
            trial = _trial(values, work.tasks)
        except ValidationError as error:
            for detail in error.errors():
                work.problem(place, f"{place_of(detail)}: {problem_of(detail)}")
            continue
        if work.excluded(trial):
            continue
        offered = work.tasks[trial.task].architectures
        if trial.architecture in offered:
            trials.setdefault(trial.id, trial)
        else:
            reason = f"task {trial.task} has no {trial.architecture}; it offers {', '.join(offered)}"
            skipped.setdefault(trial.id, Skipped(trial, reason))
    if not work.reader.problems and not trials and not skipped:
        work.problem("axes", "no trial is left; the excludes remove every one")
    if work.reader.problems:
        raise MatrixError(matrix.origin, work.reader.problems)
    return Expansion(tuple(trials.values()), tuple(skipped.values()))


def _too_many(count: int) -> str:
    return (
        f"the matrix has at least {count:,} combinations, and may have {MOST_COMBINATIONS:,}; "
        "give shorter lists, or several matrices"
    )


def _trial(values: dict[str, SettingValue], tasks: Mapping[str, TaskEntry]) -> Trial:
    options = tasks[str(values["task"])].options
    tree: dict[str, Any] = {}
    for path, value in values.items():
        group, dot, name = path.partition(".")
        if group == "options" and options[name].added and value == options[name].default:
            continue  # see Option.added
        if dot:
            tree.setdefault(group, {})[name] = value
        else:
            tree[path] = value
    return Trial(**tree)


def _meets(trial: Trial, entry: TaskEntry, path: str, condition: Setting) -> bool:
    """Whether the trial's field at `path` is one of the condition's values; words may be globs."""
    group, dot, name = path.partition(".")
    if group == "options":
        if name not in entry.options:
            return False
        value: SettingValue = trial.options.get(name, entry.options[name].default)
    else:
        value = getattr(getattr(trial, group), name) if dot else getattr(trial, group)
    if isinstance(value, str):
        return any(isinstance(wanted, str) and fnmatchcase(value, wanted) for wanted in condition.values)
    return any(
        value == wanted and isinstance(value, bool) == isinstance(wanted, bool) for wanted in condition.values
    )


_ORDER = {
    part: rank
    for rank, part in enumerate(
        ("task", "source", "options", "architecture", "cell", "size", "recipe", "protocol", "execution")
    )
}


def _nesting(path: str) -> tuple[int, str]:
    """Outermost first; seed and backend vary fastest, so that the backends of one model run close together."""
    last = {"seed": len(_ORDER), "backend": len(_ORDER) + 1}
    group = path.partition(".")[0]
    return (last.get(path, _ORDER.get(group, 0)), path)
