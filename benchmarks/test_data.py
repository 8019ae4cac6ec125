"""A large ragged data set: loading, bucketing, and the memory that an epoch takes."""

from __future__ import annotations

import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.conftest import Set
from benchmarks.tasks import task_of
from benchsuite.contracts import Ragged, Split
from benchsuite.measure.batching import Batcher, batcher
from benchsuite.measure.provenance import dataset_digest

SEQUENCES, LONGEST, MEAN, FEATURES = 100_000, 120, 40, 8
ROWS = 128


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Values (N, 8) float32 and starts, lengths (100000,) int64 of 1 to 120 steps, 40 on average."""
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.geometric(1 / MEAN, SEQUENCES), 1, LONGEST)
    folder = tmp_path_factory.mktemp("ragged")
    np.save(folder / "values.npy", rng.standard_normal((int(lengths.sum()), FEATURES), np.float32))
    np.save(folder / "starts.npy", np.concatenate([[0], np.cumsum(lengths)[:-1]]))
    np.save(folder / "lengths.npy", lengths)
    np.save(folder / "labels.npy", rng.integers(0, 10, SEQUENCES).astype(np.int32))
    return folder


def load(folder: Path) -> Split:
    arrays = [np.load(folder / f"{name}.npy") for name in ("values", "starts", "lengths", "labels")]
    return Split(Ragged(*arrays[:3]), arrays[3])


def prepare(folder: Path) -> tuple[Split, Batcher]:
    """What a worker does with data before the first batch: read, check, digest, bucket, shuffle, sort."""
    split = load(folder)
    dataset_digest(task_of(split, split.select(np.arange(1))))
    cut = batcher(split, [], ROWS, "float32")
    cut.drawn(split, seed=0, epoch=0)
    return split, cut


def test_loading_and_bucketing(goal: Set, benchmark: BenchmarkFixture, folder: Path) -> None:
    split, _ = benchmark.pedantic(prepare, args=(folder,), rounds=5, warmup_rounds=1)
    begin = time.process_time()
    prepare(folder)
    cpu = time.process_time() - begin
    assert len(split) == SEQUENCES
    goal(
        "data: loading and bucketing 100,000 ragged sequences",
        benchmark.stats.stats.median,
        at_most=2.0,
        unit="s",
        note=f"wall; CPU {cpu:.2f} s; {split.inputs.values.nbytes >> 20} MiB with their digest",
    )


def test_an_epoch_copies_nothing_but_its_batches(
    goal: Set, benchmark: BenchmarkFixture, folder: Path
) -> None:
    split = load(folder)
    cut = batcher(split, [], ROWS, "float32")

    def epoch(number: int) -> int:
        return sum(batch.size for batch in cut.epoch(split, 0, number))

    rows = benchmark.pedantic(epoch, args=(0,), rounds=3, warmup_rounds=1)
    assert rows == SEQUENCES // ROWS * ROWS
    tracemalloc.start()
    try:
        order = cut.drawn(split, seed=0, epoch=1)
        _, sorting = tracemalloc.get_traced_memory()
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        batch = None
        for rows in order:
            batch = cut.batch(split, rows)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert batch is not None
    largest = ROWS * cut.boundaries[-1] * FEATURES * split.inputs.values.itemsize
    goal(
        "data: memory while batches are made, in batches",
        (peak - before) / largest,
        at_most=2.1,
        note="one in use, one being made, lengths and labels; "
        f"the data are {split.inputs.values.nbytes / largest:.0f}, "
        f"their order {sorting / SEQUENCES:.0f} bytes a sequence; "
        f"an epoch of batches takes {benchmark.stats.stats.median:.2f} s",
    )
