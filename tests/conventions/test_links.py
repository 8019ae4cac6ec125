"""Links between pages: the file is there, and so is the heading."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fixtures.sources import ROOT, tracked_files

PAGES = [path for path in tracked_files() if path.suffix == ".md"]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")


def prose(text: str) -> str:
    """A page without its code, which may hold brackets of its own."""
    return re.sub(r"`[^`\n]*`", "``", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))


def anchors(text: str) -> set[str]:
    """The addresses that GitHub gives to the headings of a page."""
    found: dict[str, int] = {}
    unfenced = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for heading in re.findall(r"^#+ +(.+?) *#*$", unfenced, re.MULTILINE):
        title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        found[slug] = found.get(slug, -1) + 1
        if found[slug]:
            found[f"{slug}-{found[slug]}"] = 0
    return set(found) | set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text))


def broken(page: Path, text: str) -> list[str]:
    """Links of a page that lead nowhere; addresses of the web are not asked for."""
    found = []
    for link in LINK.findall(prose(text)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        reached = (target == ROOT or ROOT in target.parents) and target.exists()
        if not reached or (
            anchor and anchor not in anchors(text if target == page else target.read_text("utf-8"))
        ):
            found.append(link)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    assert not broken(page, page.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "link", ["docs/nothing.md", "#nothing", "docs/cli.md#nothing", "../README.md", "/README.md"]
)
def test_a_broken_link_is_found(link: str) -> None:
    assert broken(ROOT / "README.md", f"# Title\n\nSee [this]({link}).\n") == [link]


@pytest.mark.parametrize(
    "link", ["docs/cli.md", "docs/cli.md#run", "#a-title-of-it", "examples/", "https://example.org"]
)
def test_a_good_link_is_accepted(link: str) -> None:
    assert not broken(ROOT / "README.md", f"# A `title`: of it\n\nSee [this]({link}), `[x](y)`.\n")
