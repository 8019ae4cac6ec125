"""A matrix before it is checked: TOML text, the line of each setting in it, and where matrices are found."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from benchsuite.errors import MatrixError, RequestError, UnknownNameError

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\"'.\- ]+?)\s*=")


@dataclass(frozen=True)
class Matrix:
    """A matrix, read but not yet checked against what is installed.

    origin  what a message calls it: the file's path, `built-in matrix NAME`, or `frozen suite NAME@N`
    data    the parsed TOML
    text    the file's text, "" for a matrix made in Python
    """

    name: str
    data: Mapping[str, Any]
    origin: str = "matrix"
    text: str = field(default="", repr=False)

    @property
    def summary(self) -> str:
        summary = self.data.get("summary", "")
        return summary if isinstance(summary, str) else ""

    @cached_property
    def lines(self) -> dict[str, int]:
        """Dotted path -> line, counted from 1. The n-th `[[include]]` is `include #n`."""
        return _line_numbers(self.text)

    def place(self, path: str) -> str:
        """`path` with the line of the nearest setting or table around it, where one is known."""
        shorter = path
        while shorter:
            if shorter in self.lines:
                return f"{path} (line {self.lines[shorter]})"
            shorter = shorter.rpartition(".")[0]
        return path


def builtin_matrices() -> dict[str, Matrix]:
    """The matrices that ship with benchsuite, by name."""
    folder = resources.files("benchsuite.running") / "matrices"
    found = {}
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        name, _, ending = file.name.rpartition(".")
        if ending == "toml":
            found[name] = parse_matrix(file.read_text("utf-8"), name, f"built-in matrix {name}")
    return found


FROZEN = "frozen"
"""The folder of the frozen suites, in benchsuite.running.suites."""


def frozen_matrices() -> dict[str, Matrix]:
    """The matrices of the frozen suites, by the suite's name: `quick@1`."""
    folder = resources.files("benchsuite.running.suites") / FROZEN
    found = {}
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        name, _, ending = file.name.rpartition(".")
        if ending == "toml":
            found[name] = parse_matrix(file.read_text("utf-8"), name, frozen_origin(name))
    return found


def frozen_origin(name: str) -> str:
    """What a message calls the matrix of a frozen suite."""
    return f"frozen suite {name}"


def load_matrix(request: str | Path) -> Matrix:
    """The built-in matrix or the frozen suite of that name, or the matrix in that TOML file.

    Raises UnknownNameError, RequestError (unreadable file) or MatrixError (no TOML).
    """
    text = str(request)
    if not (text.endswith(".toml") or "/" in text or "\\" in text):
        known = builtin_matrices() | (frozen_matrices() if "@" in text else {})
        if text in known:
            return known[text]
        raise UnknownNameError("matrix", text, known, "Or give the path of a TOML file.")
    path = Path(request)
    try:
        content = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise RequestError(
            f"cannot read the matrix file {path}: {why}. Built-in matrices: {', '.join(builtin_matrices())}."
        ) from None
    return parse_matrix(content, name_of_file(path), str(path))


def name_of_file(path: Path) -> str:
    """What a matrix without a name is called: its file's name, as a word that can name a folder."""
    plain = unicodedata.normalize("NFKD", path.stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-._")[:100] or "matrix"


def read_toml(text: str) -> dict[str, Any]:
    """The tables of a TOML text. Raises ValueError for anything else, also for nesting and for numbers that
    Python's parser does not take."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def parse_matrix(text: str, name: str, origin: str) -> Matrix:
    """A matrix from TOML text; `name` is used where the text gives none. Raises MatrixError."""
    try:
        data = read_toml(text)
    except ValueError as error:
        message, _, where = str(error).rpartition(" (at ")
        raise MatrixError(origin, [(where.rstrip(")") or "TOML", message or str(error))]) from None
    given = data.get("name")
    return Matrix(given if isinstance(given, str) and given else name, data, origin, text)


def _line_numbers(text: str) -> dict[str, int]:
    found: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _plain(header[2])
            if header[1] == "[[":
                counts[table] = counts.get(table, 0) + 1
                table = f"{table} #{counts[table]}"
            else:
                first, dot, rest = table.partition(".")
                table = f"{first} #{counts[first]}{dot}{rest}" if first in counts else table
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault(f"{table}.{_plain(key[1])}".lstrip("."), number)
    return found


def _plain(key: str) -> str:
    return re.sub(r"\s*\.\s*", ".", re.sub(r"[\"']", "", key)).strip()
