"""Every picture of a page is in the repository, has a description, and the page says which command made it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fixtures.sources import ROOT, tracked_files

PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)")
MOST_BYTES = 150_000
PAGES = [
    path
    for path in tracked_files()
    if path.suffix == ".md" and PICTURE.search(path.read_text(encoding="utf-8"))
]


def makers() -> dict[Path, str]:
    """The command that makes the pictures of a folder, by the script that lies in it or above it."""
    found = [path for path in tracked_files() if path.name == "make.py"]
    return {path.parent: f"python {path.relative_to(ROOT).as_posix()}" for path in found}


def maker(picture: Path) -> str:
    """The beginning of the command that made a picture."""
    known = makers()
    return next(known[folder] for folder in picture.resolve().parents if folder in known)


def test_there_are_pictures() -> None:
    assert ROOT / "README.md" in PAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_pictures_are_described_and_the_page_names_what_made_them(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for description, target in PICTURE.findall(text):
        picture = page.parent / target
        assert picture.is_file(), target
        assert len(description.split()) >= 3, f"{target}: say what is to be seen"
        assert picture.stat().st_size <= MOST_BYTES
        assert f"`{maker(picture)}" in text, f"{target}: name the command that made it"
