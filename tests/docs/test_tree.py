"""Every page of docs/ is in the site's tree, once."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from fixtures.sources import ROOT, tracked_files

DOCS = ROOT / "docs"
TOCTREE = re.compile(r"^```\{toctree\}\n(.*?)^```", re.MULTILINE | re.DOTALL)


def entries(page: Path) -> list[Path]:
    """The pages that the trees of a page name, patterns filled in."""
    found = []
    for tree in TOCTREE.findall(page.read_text(encoding="utf-8")):
        lines = [line.strip() for line in tree.splitlines()]
        for name in (line for line in lines if line and not line.startswith(":")):
            pattern = f"{name}.md"
            matches = sorted(page.parent.glob(pattern)) if ":glob:" in lines else [page.parent / pattern]
            assert matches, f"{page.name}: no page {name}"
            found += [match.resolve() for match in matches]
    return found


def test_every_page_is_in_the_tree_once() -> None:
    pages = {path for path in tracked_files() if path.suffix == ".md" and DOCS in path.parents}
    named = Counter(entry for page in pages for entry in entries(page))
    assert not [path for path in named if not path.is_file()]
    assert set(named) == {path.resolve() for path in pages} - {DOCS / "index.md"}
    assert max(named.values()) == 1
