"""Charts as SVG and PNG files, by vl-convert."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchsuite.contracts import Chart
from benchsuite.report.html.embedding import finite

WIDTH = 720
"""Width in pixels of what a page draws as wide as its container."""
SCALE = 2.0
"""Pixels of the PNG by pixel of the SVG."""
CONFIG: dict[str, Any] = {
    "background": "white",
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {
        "gridColor": "#dcdfdc",
        "domainColor": "#dcdfdc",
        "tickColor": "#dcdfdc",
        "titleFontWeight": 500,
    },
    "legend": {"orient": "top", "titleOrient": "left", "titleFontWeight": 500, "columnPadding": 14},
    "range": {
        "category": ["#0b6bb5", "#c2540a", "#0a8a5f", "#b04a8c", "#a87d00", "#3a9ad0", "#7a5230", "#6b6f73"]
    },
}
"""As the page's script and style sheet have it in the light theme."""


class Pictures:
    """Writes pictures of charts; what cannot be drawn is left out and named in `problems`."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def write(self, chart: Chart, output: Path, address: str) -> Mapping[str, str]:
        """Write `address`.svg and .png under `output`; gives their addresses by kind."""
        import vl_convert

        spec = static(chart.spec)
        try:
            svg: str = vl_convert.vegalite_to_svg(spec, config=CONFIG, allowed_base_urls=[])
            png: bytes = vl_convert.svg_to_png(svg, scale=SCALE)
        except ValueError as error:
            self.problems.append(f"{chart.title}: {str(error).splitlines()[0]}")
            return {}
        found = {"SVG": f"{address}.svg", "PNG": f"{address}.png"}
        path = output / found["SVG"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(svg, encoding="utf-8")
        (output / found["PNG"]).write_bytes(png)
        return found


def static(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The specification for a picture: where a page gives the width, WIDTH does."""
    made: dict[str, Any] = finite(dict(spec))
    if made.get("width") == "container":
        made["width"] = WIDTH
    return made
