"""`--set FIELD=VALUE` and `--set FIELD+=VALUE`: settings from the command line that go before everything a
matrix sets, or add to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from benchsuite.contracts import TaskEntry
from benchsuite.errors import unknown_name
from benchsuite.running.matrix.settings import Reader, Setting, Settings
from benchsuite.running.matrix.source import read_toml
from benchsuite.schema.fields import field_types


@dataclass
class _Layer:
    """Settings for every task, and for single ones."""

    everywhere: Settings = field(default_factory=dict)
    of_task: dict[str, Settings] = field(default_factory=dict)

    def settings(self, entry: TaskEntry) -> Settings:
        """Those for one task; an option that it does not have is left out, unless it was given for it alone."""
        meant = {
            path: setting
            for path, setting in self.everywhere.items()
            if not path.startswith("options.") or path.removeprefix("options.") in entry.options
        }
        return meant | self.of_task.get(entry.name, {})


@dataclass
class MatrixChanges:
    """What the command line sets, and what it adds to the values that a field has."""

    replaced: _Layer = field(default_factory=_Layer)
    added: _Layer = field(default_factory=_Layer)

    def tasks(self, named: Setting | None) -> tuple[str, ...]:
        """The tasks of a block whose own setting is `named`."""
        setting = _extended("task", self.replaced.everywhere.get("task") or named, self.added.everywhere)
        return tuple(map(str, setting.values)) if setting else ()

    def applied(self, layers: Settings, entry: TaskEntry) -> Settings:
        """The settings of one task of a block with those of the command line."""
        found = layers | self.replaced.settings(entry)
        more = self.added.settings(entry)
        for path in more:
            if extended := _extended(path, found.get(path) or _default(path, entry), more):
                found[path] = extended
        return found


def override_layer(reader: Reader, overrides: Sequence[str]) -> MatrixChanges:
    """Read `FIELD=VALUE` and `FIELD+=VALUE`. `tasks.NAME.FIELD` is for one task only, `options.NAME` for the
    tasks that have this option."""
    found = MatrixChanges()
    for text in overrides:
        key, equals, value = text.partition("=")
        key = key.strip()
        layer = found.added if key.endswith("+") else found.replaced
        key = key.removesuffix("+").strip()
        if not equals or not key:
            reader.problem(f"--set {text}", "write FIELD=VALUE, as in recipe.epochs=2")
            continue
        if not key.startswith("tasks."):
            layer.everywhere |= _one(reader, key, value)
            continue
        task, _, name = key.removeprefix("tasks.").partition(".")
        if task not in reader.registry.tasks:
            reader.problem(f"--set {key}", unknown_name("task", task, reader.registry.tasks))
        else:
            layer.of_task.setdefault(task, {}).update(_one(reader, name, value))
    known = {option for entry in reader.registry.tasks.values() for option in entry.options}
    for path, setting in [*found.replaced.everywhere.items(), *found.added.everywhere.items()]:
        if path.startswith("options.") and path.removeprefix("options.") not in known:
            reader.problem(setting.place, unknown_name("option", path.removeprefix("options."), known))
    return found


def _extended(path: str, before: Setting | None, added: Settings) -> Setting | None:
    """`before` with the values that are added to the field `path` behind its own, each once."""
    more = added.get(path)
    if more is None:
        return before
    values = (*(before.values if before else ()), *more.values)
    return Setting(tuple(dict.fromkeys(values)), more.place)


def _default(path: str, entry: TaskEntry) -> Setting | None:
    """What a field is where nothing sets it."""
    option = entry.options.get(path.removeprefix("options."))
    if path.startswith("options."):
        return None if option is None else Setting((option.default,), "default")
    known = field_types().get(path)
    return None if known is None or known.is_required() else Setting((known.get_default(),), "default")


def _one(reader: Reader, key: str, text: str) -> Settings:
    return reader.settings({key: parse_value(text)}, "--set")


def parse_value(text: str) -> Any:
    """A TOML value; where it is none: a list when it has commas, else the text itself."""
    text = text.strip()
    try:
        return read_toml(f"value = {text}")["value"]
    except ValueError:
        if "," in text:
            return [parse_value(part) for part in text.strip("[]").split(",")]
        return text
