"""Curves of a trial as one Parquet file: columns name, axis, x, y; a row is a point."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from benchsuite.spec import Series

PARTIAL = ".partial"
"""Ending of a file that is being written."""


def write_series(path: Path, series: Sequence[Series]) -> None:
    """Replace `path` at once, when all of it is on the disk."""
    import pyarrow
    import pyarrow.parquet

    lengths = [len(one.x) for one in series]
    table = pyarrow.table(
        {
            "name": pyarrow.array(
                [one.name for one, n in zip(series, lengths, strict=True) for _ in range(n)], pyarrow.string()
            ),
            "axis": pyarrow.array(
                [one.axis for one, n in zip(series, lengths, strict=True) for _ in range(n)], pyarrow.string()
            ),
            "x": pyarrow.array([value for one in series for value in one.x], pyarrow.float64()),
            "y": pyarrow.array([value for one in series for value in one.y], pyarrow.float64()),
        }
    )
    partial = path.with_name(path.name + PARTIAL)
    with partial.open("wb") as file:
        pyarrow.parquet.write_table(table, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def read_series(path: Path) -> list[Series]:
    """The curves in a file that write_series wrote; curves without a point leave no trace in it."""
    import pyarrow.parquet

    columns = pyarrow.parquet.read_table(path).to_pydict()
    rows = zip(columns["name"], columns["axis"], columns["x"], columns["y"], strict=True)
    found = []
    for (name, axis), points in groupby(rows, key=lambda row: (row[0], row[1])):
        taken = list(points)
        x, y = [row[2] for row in taken], [row[3] for row in taken]
        found.append(Series(name=name, axis=axis, x=x, y=y))
    return found
