"""The fields that a matrix may set, what each of them accepts, and the sentence that says so."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from benchsuite.contracts import Option
from benchsuite.errors import nearest, unknown_name
from benchsuite.spec import ARCHITECTURES, CELLS, Execution, Protocol, Recipe, Size, Trial
from benchsuite.spec.trial import Scalar

GROUPS: dict[str, type[BaseModel]] = {
    "size": Size,
    "recipe": Recipe,
    "protocol": Protocol,
    "execution": Execution,
}
SHORT = {name: f"execution.{name}" for name in Execution.model_fields}
"""Every field of `execution` may be written without the group's name."""
PLAIN = ("task", "source", "architecture", "cell", "backend", "seed")
DEVICE = re.compile(r"[a-z]+(:\d+)?")


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


def names_of(path: str, task_names: Iterable[str], backend_names: Iterable[str]) -> list[str] | None:
    """The words a field accepts, or None where it accepts more than a list of words."""
    if path == "task":
        return sorted(task_names)
    if path == "backend":
        return sorted(backend_names)
    if path == "cell":
        return list(CELLS)
    if path == "architecture":
        return list(ARCHITECTURES)
    info = field_types().get(path)
    if info is not None and typing.get_origin(info.annotation) is Literal:
        return [str(value) for value in typing.get_args(info.annotation)]
    return None


def check_value(path: str, value: Any) -> Scalar | None:
    """The value as the trial will hold it (an integer given for a real becomes one).

    Names of plugins and options are not checked here. Raises BadValueError with what is allowed.
    """
    if value == "none" and can_be_unset(path):
        return None
    words = names_of(path, (), ())
    if words and isinstance(value, str) and value not in words:
        raise BadValueError(unknown_name(path.rpartition(".")[2], value, words))
    try:
        checked: Scalar | None = _adapter(path).validate_python(value)
    except ValidationError as error:
        raise BadValueError(f"{_shown(value)}: {error.errors()[0]['msg'].lower()}") from None
    if path == "execution.device" and not DEVICE.fullmatch(str(value)):
        raise BadValueError(f"{_shown(value)}: a device is `cpu`, `gpu`, or `gpu:1` for the second one")
    return checked


def can_be_unset(path: str) -> bool:
    """Whether the field may hold nothing at all, which a matrix writes as "none"."""
    if path not in field_types():
        return False
    annotation = field_types()[path].annotation
    return typing.get_origin(annotation) in (typing.Union, types.UnionType) and type(None) in typing.get_args(
        annotation
    )


def check_option(name: str, option: Option, value: Any) -> Scalar:
    """A task's option, in the type of its default. Raises BadValueError with what is allowed."""
    kind = type(option.default)
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise BadValueError(f"option {name} is {_kind(kind)}, not {_shown(value)}; {option.help}")
    if option.choices is not None and value not in option.choices:
        if isinstance(value, str):
            raise BadValueError(unknown_name(f"value of option {name}", value, map(str, option.choices)))
        allowed = ", ".join(map(_shown, option.choices))
        raise BadValueError(f"option {name} cannot be {_shown(value)}; allowed: {allowed}")
    checked: Scalar = value
    return checked


@cache
def _adapter(path: str) -> TypeAdapter[Any]:
    info = field_types()[path]
    config = ConfigDict(strict=True, allow_inf_nan=False)
    kind: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
    return TypeAdapter(kind, config=config)


def _kind(kind: type) -> str:
    words = {bool: "true or false", int: "an integer", float: "a real number", str: "text"}
    return words.get(kind, kind.__name__)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)
