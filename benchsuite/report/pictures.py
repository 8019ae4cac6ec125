"""Charts as SVG and PNG files, drawn by another process."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

from benchsuite.contracts.report import Chart
from benchsuite.report.looks import LIGHT
from benchsuite.report.text import presentable

PICTURE_WIDTH = 720
"""Width in pixels of what a page draws as wide as its container."""
SCALE = 2.0
"""Pixels of the PNG by pixel of the SVG."""
PICTURE_SECONDS = 60.0
"""Time that a chart may take."""
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
    "legend": {
        "orient": "top",
        "titleOrient": "left",
        "titleFontWeight": 500,
        "columnPadding": 14,
        "layout": {"top": {"direction": "vertical", "anchor": "start", "margin": 3}},
    },
    "range": {
        "category": list(LIGHT),
    },
}
"""As the page's script and style sheet have it in the light theme."""


class Pictures:
    """Draws charts one after the other while this process goes on; a context, at whose end the process ends.

    problems  chart's title -> why there is no picture of it
    """

    def __init__(self, output: Path) -> None:
        self._output = output
        self._thread = ThreadPoolExecutor(1, "pictures")
        self._process: subprocess.Popen[str] | None = None
        self.problems: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown(cancel_futures=True)
        self._end()

    def draw(self, chart: Chart, address: str) -> Future[Mapping[str, str]]:
        """`address`.svg and .png under the output folder: promises their addresses by kind, none where the
        chart cannot be drawn."""
        return self._thread.submit(self._draw, chart, address)

    def _draw(self, chart: Chart, address: str) -> Mapping[str, str]:
        found = {"SVG": f"{address}.svg", "PNG": f"{address}.png"}
        paths = [self._output / name for name in found.values()]
        paths[0].parent.mkdir(parents=True, exist_ok=True)
        request = {"spec": static(chart.spec), "config": CONFIG, "scale": SCALE}
        problem = self._ask({**request, "svg": str(paths[0]), "png": str(paths[1])})
        if problem:
            self.problems[chart.title] = problem
            for path in paths:
                path.unlink(missing_ok=True)
            return {}
        return found

    def _ask(self, request: Mapping[str, Any]) -> str:
        """Hand a chart to the process, a new one where the last one died; returns what went wrong, or ""."""
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "benchsuite.report.chart_process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
            )
        pipe = self._process
        assert pipe.stdin is not None
        assert pipe.stdout is not None
        try:
            pipe.stdin.write(json.dumps(request) + "\n")
            pipe.stdin.flush()
            answer = pipe.stdout.readline()
        except OSError:
            answer = ""
        if not answer:
            self._end()
            return "the drawing library gave up on it"
        return str(json.loads(answer)["problem"])

    def _end(self) -> None:
        if self._process is None:
            return
        with contextlib.suppress(OSError), self._process as process:
            process.terminate()
        self._process = None


def static(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The specification for a picture: where a page gives the width, PICTURE_WIDTH does."""
    made: dict[str, Any] = presentable(dict(spec))
    if made.get("width") == "container":
        made["width"] = PICTURE_WIDTH
    return made
