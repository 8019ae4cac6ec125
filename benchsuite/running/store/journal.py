"""The journal of a study: one record a line, appended and synced; a torn last line never costs another."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from benchsuite.contracts import Damage
from benchsuite.errors import StoreError
from benchsuite.running.store.atomic import atomic_write
from benchsuite.running.store.damage import find_others, read_damage
from benchsuite.schema import Record

MOST_DAMAGE = 1_000
"""Lines without a record that are told one by one; of more, the last one says how many there are."""

TORN = ".torn"
"""Ending of the file, beside the journal, that keeps what a crash left of a line."""


class Journal:
    """records.jsonl. Lines end with a newline, so a line without one was torn by a crash."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> tuple[list[Record], list[Damage]]:
        """Every record, oldest first, and every line that is none. A missing journal is an empty one."""
        records: dict[int, Record] = {}
        damage: list[Damage] = []
        surplus = 0
        for number, line in enumerate(self._lines(), start=1):
            if len(damage) >= MOST_DAMAGE and not line.startswith(b"{"):
                surplus += 1
                continue
            try:
                records[number] = Record.model_validate_json(line)
            except Exception as error:  # besides ValidationError, numbers that no float can hold raise others
                if len(damage) < MOST_DAMAGE:
                    damage.append(read_damage(number, line, error))
                else:
                    surplus += 1
        if surplus:
            last = damage.pop()
            damage.append(replace(last, problem=f"{last.problem}; {surplus:,} more lines are none"))
        return list(records.values()), find_others(damage, records)

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
                with contextlib.suppress(OSError):  # what went wrong first is what the user needs to know
                    file.truncate(start)
                raise

    def replace(self, records: Iterable[Record]) -> None:
        """Have these records and no others, at once, when all of them are on the disk."""
        with atomic_write(self.path) as file:
            for record in records:
                file.write(record.model_dump_json().encode() + b"\n")

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
            line = content.count(b"\n") + 1
            try:
                Record.model_validate_json(torn)
            except Exception as error:  # as in read()
                damage = read_damage(line, torn, error)
            else:
                file.write(b"\n")
                os.fsync(file.fileno())
                return None
            with self.path.with_name(self.path.name + TORN).open("ab") as aside:
                aside.write(torn + b"\n")
                aside.flush()
                os.fsync(aside.fileno())
            file.truncate(whole)
            os.fsync(file.fileno())
        return damage

    def _lines(self) -> Iterator[bytes]:
        try:
            with self.path.open("rb") as file:
                for line in file:
                    yield line.removesuffix(b"\n")
        except FileNotFoundError:
            return
        except OSError as error:
            raise StoreError(f"{self.path} cannot be read: {error}") from error
