"""Races in a study's folder: `races/<UTC time>.json` has the results, `.parquet` beside it the samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from benchsuite.errors import StoreError
from benchsuite.running.races.rotation import Turn
from benchsuite.running.store import RACES, atomic_write
from benchsuite.schema.race import RACE_FORMAT, RaceResults
from benchsuite.schema.texts import described

SAMPLE_COLUMNS = ("race", "racer", "round", "place", "wall", "cpu", "idle")
"""Of the samples: number of the race in the JSON, and what Turn and RaceSample hold; times in seconds."""


Parsed = TypeVar("Parsed", RaceResults, list[RaceResults])
SEVERAL = TypeAdapter(list[RaceResults])


class RaceFile:
    """Writes the results of one command, again after every race: what has been measured is never lost."""

    def __init__(self, folder: Path, started: float) -> None:
        """`folder` is the study's."""
        name = datetime.fromtimestamp(started, UTC).strftime("%Y%m%dT%H%M%SZ")
        self.path = folder / RACES / f"{name}.json"
        again = 1
        while self.path.exists():
            again += 1
            self.path = folder / RACES / f"{name}-{again}.json"

    def write(self, results: RaceResults, turns: Sequence[Sequence[Turn]]) -> None:
        """Replace both files, the samples first: the JSON is never without them. Raises StoreError.

        :param turns: those of each race in `results`.
        """
        try:
            self.path.parent.mkdir(exist_ok=True)
            _write_samples(self.path.with_suffix(".parquet"), turns)
            with atomic_write(self.path) as file:
                file.write(results.model_dump_json(indent=1).encode())
        except OSError as error:
            raise StoreError(f"a race cannot be stored in {self.path.parent}: {error}") from error


def read_races(folder: Path) -> list[RaceResults]:
    """The races in a study's folder, oldest first. Raises StoreError for a file that is none."""
    paths = sorted((folder / RACES).glob("*.json"))
    return [_checked(RaceResults.model_validate_json, path.read_bytes(), path) for path in paths]


def races_to_json(races: Sequence[RaceResults]) -> bytes:
    """Several races as one JSON text, which races_from() reads."""
    return SEVERAL.dump_json(list(races), indent=1)


def races_from(text: bytes, path: Path) -> list[RaceResults]:
    """The races that races_to_json() wrote. Raises StoreError, which names `path`, for a text that is none."""
    return _checked(SEVERAL.validate_json, text, path)


def _checked(parse: Callable[[bytes], Parsed], text: bytes, path: Path) -> Parsed:
    try:
        found = parse(text)
    except Exception as error:  # besides ValidationError, numbers that no float can hold raise others
        raise StoreError(f"{path} cannot be read: {described(error)}") from error
    if any(one.format > RACE_FORMAT for one in (found if isinstance(found, list) else [found])):
        raise StoreError(f"{path} was written by a newer benchsuite; update this one")
    return found


def _write_samples(path: Path, turns: Sequence[Sequence[Turn]]) -> None:
    import pyarrow
    import pyarrow.parquet

    rows = [
        (race, turn.racer, turn.round, turn.place, turn.sample.wall, turn.sample.cpu, turn.sample.idle)
        for race, own in enumerate(turns)
        for turn in own
    ]
    kinds = (pyarrow.int32(), pyarrow.string(), pyarrow.int32(), pyarrow.int32(), *[pyarrow.float64()] * 3)
    arrays = [pyarrow.array([row[place] for row in rows], kind) for place, kind in enumerate(kinds)]
    with atomic_write(path) as file:
        pyarrow.parquet.write_table(pyarrow.Table.from_arrays(arrays, names=list(SAMPLE_COLUMNS)), file)
