"""The journal of a study: one record a line, appended and synced; a torn last line never costs another."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from benchsuite.schema import Record

TORN = ".torn"
"""Ending of the file, beside the journal, that keeps what a crash left of a line."""


@dataclass(frozen=True)
class Damage:
    """A line of the journal that is not a record: where it stands (from 1) and what can be seen of it."""

    line: int
    text: str


class Journal:
    """records.jsonl. Lines end with a newline, so a line without one was torn by a crash."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> tuple[list[Record], list[Damage]]:
        """Every record, oldest first, and every line that is none. A missing journal is an empty one."""
        records: list[Record] = []
        damage: list[Damage] = []
        for number, line in enumerate(self._lines(), start=1):
            try:
                records.append(Record.model_validate_json(line))
            except ValidationError:
                damage.append(Damage(number, line[:80].decode(errors="replace")))
        return records, damage

    def append(self, record: Record) -> None:
        """Write a record's line and wait until it is on the disk. Call recover() once before the first."""
        line = record.model_dump_json().encode() + b"\n"
        with self.path.open("ab", buffering=0) as file:
            start = file.tell()
            try:
                written = 0
                while written < len(line):
                    written += file.write(line[written:])
                os.fsync(file.fileno())
            except BaseException:
                # a full disk must not leave half a line before the next one
                file.truncate(start)
                raise

    def recover(self) -> Damage | None:
        """Make the journal end with a whole line, and say what did not belong to one.

        A last line that lacks only its newline is a whole record and is kept. Anything else goes to the file
        `records.jsonl.torn`.
        """
        if not self.path.exists():
            return None
        with self.path.open("r+b", buffering=0) as file:
            content = file.read()
            whole = content.rfind(b"\n") + 1
            torn = content[whole:]
            if not torn:
                return None
            if _is_record(torn):
                file.write(b"\n")
                os.fsync(file.fileno())
                return None
            with self.path.with_name(self.path.name + TORN).open("ab") as aside:
                aside.write(torn + b"\n")
                aside.flush()
                os.fsync(aside.fileno())
            file.truncate(whole)
            os.fsync(file.fileno())
        return Damage(content.count(b"\n") + 1, torn[:80].decode(errors="replace"))

    def _lines(self) -> Iterator[bytes]:
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return
        lines = content.split(b"\n")
        last = lines.pop()
        yield from lines
        if last:
            yield last


def _is_record(line: bytes) -> bool:
    try:
        Record.model_validate_json(line)
    except ValidationError:
        return False
    return True
