"""A site is whole, valid and inert, whatever its records hold."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from fixtures import synthetic
from fixtures.hostile import EVIL, evil_record, store
from fixtures.pages import TAGS, Seen, see

from benchsuite.report import write_report
from benchsuite.running.study import StoredStudy


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a study and of one with an evil name, merged."""
    folder = tmp_path_factory.mktemp("evil")
    first = store(folder / "first", [evil_record(at) for at in range(len(EVIL))])
    second = store(folder / "second", [evil_record(0), evil_record(1)], "</title><script>alert(2)</script>")
    write_report([first, second], folder / "site", ["html"])
    assert {path.name for path in folder.iterdir()} == {"first", "second", "site"}
    return folder / "site"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a study as runs leave them."""
    folder = tmp_path_factory.mktemp("site")
    study = StoredStudy.load(synthetic.study(folder / "study", 200, 2, 3))
    write_report([study], folder / "site", ["html"])
    return folder / "site"


def pages(site: Path) -> list[Seen]:
    return [see(path) for path in sorted(site.rglob("*.html"))]


@pytest.mark.parametrize("which", ["evil", "site"])
def test_pages_hold_no_element_and_no_attribute_that_a_renderer_did_not_write(
    which: str, request: pytest.FixtureRequest
) -> None:
    found = pages(request.getfixturevalue(which))
    assert len(found) > 10
    for page in found:
        assert page.tags <= TAGS, page.path
        assert not page.unclosed
        names = {name for _, name, _ in page.attributes}
        assert not {name for name in names if name.startswith("on") or name in ("style", "srcdoc", "action")}


@pytest.mark.parametrize("which", ["evil", "site"])
def test_every_link_leads_to_a_file_of_the_site_and_every_file_is_where_it_belongs(
    which: str, request: pytest.FixtureRequest
) -> None:
    folder = request.getfixturevalue(which)
    files = {path.resolve() for path in folder.rglob("*") if path.is_file()}
    for page in pages(folder):
        assert set(page.links()) <= files, page.path
    for path in files:
        assert all(part.replace("-", "").replace(".", "").isalnum() and part.isascii() and len(part) < 150
                   for part in path.relative_to(folder.resolve()).parts)  # fmt: skip


@pytest.mark.parametrize("which", ["evil", "site"])
def test_pages_are_made_for_readers_of_all_kinds(which: str, request: pytest.FixtureRequest) -> None:
    for page in pages(request.getfixturevalue(which)):
        assert [level for level, _ in page.headings].count(1) == 1
        assert page.headings[0][0] == 1
        ids = page.values("id")
        assert len(ids) == len(set(ids)), page.path
        assert ("html", "lang", "en") in page.attributes
        assert all(value.strip() for _, name, value in page.attributes if name in ("alt", "aria-label"))
        anchors = {value[1:] for value in page.values("href") if value.startswith("#")}
        assert anchors <= set(ids)


def test_a_site_asks_the_network_for_nothing(site: Path) -> None:
    for page in pages(site):
        policy = next(v for tag, name, v in page.attributes if tag == "meta" and "default-src" in v)
        assert policy.startswith(
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:"
        )
    for path in (site / "assets").glob("site.*"):
        text = path.read_text("utf-8")
        assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
        assert "https://" not in text
        assert not {"fetch(", "XMLHttpRequest", "import(", "innerHTML", "eval("} & set(text.split())
        assert "innerHTML" not in text


def test_hostile_texts_are_shown_as_they_are(evil: Path) -> None:
    text = " ".join(page.text for page in pages(evil))
    for shown in (
        "<script>alert(1)</script>",
        "../../../../etc/passwd",
        "{{ 7 * 7 }}",
        "😀 日本語",
        "x" * 1000,
    ):
        assert shown in text
    assert "49" not in see(evil / "methods.html").text.replace("1849", "")
    assert "\x00" not in text
    assert "\x1b" not in text


def test_no_cell_of_a_table_is_a_formula(evil: Path) -> None:
    files = sorted((evil / "tables").glob("*.csv"))
    assert files
    for path in files:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        assert len({len(row) for row in rows}) == 1, path
        for cell in (cell for row in rows for cell in row):
            assert not cell.startswith(("=", "+", "@", "\t", "\r")), path
            if cell.startswith("-"):
                float(cell)


def test_a_table_of_hundreds_of_rows_holds_them_as_data(site: Path) -> None:
    page = see(site / "trials.html")
    (data,) = [one for one in page.data if "rows" in one]
    assert len(data["rows"]) == 200
    assert all(len(row) == len(data["columns"]) for row in data["rows"])
    addresses = {row[0][2] for row in data["rows"]}
    assert all((site / address).is_file() for address in addresses)
    assert len(addresses) == 200


def test_charts_have_their_specification_their_pictures_and_their_numbers(site: Path) -> None:
    page = see(site / "index.html")
    specs: list[Any] = [one for one in page.data if "$schema" in one]
    assert len(specs) >= 4
    assert "NaN" not in json.dumps(specs)
    for kind in ("svg", "png"):
        assert len(list((site / "charts").glob(f"*.{kind}"))) == len(list((site / "charts").iterdir())) // 2
    assert (site / "charts" / "overview-average-rank-over-tasks-with-the-critical-diff.svg").exists() or list(
        (site / "charts").glob("overview-average-rank*.svg")
    )
    assert b"<svg" in next((site / "charts").glob("*.svg")).read_bytes()
    assert next((site / "charts").glob("*.png")).read_bytes().startswith(b"\x89PNG")


def test_a_failed_trial_says_what_went_wrong_and_a_good_one_how_to_make_it_again(site: Path) -> None:
    texts = [see(path).text for path in (site / "trials").iterdir()]
    failed = [text for text in texts if "ValueError: shapes (3,) and (4,) do not fit" in text]
    assert failed
    assert all("What went wrong" in text for text in failed)
    assert all("benchsuite reproduce study " in text for text in texts)
