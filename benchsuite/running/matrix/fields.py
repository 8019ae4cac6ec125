"""The fields that a matrix may set, what each of them accepts, and the sentence that says so."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from benchsuite.contracts import Option
from benchsuite.contracts.options import shown
from benchsuite.errors import RequestError, unknown_name
from benchsuite.schema import ARCHITECTURES, known_cells
from benchsuite.schema.device import DEVICE
from benchsuite.schema.fields import BadValueError, field_types
from benchsuite.schema.trial import Scalar
from benchsuite.schema.validation import problem_of


def names_of(path: str, task_names: Iterable[str], backend_names: Iterable[str]) -> list[str] | None:
    """The words a field accepts, or None where it accepts more than a list of words."""
    if path == "task":
        return sorted(task_names)
    if path == "backend":
        return sorted(backend_names)
    if path == "cell":
        return list(known_cells())
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
        raise BadValueError(f"{shown(value)}: {problem_of(error.errors()[0])}") from None
    if path == "execution.device" and not DEVICE.fullmatch(str(value)):
        raise BadValueError(f"{shown(value)}: a device is `cpu`, `gpu`, or `gpu:1` for the second one")
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
    try:
        return option.check(name, value)
    except RequestError as error:
        raise BadValueError(str(error)) from error


@cache
def _adapter(path: str) -> TypeAdapter[Any]:
    info = field_types()[path]
    config = ConfigDict(strict=True, allow_inf_nan=False)
    kind: Any = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
    return TypeAdapter(kind, config=config)
