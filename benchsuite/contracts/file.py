"""DataFile: one downloadable file, pinned so that everybody trains on the same bytes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DataFile:
    """What identifies one file.

    name     its name in the cache folder, unique among all tasks
    url      where it comes from, pinned to a commit or a tag
    sha256   64 hexadecimal digits of the file's content
    bytes    its size
    licence  the licence its publisher states, or that none is stated
    """

    name: str
    url: str
    sha256: str
    bytes: int
    licence: str
