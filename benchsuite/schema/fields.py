"""The fields of a trial by dotted path: `execution.device`, `recipe.epochs`, `options.horizon`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from benchsuite.errors import nearest, unknown_name
from benchsuite.schema.trial import Execution, Protocol, Recipe, Size, Trial

GROUPS: dict[str, type[BaseModel]] = {
    "size": Size,
    "recipe": Recipe,
    "protocol": Protocol,
    "execution": Execution,
}
SHORT = {name: f"execution.{name}" for name in Execution.model_fields}
"""Every field of `execution` may be given without the group's name."""
PLAIN = ("task", "source", "architecture", "cell", "backend", "seed")


class BadValueError(ValueError):
    """A field or value that a matrix may not hold; the text says why and what is allowed."""


@cache
def field_types() -> dict[str, FieldInfo]:
    """Dotted path -> what pydantic knows of the field, in the order in which trials are nested."""
    grouped = {
        f"{group}.{name}": info
        for group, model in GROUPS.items()
        for name, info in model.model_fields.items()
    }
    return {name: Trial.model_fields[name] for name in PLAIN} | grouped


def canonical(path: str) -> str:
    """`device` -> `execution.device`; any other field as it is. Raises BadValueError when unknown."""
    path = SHORT.get(path, path)
    if path in field_types() or (path.startswith("options.") and path.count(".") == 1):
        return path
    if path == "options" or path in GROUPS:
        raise BadValueError(f"{path} is a table of settings, as in `{path}.NAME = VALUE`")
    group, _, name = path.partition(".")
    if group in GROUPS:
        raise BadValueError(unknown_name(f"field of {group}", name, GROUPS[group].model_fields))
    close = nearest(path, [*field_types(), *SHORT])
    guess = f"; did you mean {' or '.join(map(repr, close))}?" if close else "."
    known = ", ".join([*PLAIN, *SHORT, *(f"{name}.NAME" for name in (*GROUPS, "options"))])
    raise BadValueError(f"unknown field {path!r}{guess} Known: {known}.")


def flatten(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested tables as (dotted path, value): `recipe = {epochs = 3}` and `"recipe.epochs" = 3` are one."""
    for key, value in table.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from flatten(value, f"{path}.")
        else:
            yield path, value
