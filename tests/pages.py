"""Reads the pages of a report as a browser would, and says what is in them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

VOID = {"meta", "link", "img", "br", "input", "hr"}
TAGS = {
    "html", "head", "meta", "title", "link", "script", "body", "a", "header", "p", "nav", "ul", "li",
    "details", "summary", "main", "h1", "h2", "h3", "section", "article", "div", "table", "caption",
    "thead", "tbody", "tr", "th", "td", "span", "figure", "figcaption", "noscript", "img", "dl", "dt",
    "dd", "pre", "code", "strong", "footer", "svg", "text", "path", "polyline", "polygon", "image",
}  # fmt: skip
"""Every element that a renderer writes; another one came out of data."""


@dataclass
class Seen:
    """One page."""

    path: Path
    tags: set[str] = field(default_factory=set)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    """(element, attribute, value)."""
    data: list[Any] = field(default_factory=list)
    """What its JSON holds."""
    text: str = ""
    headings: list[tuple[int, str]] = field(default_factory=list)
    unclosed: list[str] = field(default_factory=list)

    def values(self, *names: str) -> list[str]:
        return [value for _, name, value in self.attributes if name in names]

    def links(self) -> list[Path]:
        """Files that the page leads to or takes in."""
        found = []
        for address in self.values("href", "src"):
            parts = urlsplit(address)
            assert parts.scheme in ("", "data"), address
            assert not parts.netloc, address
            if parts.path and not parts.scheme:
                found.append((self.path.parent / unquote(parts.path)).resolve())
        return found


def see(path: Path) -> Seen:
    """Parse a page; JSON in it must be JSON."""
    reader = _Reader(Seen(path))
    reader.feed(path.read_text(encoding="utf-8"))
    reader.close()
    reader.seen.unclosed = reader.open
    return reader.seen


class _Reader(HTMLParser):
    def __init__(self, seen: Seen) -> None:
        super().__init__(convert_charrefs=True)
        self.seen = seen
        self.open: list[str] = []
        self._json = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.tags.add(tag)
        self.seen.attributes += [(tag, name, value or "") for name, value in attrs]
        given = dict(attrs)
        self._json = tag == "script" and given.get("type") == "application/json"
        if tag == "script" and not self._json:
            assert given.get("src", "").endswith("assets/site.js")  # type: ignore[union-attr]
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("h1", "h2", "h3"):
            self.seen.headings.append((int(tag[1]), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.tags.add(tag)
        self.seen.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"{self.seen.path}: </{tag}> closes nothing"
        assert self.open[-1] == tag, f"{self.seen.path}: </{tag}> closes <{self.open[-1]}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            if self._json:
                self.seen.data.append(json.loads(data))
            else:
                assert not data.strip()
            return
        self.seen.text += data
        if self.open and self.open[-1] in ("h1", "h2", "h3"):
            level, text = self.seen.headings[-1]
            self.seen.headings[-1] = (level, text + data)
