"""File names that are safe wherever a site may lie, made of texts that may hold anything."""

from __future__ import annotations

import hashlib
import re
import unicodedata

LONGEST_SLUG = 48


def slug(text: str) -> str:
    """Lower-case letters a-z, digits and hyphens. What had to be changed beyond its case and its spaces is told
    apart by a hash: two texts never share a slug by accident."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    made = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    faithful = re.fullmatch(r"[a-z0-9]+(?:[ _/.=:,-]+[a-z0-9]+)*", text.lower())
    if faithful and 0 < len(made) <= LONGEST_SLUG:
        return made
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{made[:LONGEST_SLUG].strip('-')}-{digest}".lstrip("-")


class UniqueSlugs:
    """Gives out slugs, each of them once: what is asked for again gets a number."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, text: str) -> str:
        base = slug(text)
        name, count = base, 1
        while name in self._taken:
            count += 1
            name = f"{base}-{count}"
        self._taken.add(name)
        return name
