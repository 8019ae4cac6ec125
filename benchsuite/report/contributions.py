"""Sections that plugins add to a report: asked for, checked, and left out when they break their contract."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from benchsuite.contracts.report import (
    PAGES,
    Block,
    Chart,
    Details,
    Grid,
    PageSection,
    Table,
    TableCell,
)
from benchsuite.errors import ContractError
from benchsuite.plugins import Registry
from benchsuite.schema import Record
from benchsuite.schema.validation import problem_of


@dataclass(frozen=True)
class Contributions:
    """Sections in the order of their plugins' names, and plugin -> what went wrong."""

    sections: tuple[PageSection, ...]
    problems: Mapping[str, str]

    def of(self, page: str) -> tuple[PageSection, ...]:
        return tuple(section for section in self.sections if section.page == page)


NO_CONTRIBUTIONS = Contributions((), {})


def contributions(registry: Registry, records: Sequence[Record]) -> Contributions:
    """What the plugins add. A plugin that raises, or breaks the contract, adds nothing."""
    answers, problems = registry.gather("benchsuite_report_sections", read_sections, records=list(records))
    return Contributions(tuple(section for answer in answers for section in answer), problems)


def read_sections(answer: Iterable[PageSection]) -> list[PageSection]:
    """A plugin's answer as sections that every renderer can show. Raises ContractError."""
    return [_section(place, section) for place, section in enumerate(answer, 1)]


def _section(place: int, section: Any) -> PageSection:
    if not isinstance(section, PageSection):
        raise ContractError(f"answer {place} is {type(section).__name__}, not a PageSection")
    try:
        (checked,) = _sections().validate_python([section])
    except ValidationError as error:
        raise ContractError(f"section {place}: {_deepest(error)}") from None
    if checked.page not in PAGES:
        raise ContractError(f"section {place}: page {checked.page!r} is none of {', '.join(PAGES)}")
    for block in _blocks(checked.blocks):
        if isinstance(block, Table):
            _check_rows(block, f"section {place}")
        elif isinstance(block, Chart):
            _check_spec(block.spec, f"section {place}: the specification of {block.title!r}")
    return checked


@cache
def _sections() -> TypeAdapter[list[PageSection]]:
    """Built when a plugin first answers. Instances are checked field by field, as if they were made of JSON."""
    return TypeAdapter(list[PageSection], config=ConfigDict(revalidate_instances="always"))


def _deepest(error: ValidationError) -> str:
    """What is wrong, and where: `blocks.1.Paragraph.text is int, none of str, tuple`. Of several types that a
    value could have been, the one counts that fits furthest: its error lies deepest."""
    errors = error.errors(include_url=False)
    depth = max(len(one["loc"]) for one in errors)
    wrong = [one for one in errors if len(one["loc"]) == depth]
    place = wrong[0]["loc"][1:] if len(wrong) == 1 else wrong[0]["loc"][1:-1]
    where = ".".join(str(part + 1) if isinstance(part, int) else part for part in place)
    said = f"{where} is {type(wrong[0]['input']).__name__}"
    if len(wrong) == 1:
        return f"{said}: {problem_of(wrong[0])}"
    return f"{said}, none of {', '.join(str(one['loc'][-1]) for one in wrong)}"


def _blocks(blocks: Iterable[Block]) -> Iterator[Block]:
    """All of them, those within others included."""
    for block in blocks:
        yield block
        if isinstance(block, Grid | Details):
            yield from _blocks(block.blocks)
        elif isinstance(block, Chart) and block.table is not None:
            yield block.table


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


_OUTWARD = ("url", "href", "usermeta")
"""Keys of a specification that lead out of it: to a file, to another site, to settings of the page's script."""
