"""CITATION.cff: how benchsuite is cited."""

from __future__ import annotations

from pathlib import Path


def citation_file() -> Path | None:
    """CITATION.cff beside the package, in a checkout or a wheel."""
    here = Path(__file__).resolve().parents[1]
    return next(
        (path for path in (here / "CITATION.cff", here.parent / "CITATION.cff") if path.exists()), None
    )
