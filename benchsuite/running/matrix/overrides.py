"""`--set FIELD=VALUE`: settings from the command line that go before everything a matrix sets."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Any

from benchsuite.errors import unknown_name
from benchsuite.running.matrix.settings import Reader, Settings


def override_layer(reader: Reader, overrides: Sequence[str]) -> tuple[Settings, dict[str, Settings]]:
    """(settings for every task, settings by task). `tasks.NAME.FIELD=VALUE` is for one task only.

    `options.NAME=VALUE` is for the tasks that have this option.
    """
    everywhere: Settings = {}
    of_task: dict[str, Settings] = {}
    for text in overrides:
        key, equals, value = text.partition("=")
        key = key.strip()
        if not equals or not key:
            reader.problem(f"--set {text}", "write FIELD=VALUE, as in recipe.epochs=2")
            continue
        if not key.startswith("tasks."):
            everywhere |= _one(reader, key, value)
            continue
        task, _, field = key.removeprefix("tasks.").partition(".")
        if task not in reader.registry.tasks:
            reader.problem(f"--set {key}", unknown_name("task", task, reader.registry.tasks))
        else:
            of_task.setdefault(task, {}).update(_one(reader, field, value))
    known = {option for entry in reader.registry.tasks.values() for option in entry.options}
    for path, setting in everywhere.items():
        if path.startswith("options.") and path.removeprefix("options.") not in known:
            reader.problem(setting.place, unknown_name("option", path.removeprefix("options."), known))
    return everywhere, of_task


def _one(reader: Reader, key: str, text: str) -> Settings:
    return reader.settings({key: parse_value(text)}, "--set")


def parse_value(text: str) -> Any:
    """A TOML value; where it is none: a list when it has commas, else the text itself."""
    text = text.strip()
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        if "," in text:
            return [parse_value(part) for part in text.strip("[]").split(",")]
        return text
