"""Curves of a trial as one Parquet file: columns name, axis, x, y; a row is a point."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchsuite.running.store.atomic import atomic_write
from benchsuite.schema import Series

if TYPE_CHECKING:
    import pyarrow


MOST_READ_POINTS = 50_000_000
"""A file that says it holds more is refused: a few kilobytes of equal points would fill the memory."""


def write_series(path: Path, series: Sequence[Series]) -> None:
    """Replace `path` at once, when all of it is on the disk."""
    import pyarrow
    import pyarrow.parquet

    lengths = [len(one.x) for one in series]
    x = np.array([value for one in series for value in one.x], np.float64)
    y = np.array([value for one in series for value in one.y], np.float64)
    table = pyarrow.Table.from_arrays(
        [
            _repeated([one.name for one in series], lengths),
            _repeated([one.axis for one in series], lengths),
            pyarrow.Array.from_buffers(pyarrow.float64(), len(x), [None, pyarrow.py_buffer(x)]),
            pyarrow.Array.from_buffers(pyarrow.float64(), len(y), [None, pyarrow.py_buffer(y)]),
        ],
        names=["name", "axis", "x", "y"],
    )
    with atomic_write(path) as file:
        # half the size of Parquet's defaults: bytes of equal weight of all numbers side by side are alike
        pyarrow.parquet.write_table(
            table,
            file,
            compression="zstd",
            use_dictionary=["name", "axis"],
            column_encoding={"x": "BYTE_STREAM_SPLIT", "y": "BYTE_STREAM_SPLIT"},
        )


def _repeated(words: Sequence[str], times: Sequence[int]) -> pyarrow.StringArray:
    """Each word `times` times. From buffers, because pyarrow.array imports pandas to look at its argument."""
    import pyarrow

    encoded = [word.encode() for word, n in zip(words, times, strict=True) for _ in range(n)]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    data = pyarrow.py_buffer(b"".join(encoded))
    return pyarrow.StringArray.from_buffers(len(encoded), pyarrow.py_buffer(offsets), data)


def read_series(path: Path) -> list[Series]:
    """The curves in a file that write_series wrote; curves without a point leave no trace in it.

    Raises ValueError for more than MOST_READ_POINTS, and whatever pyarrow raises for a damaged file.
    """
    import pyarrow.parquet

    # neither threads nor the dataset reader: for a file of kilobytes they cost several times the reading
    with pyarrow.parquet.ParquetFile(path) as file:
        if file.metadata.num_rows > MOST_READ_POINTS:
            raise ValueError(
                f"it holds {file.metadata.num_rows:,} points; at most {MOST_READ_POINTS:,} are read"
            )
        table = file.read(use_threads=False).combine_chunks()
    if not len(table):
        return []
    x, y = (table[name].to_numpy() for name in ("x", "y"))
    starts, names, axes = _runs(table["name"].chunk(0), table["axis"].chunk(0))
    ends = [*starts[1:], len(x)]
    return [
        Series(name=name, axis=axis, x=x[start:end].tolist(), y=y[start:end].tolist())
        for name, axis, start, end in zip(names, axes, starts, ends, strict=True)
    ]


def _runs(names: pyarrow.Array, axes: pyarrow.Array) -> tuple[list[int], list[str], list[Any]]:
    """Where each curve begins, its name and its axis, without making a Python text of every row."""
    starts = {0}
    for column in (names, axes):
        codes = column.dictionary_encode().indices.to_numpy(zero_copy_only=False)
        starts |= set((np.flatnonzero(np.diff(codes)) + 1).tolist())
    ordered = sorted(starts)
    return ordered, names.take(ordered).to_pylist(), axes.take(ordered).to_pylist()
