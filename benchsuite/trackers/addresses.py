"""Addresses of tracking stores: how they are shown, and which database file one means."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

SQLITE = "sqlite:///"
FILE, FILE_END = f"{SQLITE}file:", "?uri=true"
"""Around the quoted path of a database whose plain path would be taken for something else."""

_PASSWORD = re.compile(r"(?P<before>[a-zA-Z][\w+.-]*://[^/\s:@]*:)[^/\s@]*(?=@)")
_TOKEN = re.compile(r"(?P<before>[?&](?:password|passwd|pwd|token|secret|api_key)=)[^&\s]*", re.IGNORECASE)


def without_password(text: str) -> str:
    """An address, or a text that holds one, as it may be printed: passwords are `***`."""
    return _TOKEN.sub(r"\g<before>***", _PASSWORD.sub(r"\g<before>***", text))


def database_uri(path: Path) -> str:
    """The address of a SQLite database, such that the path is taken as it is."""
    text = str(path)
    if any(letter in text for letter in "%?#"):
        return f"{FILE}{quote(text)}{FILE_END}"
    return f"{SQLITE}{text}"


def database_path(uri: str) -> Path | None:
    """The file of a database: the inverse of database_uri(). None for any other address."""
    if uri.startswith(FILE):
        return (
            Path(unquote(uri.removeprefix(FILE).removesuffix(FILE_END))) if uri.endswith(FILE_END) else None
        )
    if uri.startswith(SQLITE) and "?" not in uri:
        return Path(uri.removeprefix(SQLITE))
    return None


def is_served(uri: str) -> bool:
    """Whether the address is a server's."""
    return urlsplit(uri).scheme in ("http", "https")
