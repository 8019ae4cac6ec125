"""DataFile: one data file, pinned so that everybody trains on the same bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from benchsuite.errors import PluginError

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class DataFile:
    """What identifies one file.

    name     its name in the cache folder, unique among all tasks
    url      where it comes from, pinned to a commit or a tag; empty for data without an address: those that
             each user must ask for, or make, and put into the cache folder by hand
    sha256   64 hexadecimal digits of the file's content
    bytes    its size
    licence  the licence its publisher states, or that none is stated; without a url also where to get the file

    Raises PluginError for a field that is none of this.
    """

    name: str
    url: str
    sha256: str
    bytes: int
    licence: str

    def __post_init__(self) -> None:
        def check(field: str, kept: bool, allowed: str) -> None:
            if not kept:
                given = getattr(self, field)
                raise PluginError(f"data file {self.name!r}: {field} is {given!r}, must be {allowed}")

        check(
            "name", isinstance(self.name, str) and bool(_NAME.fullmatch(self.name)), "a file's name, no path"
        )
        known = isinstance(self.url, str) and self.url.startswith(("https://", "http://"))
        check("url", known or self.url == "", "an address that begins with https:// or http://, or empty")
        is_hash = isinstance(self.sha256, str) and bool(_SHA256.fullmatch(self.sha256))
        check("sha256", is_hash, "64 hexadecimal digits in lower case")
        check("bytes", type(self.bytes) is int and self.bytes >= 0, "a whole number of bytes")
        check("licence", isinstance(self.licence, str) and bool(self.licence.strip()), "a text, not empty")
