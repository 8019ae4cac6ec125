"""Charts of a report, made with Altair: what they share in looks, sizes and words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from benchsuite.contracts.report import Chart, LegendEntry, Table
from benchsuite.report.looks import (
    BACKENDS,
    CELLS,
    DASHES,
    SHAPES,
    Look,
    backend_look,
    cell_look,
    in_order,
    looks_of,
    place_look,
)
from benchsuite.schema.names import NO_CELL

CHART_HEIGHT = 260
ROWS_NAME = "rows"
"""The name of a chart's data where it has one set of them."""
LONG_NAME = 18
"""Letters of a name above which a legend has fewer columns."""
CUT_NAME = 22
"""Letters of a name above which a legend of few names would cut it: it has two columns as well."""
NEUTRAL = 3
"""Place of the grey colour, for a legend of dashes or of shapes alone."""
NO_RECURRENCE = "no recurrence"
"""What a legend calls models without a cell."""
Row = Mapping[str, Any]


def chart(
    title: str,
    drawn: Any,
    rows: Iterable[Row] | Mapping[str, Iterable[Row]],
    alt_text: str,
    note: str = "",
    table: Table | None = None,
    height: int | None = CHART_HEIGHT,
    legend: Legend | Sequence[Legend] = (),
) -> Chart:
    """A chart block of an Altair chart: as wide as its place, in the page's fonts and colours.

    :param drawn: a single or layered Altair chart whose data are named by named(). :param rows: of the data
        named `rows`; a mapping gives those of several names. :param height: in pixels; None leaves it to the
        chart. :param legend: one or several whose encodings `drawn` has; the site shows it as switches.
    """
    sized = drawn.properties(width="container", **({} if height is None else {"height": height}))
    spec = sized.to_dict()
    spec.pop("config", None)
    legends = [legend] if isinstance(legend, Legend) else legend
    entries = [entry for one in legends for entry in one.entries]
    datasets = rows if isinstance(rows, Mapping) else {ROWS_NAME: rows}
    spec["datasets"] = {name: [dict(row) for row in held] for name, held in datasets.items()}
    return Chart(title, spec, alt_text, note, table, tuple(entries))


def named(name: str = ROWS_NAME) -> Any:
    """A chart's data by name; chart() is given the rows. Altair would check each row against its schema, which
    takes longer than the rest of a report."""
    return alt.NamedData(name=name)


@dataclass(frozen=True)
class Legend:
    """What tells the lines or points of a chart apart: a field of its rows, and the look of each of its values.

    title  of the legend in a picture
    lines  whether the chart has lines, so that the legend shows dashes; points: whether it shows shapes
    """

    field: str
    looks: Mapping[str, Look]
    title: str | None = None
    lines: bool = False
    points: bool = True

    def colour(self, legend: bool = True) -> Any:
        """The channel of the colour. :param legend: whether a picture has a legend of it."""
        return alt.Color(
            f"{self.field}:N", title=self.title, scale=self._scale("light"), legend=self._legend(legend)
        )

    def fill(self) -> Any:
        """The colour of a point's inside, where an architecture says how full it is."""
        return alt.Fill(
            f"{self.field}:N", title=self.title, scale=self._scale("light"), legend=self._legend()
        )

    def shape(self) -> Any:
        return alt.Shape(
            f"{self.field}:N", title=self.title, scale=self._scale("shape_name"), legend=self._legend()
        )

    def dash(self) -> Any:
        return alt.StrokeDash(
            f"{self.field}:N", title=self.title, scale=self._scale("strokes"), legend=self._legend()
        )

    @property
    def entries(self) -> tuple[LegendEntry, ...]:
        """What the site shows, where there is more than one value."""
        if len(self.looks) < 2:
            return ()
        return tuple(
            LegendEntry(
                self.field,
                name,
                look.colour,
                look.shape_name if self.points else "",
                look.strokes if self.lines else (),
                _label(name),
            )
            for name, look in self.looks.items()
        )

    def _scale(self, part: str) -> Any:
        values: list[Any] = [getattr(look, part) for look in self.looks.values()]
        return alt.Scale(
            domain=list(self.looks), range=[list(one) if isinstance(one, tuple) else one for one in values]
        )

    def _legend(self, shown: bool = True) -> Any:
        if not shown or len(self.looks) < 2:
            return None
        longest = max(map(len, self.looks), default=0)
        columns = {}
        if len(self.looks) > 4 or longest > CUT_NAME:
            columns = {"columns": 2 if longest > LONG_NAME else 3}
        label = f"datum.label === '{NO_CELL}' ? '{NO_RECURRENCE}' : datum.label"
        named = {"labelExpr": label} if NO_CELL in self.looks else {}
        return alt.Legend(
            labelLimit=200 if columns.get("columns") == 2 else 110, symbolSize=90, **columns, **named
        )


def _label(name: str) -> str:
    return NO_RECURRENCE if name == NO_CELL else name


def cell_legend(cells: Iterable[str], lines: bool = False) -> Legend:
    """By the field `cell`."""
    return Legend("cell", looks_of(in_order(cells, CELLS), cell_look), lines=lines, points=not lines)


def backend_legend(backends: Iterable[str], lines: bool = False, field: str = "backend") -> Legend:
    """By the field `backend`."""
    return Legend(field, looks_of(in_order(backends, BACKENDS), backend_look), lines=lines)


def plain_legend(field: str, names: Sequence[str], title: str | None = None, lines: bool = True) -> Legend:
    """Of names that are neither cells nor backends nor models: looks in their order."""
    looks: Mapping[str, Look] = {name: place_look(place) for place, name in enumerate(dict.fromkeys(names))}
    return Legend(field, looks, title, lines, points=False)


def neutral_legend(field: str, names: Iterable[str], lines: bool = False) -> Legend:
    """Of what a dash (`lines`) or else a shape tells apart, whatever its colour."""
    looks = {
        name: Look(NEUTRAL, place % len(SHAPES), place % len(DASHES)) for place, name in enumerate(names)
    }
    return Legend(field, looks, field, lines, points=not lines)
