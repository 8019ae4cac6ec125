"""Charts of a report, made with Altair: what they share in colours, sizes and words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import altair as alt

from benchsuite.contracts import Chart, Table
from benchsuite.schema.names import NO_CELL

HEIGHT = 260
CELL_ORDER = ("lstm", "rnn", "gru", NO_CELL)
BACKEND_ORDER = ("torch", "jax", "numpy", "tensorflow")
LONG_NAME = 18
"""Letters of a name above which a legend has fewer columns."""
Row = Mapping[str, Any]


def chart(
    title: str,
    drawn: Any,
    alt_text: str,
    note: str = "",
    table: Table | None = None,
    height: int | None = HEIGHT,
) -> Chart:
    """A chart block of an Altair chart: as wide as its place, in the page's fonts and colours.

    :param drawn: a single or layered Altair chart. :param height: in pixels; None leaves it to the chart.
    """
    sized = drawn.properties(width="container", **({} if height is None else {"height": height}))
    spec = sized.to_dict()
    spec.pop("config", None)
    spec["datasets"] = _take(spec)
    return Chart(title, spec, alt_text, note, table)


_PENDING: dict[str, list[dict[str, Any]]] = {}
_NUMBERS = count()


def data(rows: Iterable[Row]) -> Any:
    """The data of a chart by name: chart() puts the rows beside it. Altair would hold each of them to its
    schema, which takes longer than all the rest of a report."""
    name = f"rows{next(_NUMBERS)}"
    _PENDING[name] = [dict(row) for row in rows]
    return alt.NamedData(name=name)


def _take(spec: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The rows that a specification and its layers speak of, by names of their own: `rows1`, `rows2`."""
    held = list(_held(spec))
    names = {name: f"rows{at}" for at, name in enumerate(dict.fromkeys(one["name"] for one in held), 1)}
    for one in held:
        one["name"] = names[one["name"]]
    return {own: _PENDING.pop(name) for name, own in names.items()}


def _held(part: Any) -> Iterator[dict[str, Any]]:
    """Every mention of data that data() was given."""
    if isinstance(part, list):
        for each in part:
            yield from _held(each)
    elif isinstance(part, dict):
        found = part.get("data")
        if isinstance(found, dict) and found.get("name") in _PENDING:
            yield found
        for each in part.values():
            yield from _held(each)


def order(found: Iterable[str], known: Sequence[str]) -> list[str]:
    """The names that occur, the known ones first and in their order."""
    names = set(found)
    return [name for name in known if name in names] + sorted(names - set(known))


def colour(field: str, found: Iterable[str], known: Sequence[str], title: str | None = None) -> Any:
    """A colour by name. Known names keep theirs in every chart, whether or not the others occur."""
    names = order(found, known)
    domain = [*known, *(name for name in names if name not in known)]
    columns = {} if len(names) <= 4 else {"columns": 2 if max(map(len, names)) > LONG_NAME else 3}
    legend = alt.Legend(values=names, labelLimit=200 if columns.get("columns") == 2 else 110, **columns)
    return alt.Color(f"{field}:N", title=title, scale=alt.Scale(domain=domain), legend=legend)


def cell_colour(cells: Iterable[str]) -> Any:
    """Colour by the field `cell`."""
    made = colour("cell", cells, CELL_ORDER)
    made["legend"]["labelExpr"] = f"datum.label === '{NO_CELL}' ? 'no recurrence' : datum.label"
    return made


def backend_colour(backends: Iterable[str]) -> Any:
    """Colour by the field `backend`."""
    return colour("backend", backends, BACKEND_ORDER)


def number(field: str, title: str, log: bool = False, zero: bool = False) -> dict[str, Any]:
    """Keywords of an axis for a quantity."""
    scale = alt.Scale(type="log") if log else alt.Scale(zero=zero)
    return {"shorthand": f"{field}:Q", "title": title, "scale": scale}
