"""The hashes of a bundle's files, as its description has them."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

CHUNK = 2**20


def described_hashes(archive: zipfile.ZipFile, metadata: str) -> dict[str, str]:
    """File -> SHA-256, of the files whose description has one."""
    graph = json.loads(archive.read(metadata)).get("@graph", [])
    return {
        unquote(str(one.get("@id", ""))): str(one["sha256"])
        for one in graph
        if isinstance(one, dict) and one.get("@type") == "File" and "sha256" in one
    }


def hash_faults(path: Path, metadata: str, study: str) -> tuple[list[str], bool]:
    """A sentence per file of the bundle whose content is not what its description says; and whether it says it
    of any: bundles of earlier versions have no hashes."""
    with zipfile.ZipFile(path) as archive:
        known = described_hashes(archive, metadata)
        return list(_differing(archive, known, f"{study}/")), bool(known)


def _differing(archive: zipfile.ZipFile, known: dict[str, str], study: str) -> Iterator[str]:
    if not known:
        return
    for name in archive.namelist():
        if name.endswith("/") or not (name in known or name.startswith(study)):
            continue
        if name not in known:
            yield f"{name} has no hash in the bundle's description"
            continue
        digest = hashlib.sha256()
        with archive.open(name) as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
        if digest.hexdigest() != known[name]:
            yield f"{name} is not the file that was bundled: its hash differs"
