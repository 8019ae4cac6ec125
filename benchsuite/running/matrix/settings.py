"""A table of a matrix as settings: field -> the values it takes, each checked, every problem collected."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from benchsuite.errors import unknown_name
from benchsuite.plugins import Registry
from benchsuite.running.matrix.fields import check_value, names_of
from benchsuite.running.matrix.source import Matrix
from benchsuite.schema.fields import BadValueError, canonical, flatten
from benchsuite.schema.names import NO_CELL
from benchsuite.schema.trial import Scalar

SettingValue = Scalar | None


@dataclass(frozen=True)
class Setting:
    """The values of one field and where they were written."""

    values: tuple[SettingValue, ...]
    place: str


Settings = dict[str, Setting]


@dataclass
class Reader:
    """Reads tables of one matrix; what is wrong goes to `problems` as (place, text), each once."""

    matrix: Matrix
    registry: Registry
    problems: list[tuple[str, str]] = field(default_factory=list)

    def problem(self, place: str, text: str) -> None:
        if (place, text) not in self.problems:
            self.problems.append((place, text))

    def table(self, data: Any, path: str) -> Mapping[str, Any]:
        """`data` when it is a table, else an empty one and a problem."""
        if isinstance(data, Mapping):
            return data
        name, listed, _ = path.partition(" #")
        header = f"[[{name}]]" if listed else f"[{name}]"
        self.problem(self.matrix.place(path), f"must be a table, as in `{header}`")
        return {}

    def settings(
        self, data: Any, path: str, *, lists: bool = True, closed: Collection[str] = (), globs: bool = False
    ) -> Settings:
        """The settings of the table at `path`.

        lists   whether a field may take several values
        closed  fields that have no place in this table
        globs   whether words may hold * ? [ ], as conditions do
        """
        found: Settings = {}
        for key, value in flatten(self.table(data, path)):
            place = f"{path} {key}" if path.startswith("--") else self.matrix.place(f"{path}.{key}")
            try:
                name = canonical(key)
            except BadValueError as error:
                self.problem(place, str(error))
                continue
            if name in closed:
                self.problem(place, f"{name} cannot be set here")
            elif name in found:
                self.problem(place, f"{name} is given twice; the other place is {found[name].place}")
            elif isinstance(value, list) and not lists:
                self.problem(place, "one value only; a list belongs to [axes]")
            elif isinstance(value, list) and not value:
                self.problem(place, "an empty list; give at least one value or leave the field out")
            else:
                many = value if isinstance(value, list) else [value]
                values = [checked for one in many for checked in self._value(name, one, place, globs)]
                found[name] = Setting(tuple(dict.fromkeys(values)), place)
        return found

    def _value(self, name: str, value: Any, place: str, globs: bool) -> list[SettingValue]:
        """`[value as checked]`, or nothing and a problem."""
        if globs and isinstance(value, str) and any(sign in value for sign in "*?["):
            words = names_of(name, self.registry.tasks, self.registry.backends)
            if words is not None and not any(fnmatchcase(word, value) for word in words):
                self.problem(place, f'"{value}" matches nothing. Known: {", ".join(words)}.')
            return [value]
        if globs and name == "cell" and value == NO_CELL:
            return [value]
        if name.startswith("options."):
            if isinstance(value, bool | int | float | str):
                return [value]
            self.problem(place, f"an option is true, false, a number or text, not {type(value).__name__}")
            return []
        try:
            checked = check_value(name, value)
        except BadValueError as error:
            self.problem(place, str(error))
            return []
        words = names_of(name, self.registry.tasks, self.registry.backends)
        if name in ("task", "backend") and words is not None and checked not in words:
            self.problem(place, unknown_name(name, str(checked), words))
            return []
        return [checked]
