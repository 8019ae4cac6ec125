"""What a study keeps beside its journal and curves: exhibits by trial, artifacts by hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from benchsuite.running.store.atomic import atomic_write
from benchsuite.schema import Exhibit


def write_exhibits(path: Path, exhibits: Sequence[Exhibit]) -> None:
    """Replace `path` at once, when all of it is on the disk."""
    _replace(path, json.dumps([one.model_dump() for one in exhibits], ensure_ascii=False))


def read_exhibits(path: Path) -> list[Exhibit]:
    """What write_exhibits() wrote. Raises ValueError for anything else."""
    return [Exhibit.model_validate(one) for one in json.loads(path.read_text(encoding="utf-8"))]


def keep_artifact(folder: Path, text: str) -> None:
    """Write a text under the SHA-256 of its UTF-8 bytes, unless it is there."""
    path = folder / hashlib.sha256(text.encode()).hexdigest()
    if not path.exists():
        _replace(path, text)


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    with atomic_write(path) as file:
        file.write(text.encode())
