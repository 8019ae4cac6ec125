"""Charts of a report, made with Altair: what they share in colours, sizes and words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import altair as alt

from benchsuite.contracts.report import Chart, Table
from benchsuite.schema.names import NO_CELL

CHART_HEIGHT = 260
ROWS_NAME = "rows"
"""The name of a chart's data where it has one set of them."""
CELL_ORDER = ("lstm", "rnn", "gru", NO_CELL)
BACKEND_ORDER = ("torch", "jax", "numpy", "tensorflow")
LONG_NAME = 18
"""Letters of a name above which a legend has fewer columns."""
CUT_NAME = 22
"""Letters of a name above which a legend of few names would cut it: it has two columns as well."""
Row = Mapping[str, Any]


def chart(
    title: str,
    drawn: Any,
    rows: Iterable[Row] | Mapping[str, Iterable[Row]],
    alt_text: str,
    note: str = "",
    table: Table | None = None,
    height: int | None = CHART_HEIGHT,
) -> Chart:
    """A chart block of an Altair chart: as wide as its place, in the page's fonts and colours.

    :param drawn: a single or layered Altair chart whose data are named by named(). :param rows: of the data
        named `rows`; a mapping gives those of several names. :param height: in pixels; None leaves it to the
        chart.
    """
    sized = drawn.properties(width="container", **({} if height is None else {"height": height}))
    spec = sized.to_dict()
    spec.pop("config", None)
    datasets = rows if isinstance(rows, Mapping) else {ROWS_NAME: rows}
    spec["datasets"] = {name: [dict(row) for row in held] for name, held in datasets.items()}
    return Chart(title, spec, alt_text, note, table)


def named(name: str = ROWS_NAME) -> Any:
    """A chart's data by name; chart() is given the rows. Altair would check each row against its schema, which
    takes longer than the rest of a report."""
    return alt.NamedData(name=name)


def order(found: Iterable[str], known: Sequence[str]) -> list[str]:
    """The names that occur, the known ones first and in their order."""
    names = set(found)
    return [name for name in known if name in names] + sorted(names - set(known))


def colour(field: str, found: Iterable[str], known: Sequence[str], title: str | None = None) -> Any:
    """A colour by name. Known names keep theirs in every chart, whether or not the others occur."""
    names = order(found, known)
    domain = [*known, *(name for name in names if name not in known)]
    longest = max(map(len, names), default=0)
    columns = {}
    if len(names) > 4 or longest > CUT_NAME:
        columns = {"columns": 2 if longest > LONG_NAME else 3}
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
