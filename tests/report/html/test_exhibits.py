"""Exhibits as HTML: whatever their tables look like, and nothing of them is read as HTML."""

from __future__ import annotations

import base64
import re
import zlib

import numpy as np
import pytest
from fixtures.synthetic import exhibits
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.report.html.exhibits import exhibit_html
from benchsuite.report.html.raster import INK, PAPER, grey, heat
from benchsuite.schema import Exhibit


def pixels(address: str) -> np.ndarray:
    """The picture in a data: address, decoded by the PNG standard's book: (height, width, 3)."""
    data = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = (int.from_bytes(data[16 + 4 * at : 20 + 4 * at]) for at in range(2))
    start = data.index(b"IDAT") + 4
    size = int.from_bytes(data[start - 8 : start - 4])
    lines = np.frombuffer(zlib.decompress(data[start : start + size]), np.uint8).reshape(
        height, 1 + 3 * width
    )
    assert not lines[:, 0].any()
    return lines[:, 1:].reshape(height, width, 3)


def test_a_heat_picture_runs_from_paper_to_ink() -> None:
    found = pixels(heat(np.array([[0.0, 1.0, 2.0], [-1.0, np.nan, 0.5]]), 0.0, 1.0))
    assert found.shape == (2, 3, 3)
    assert tuple(found[0, 0]) == PAPER == tuple(found[1, 0]) == tuple(found[1, 1])
    assert tuple(found[0, 1]) == INK == tuple(found[0, 2])


def test_a_grey_picture_runs_from_black_to_white() -> None:
    assert pixels(grey(np.array([[0.0, 0.5, 1.0, 7.0]])))[0, :, 0].tolist() == [0, 128, 255, 255]


@pytest.mark.parametrize("exhibit", exhibits(), ids=lambda one: one.kind)
def test_each_kind_is_shown(exhibit: Exhibit) -> None:
    html = exhibit_html(exhibit)
    assert exhibit.name in html
    assert html.count("<figure") == html.count("</figure>") == 1
    wanted = {
        "text": "Attention of each",
        "forecast": "polyline",
        "confusion": "<table",
        "picture": "<img",
        "curve": "polyline",
    }
    assert wanted[exhibit.kind] in html


def test_the_page_script_takes_only_drawings_for_curves() -> None:
    """It adds a cursor to whatever has the class `curve`."""
    curve = next(one for one in exhibits() if one.kind == "curve")
    assert re.findall(r'<(\w+) class="curve[ "]', exhibit_html(curve)) == ["svg"]
    assert not re.findall(r'class="[^"]+ curve[ "]', exhibit_html(curve))


def test_a_large_confusion_is_a_picture() -> None:
    table = np.eye(40).tolist()
    html = exhibit_html(Exhibit(name="c", kind="confusion", tables={"counts": table}))
    (address,) = re.findall(r'src="([^"]*)"', html)
    assert pixels(address).shape == (40, 40, 3)


tables = st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=4), max_size=4)


@given(st.sampled_from(["text", "forecast", "confusion", "picture", "curve"]), st.text(), tables, tables)
def test_any_tables_and_texts_are_shown(
    kind: str, text: str, one: list[list[float]], two: list[list[float]]
) -> None:
    names = {"text": ["alignment"], "forecast": ["truth", "prediction", "input"], "confusion": ["counts"]}
    held = {name: [one, two][at % 2] for at, name in enumerate(names.get(kind, [text, "b"]))}
    lines = {
        "source": [text, "a"],
        "prediction": [text],
        "classes": [text],
        "x": [text],
        "y": [],
        "note": [text],
        text: [text],
    }
    exhibit = Exhibit.model_validate({"name": text, "kind": kind, "lines": lines, "tables": held})
    html = exhibit_html(exhibit)
    tags = set(re.findall(r"<(\w+)", html))
    assert tags <= {
        "figure", "figcaption", "dl", "div", "dt", "dd", "svg", "image", "text", "p", "span", "polyline",
        "path", "img", "ul", "li", "table", "caption", "thead", "tbody", "tr", "th", "td",
    }  # fmt: skip
