"""Sections that plugins add to a report: asked for, held to their contract, and left out when they break it."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any, Literal

from benchsuite.contracts.report import PAGES, PageSection, Table, TableCell
from benchsuite.errors import ContractError
from benchsuite.plugins import Registry
from benchsuite.schema import Record


@dataclass(frozen=True)
class Contributions:
    """Sections in the order of their plugins' names, and plugin -> what went wrong."""

    sections: tuple[PageSection, ...]
    problems: Mapping[str, str]

    def of(self, page: str) -> tuple[PageSection, ...]:
        return tuple(section for section in self.sections if section.page == page)


NOTHING = Contributions((), {})


def contributions(registry: Registry, records: Sequence[Record]) -> Contributions:
    """What the plugins add. A plugin that raises, or breaks the contract, adds nothing."""
    answers, problems = registry.gather("benchsuite_report_sections", read_sections, records=list(records))
    return Contributions(tuple(section for answer in answers for section in answer), problems)


def read_sections(answer: Iterable[PageSection]) -> list[PageSection]:
    """A plugin's answer as sections that every renderer can show. Raises ContractError."""
    found = list(answer)
    for place, section in enumerate(found, 1):
        if not isinstance(section, PageSection):
            raise ContractError(f"answer {place} is {type(section).__name__}, not a PageSection")
        _check(section, PageSection, f"section {place}")
        if section.page not in PAGES:
            raise ContractError(f"section {place}: page {section.page!r} is none of {', '.join(PAGES)}")
    return found


def _check(value: Any, hint: Any, where: str) -> None:
    """Raise ContractError unless `value` is of the type that a contract's field declares."""
    if not _fits(value, hint):
        raise ContractError(f"{where} is {type(value).__name__}, not {_said(hint)}")
    for name, part, part_hint in _parts(value, hint):
        _check(part, part_hint, f"{where}{name}")
    if isinstance(value, Table):
        _check_rows(value, where)
    if hint == _SPEC:
        _check_spec(value, where)


def _check_rows(table: Table, where: str) -> None:
    for place, row in enumerate(table.rows, 1):
        if len(row) != len(table.columns):
            raise ContractError(
                f"{where}: row {place} holds {len(row)} cells; there are {len(table.columns)} columns"
            )
    for column, heading in enumerate(table.columns):
        for place, row in enumerate(table.rows, 1):
            value = row[column].value if isinstance(row[column], TableCell) else row[column]  # type: ignore[union-attr]
            if isinstance(value, str) and heading.form not in ("text", "date"):
                raise ContractError(
                    f"{where}: row {place} holds the text {value[:40]!r} in column {heading.name!r} of "
                    "numbers; use form 'text', or a Cell with a number as value and the words as text"
                )


def _check_spec(spec: Any, where: str, data: bool = False) -> None:
    """A report asks no network for anything, and holds JSON alone.

    :param data: it is a part of the chart's data, where names mean nothing.
    """
    if isinstance(spec, Mapping):
        for key, part in spec.items():
            if key in _OUTWARD and not data:
                raise ContractError(f"{where} holds {key!r}; a chart's data lies within it, as data.values")
            _check_spec(part, where, data or key == "values")
    elif isinstance(spec, list | tuple):
        for part in spec:
            _check_spec(part, where, data)
    elif not (spec is None or isinstance(spec, str | int | float | bool)):
        raise ContractError(f"{where} holds {type(spec).__name__}, which JSON has no word for")


_SPEC = Mapping[str, Any]
_OUTWARD = ("url", "href", "usermeta")
"""Keys of a specification that lead out of it: to a file, to another site, to settings of the page's script."""


def _fits(value: Any, hint: Any) -> bool:
    origin = typing.get_origin(hint)
    if origin is Literal:
        return value in typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return any(_fits(value, one) for one in typing.get_args(hint))
    if origin is tuple:
        return isinstance(value, tuple | list)
    if origin is Sequence:
        return isinstance(value, Sequence) and not isinstance(value, str | bytes)
    if origin is Mapping:
        return isinstance(value, Mapping)
    if hint is float:
        return isinstance(value, int | float)
    return value is None if hint is type(None) else isinstance(value, hint)


def _parts(value: Any, hint: Any) -> Iterator[tuple[str, Any, Any]]:
    """(name, part, type it must have) of what `value` is made of."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        chosen = next(one for one in arguments if _fits(value, one))
        yield "", value, chosen
    elif origin in (tuple, Sequence):
        for place, part in enumerate(value, 1):
            yield f", {place}", part, arguments[0]
    elif is_dataclass(value) and not isinstance(value, type):
        hints = _hints(type(value))
        for field in fields(value):
            yield f": {type(value).__name__}.{field.name}", getattr(value, field.name), hints[field.name]


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _said(hint: Any) -> str:
    if typing.get_origin(hint) is Literal:
        return f"one of {', '.join(map(repr, typing.get_args(hint)))}"
    return getattr(hint, "__name__", "") or str(hint).replace("benchsuite.contracts.report.", "")
