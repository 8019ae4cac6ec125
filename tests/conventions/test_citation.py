"""CITATION.cff says how to cite, in the Citation File Format, version 1.2."""

from __future__ import annotations

from typing import Any

import pytest
from fixtures.sources import ROOT, project

REQUIRED = {"cff-version", "message", "title", "authors"}
KNOWN = REQUIRED | {
    "abstract", "commit", "contact", "date-released", "doi", "identifiers", "keywords", "license",
    "license-url", "preferred-citation", "references", "repository", "repository-artifact",
    "repository-code", "type", "url", "version",
}  # fmt: skip
"""Keys of the schema; it allows no others."""
AUTHOR = {"name", "family-names", "given-names", "alias", "affiliation", "orcid", "email", "website"}


@pytest.fixture(scope="module")
def citation() -> dict[str, Any]:
    yaml = pytest.importorskip("yaml")
    read: dict[str, Any] = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    return read


def test_it_keeps_to_the_schema(citation: dict[str, Any]) -> None:
    assert set(citation) >= REQUIRED
    assert set(citation) <= KNOWN
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] in ("software", "dataset")
    assert all(isinstance(word, str) for word in citation["keywords"])
    assert len(set(citation["keywords"])) == len(citation["keywords"])
    for author in citation["authors"]:
        assert set(author) <= AUTHOR
        assert {"name", "family-names", "given-names"} & set(author)


def test_it_agrees_with_the_package(citation: dict[str, Any]) -> None:
    package = project()["project"]
    assert package["name"] in citation["title"]
    assert citation["license"] == package["license"]
