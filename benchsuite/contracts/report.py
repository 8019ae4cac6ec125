"""What a report is made of: sections of blocks. They are values; every renderer shows them in its own way.

No text in a block is ever read as HTML, Markdown, LaTeX, a formula or a path: renderers escape all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from benchsuite.schema import Exhibit

Value = str | int | float | bool | None
"""What a cell holds; None is a cell without a value."""

Form = Literal[
    "text", "number", "integer", "seconds", "bytes", "rate", "share", "scientific", "mixed", "date"
]
"""How values of a column are formatted: seconds and bytes in a unit that suits them, shares (0 to 1) as per
cent, POSIX times as dates. Numbers of a column share their decimals; rates and mixed numbers, such as metrics
of several tasks, have digits of their own."""

Mark = Literal["", "best", "tied", "unsure", "bad", "dim", "inside"]
"""How a value is marked: the best of its column, not distinguishable from the best, not steady, bad, of
little weight; or the name of a part of what the row above it names."""


@dataclass(frozen=True)
class Link:
    """Text that leads to another page of the report, named by key: `backends`, `trial:0123456789abcdef`. Where
    there is no such page, the text alone is shown."""

    text: str
    page: str


Words = str | tuple[str | Link, ...]
"""Plain text, perhaps with links in it."""


@dataclass(frozen=True)
class Paragraph:
    """Text. A `note` is an aside, a `warning` something that a reader must not miss."""

    text: Words
    tone: Literal["plain", "note", "warning"] = "plain"


@dataclass(frozen=True)
class Bullets:
    """A list of short texts."""

    items: tuple[Words, ...]


@dataclass(frozen=True)
class TableCell:
    """A value with more information than its column has.

    text   what is shown in place of the value, which still sorts and is exported
    page   key of the page that it leads to, as in Link
    half   half the width of the value's 95 % interval, shown behind it
    title  an explanation, shown when pointed at; of an absent value the reason
    """

    value: Value
    text: str = ""
    page: str = ""
    mark: Mark = ""
    half: float | None = None
    title: str = ""


@dataclass(frozen=True)
class Column:
    """One column.

    help    what its values are: one sentence, shown when asked for
    filter  a long table offers a list of its values to choose from
    group   columns of one group share a unit and decimals: parts of one sum, for example
    """

    name: str
    form: Form = "text"
    help: str = ""
    filter: bool = False
    group: str = ""


@dataclass(frozen=True)
class Table:
    """A table; `title` says what its rows are. Each row holds as many cells as there are columns."""

    title: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Value | TableCell]]
    note: str = ""


@dataclass(frozen=True)
class LegendEntry:
    """One entry of a chart's legend, which the site shows as a switch that hides and shows its rows.

    field   of the chart's rows; name  the field's value
    colour  place of the colour in the palette of the report, 0 to 7
    shape   of points, by Vega's name; dash  lengths of strokes and gaps of lines, none where there are no lines
    label   what is shown in place of the name
    """

    field: str
    name: str
    colour: int
    shape: str = ""
    dash: tuple[int, ...] = ()
    label: str = ""


@dataclass(frozen=True)
class Chart:
    """A Vega-Lite chart.

    spec    the specification (version 5 or 6), its data within
    alt     what the chart shows, in words, for those who do not see it
    table   its numbers, where no table of the page has them
    legend  what the site shows in place of the legends that the specification has of the same fields
    """

    title: str
    spec: Mapping[str, Any]
    alt: str
    note: str = ""
    table: Table | None = None
    legend: tuple[LegendEntry, ...] = ()


@dataclass(frozen=True)
class Line:
    """A line of Curves: y by x, points that are not finite left out; `low` and `high` bound a band."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] | None = None
    high: Sequence[float] | None = None


@dataclass(frozen=True)
class Upright:
    """A vertical line through a chart at `x`, and what happened there."""

    x: float
    text: str


@dataclass(frozen=True)
class LineChart:
    """A small plain chart that costs next to nothing, for pages of which there are many."""

    title: str
    lines: tuple[Line, ...]
    x: str
    y: str
    log: bool = False
    """Whether y is drawn by its logarithm; values that have none are left out."""
    dates: bool = False
    """Whether x are POSIX times, to be shown as days."""
    uprights: tuple[Upright, ...] = ()


@dataclass(frozen=True)
class Fact:
    """A name, its value, and what it means."""

    name: str
    value: Value | TableCell
    form: Form = "text"
    help: str = ""


@dataclass(frozen=True)
class Facts:
    """Names and values."""

    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class Command:
    """What a reader can type: shown as it is, to be copied."""

    text: str


@dataclass(frozen=True)
class Equations:
    """Equations, each a line of LaTeX. The site alone has them."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Display:
    """An exhibit of a trial: a text with its alignment, a forecast, a confusion matrix, a picture, a
    curve."""

    exhibit: Exhibit


@dataclass(frozen=True)
class Card:
    """One answer: what was asked (`title`), the answer, its figure, and what supports or limits it."""

    title: str
    page: str
    answer: Words
    figure: str = ""
    lines: tuple[Paragraph, ...] = ()


@dataclass(frozen=True)
class Cards:
    """Answers side by side."""

    cards: tuple[Card, ...]


@dataclass(frozen=True)
class Grid:
    """Blocks side by side where there is room; `wide` ones need more of it."""

    blocks: tuple[Block, ...]
    wide: bool = False


@dataclass(frozen=True)
class Details:
    """Blocks that are folded until asked for."""

    summary: str
    blocks: tuple[Block, ...]


Block = (
    Paragraph | Bullets | Table | Chart | LineChart | Facts | Command | Equations | Display | Cards | Grid
    | Details
)  # fmt: skip

PAGES = ("overview", "backends", "gradients", "parity", "methods", "more")
"""Pages that a plugin's section may join; `more` is for what belongs on none of the others."""


@dataclass(frozen=True)
class PageSection:
    """A titled part of a page. A plugin's section joins the page it names, after what is there."""

    title: str
    blocks: tuple[Block, ...]
    page: str = "more"
