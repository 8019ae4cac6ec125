"""Charts of the report in a notebook or a script: those of some studies by name, each of them as SVG."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchsuite.contracts.report import Chart
from benchsuite.contracts.study import StudyReader
from benchsuite.errors import RequestError
from benchsuite.report.content import make_site
from benchsuite.report.data import collect
from benchsuite.report.pictures import Pictures
from benchsuite.report.site import charts


@dataclass(frozen=True)
class SvgImage:
    """A drawn chart, which a notebook shows.

    title, alt  the chart's title, and what it shows in words
    text        the SVG document
    """

    title: str
    alt: str
    text: str

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """What Jupyter shows."""
        return {"image/svg+xml": self.text, "text/plain": f"{self.title}. {self.alt}"}

    def save(self, path: str | Path) -> Path:
        """Write the SVG; returns the path."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.text, encoding="utf-8")
        return path


def study_charts(*studies: StudyReader) -> dict[str, Chart]:
    """Every chart of the report of `studies`, by page and title: `Gradients: Before training`,
    `adding / generated: Training loss by step`; what a page has twice is followed by (2). Charts of pages of
    trials are not among them.

    Raises RequestError for no study, StoreError for a study that cannot be read.
    """
    if not studies:
        raise RequestError("charts need at least one study")
    found: dict[str, Chart] = {}
    for page in make_site(collect(studies)).pages:
        for one in charts(block for section in page.sections for block in section.blocks):
            name, count = f"{page.name or page.title}: {one.title}", 1
            while name in found:
                count += 1
                name = f"{page.name or page.title}: {one.title} ({count})"
            found[name] = one
    return found


def svg(chart: Chart, width: int | None = None) -> SvgImage:
    """Draw a chart on white ground, in a process of its own.

    :param width: in pixels, of what is drawn between the axes, where the chart leaves it to its place.

    Raises RequestError where the library that draws does not like the chart.
    """
    spec = dict(chart.spec)
    if width is not None and spec.get("width") == "container":
        spec["width"] = width
    spec.setdefault("title", {"text": chart.title, "anchor": "start", "fontSize": 13, "fontWeight": 500})
    with TemporaryDirectory() as folder, Pictures(Path(folder)) as pictures:
        drawn = pictures.draw(replace(chart, spec=spec), "chart").result()
        if not drawn:
            raise RequestError(f"there is no picture of the chart: {pictures.problems[chart.title]}")
        return SvgImage(chart.title, chart.alt, (Path(folder) / drawn["SVG"]).read_text(encoding="utf-8"))
