"""Kernels compared with the bound of their matrix products and with what users would write, in interleaved
rounds.

`KERNELS=table` (the default) races the seven shapes that the goals were set with and the padded one;
`KERNELS=all` every shape and cell. Every goal is a ratio of CPU times within one race.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import numpy as np
import pytest

from benchmarks import conftest
from benchmarks.conftest import Set
from benchmarks.race import Entry, race
from benchmarks.shapes import FULL, RAGGED, SHAPES, Shape

NUMPY = "numpy:suite-dynamic"
TABLE = [
    "lstm-rows-B128-H128",
    "lstm-text-B128-H256",
    "lstm-text-B32-H128",
    "gru-rows-B128-H128",
    "gru-text-B32-H128",
    "rnn-rows-B32-H128",
    "lstm-long-B32-H128",
]
EVERYTHING = os.environ.get("KERNELS", "table") == "all"
RACED = FULL if EVERYTHING else [SHAPES[name] for name in TABLE]
PADDED = RAGGED if EVERYTHING else [SHAPES["lstm-padded-B128-H128"]]
ROUNDS = int(os.environ.get(conftest.ROUNDS, "7"))
LEFT_OUT = os.environ.get(conftest.WITHOUT, "").split(",")

COMPILED = "compile"
"""What --without calls torch.compile: a user's loop and the suite's unroll `compiled`, which is not in `best`:
it compiles for seconds."""
SUITES = {
    "numpy": ["suite-dynamic"],
    "torch": ["suite-best", *(["suite-compiled"] if COMPILED not in LEFT_OUT else [])],
    "tensorflow": ["suite-dynamic", "suite-static"],
    "jax": ["suite-dynamic"],
}
PEERS = {
    "numpy": ["stacked"],
    "torch": ["nn", "packed", "loop", COMPILED],
    "tensorflow": ["keras", "keras-unrolled", "keras-jit"],
    "jax": ["scan", "scan-hoisted", "scan-unroll4", "scan-unroll8", "flax"],
}


CLOSE = (0.92, 1.04)
"""Ratios that one process of each cannot tell from the bound: such two race again, in several."""
FINALISTS = 3
"""Processes of each."""


@cache
def medians(shape: Shape, names: tuple[str, ...], what: str, allocator: str) -> dict[str, float]:
    """CPU seconds per call of those that could take part."""
    found = race([Entry(name, shape, allocator) for name in names], what, ROUNDS)
    return {entry.name: seconds for entry, seconds in found.items()}


def final(*contestants: tuple[str, Shape]) -> list[float]:
    """CPU seconds per step of each: median over several fresh processes."""
    entries = {one: [Entry(*one, number=number) for number in range(FINALISTS)] for one in contestants}
    found = race([each[number] for number in range(FINALISTS) for each in entries.values()], rounds=ROUNDS)
    return [float(np.median([found[entry] for entry in each])) for each in entries.values()]


def geometric_mean(ratios: list[float]) -> float:
    return float(np.exp(np.mean(np.log(ratios))))


def note(found: dict[str, float]) -> str:
    return ", ".join(f"{name} {1e3 * seconds:.3g} ms" for name, seconds in found.items())


@pytest.mark.parametrize("shape", RACED, ids=lambda shape: shape.name)
def test_numpy_is_near_the_bound(shape: Shape, goal: Set, benchmark: Any) -> None:
    names = (NUMPY, "bound", "torch:nn")
    found = benchmark.pedantic(medians, (shape, names, "step", "tuned"), rounds=1)
    benchmark.extra_info.update(found)
    share = found["bound"] / found[NUMPY]
    goal(f"NumPy, share of the bound: {shape.name}", share, at_least=0.45, note=note(found))


def test_numpy_in_geometric_mean(goal: Set) -> None:
    names = (NUMPY, "bound", "torch:nn")
    tuned = [medians(shape, names, "step", "tuned") for shape in RACED]
    goal(
        "NumPy, share of the bound: geometric mean",
        geometric_mean([found["bound"] / found[NUMPY] for found in tuned]),
        at_least=0.60,
    )
    goal(
        "NumPy over torch.nn, tuned allocator: geometric mean",
        geometric_mean([found["torch:nn"] / found[NUMPY] for found in tuned]),
        at_least=1.0,
    )
    default = [medians(shape, (NUMPY, "torch:nn"), "step", "default") for shape in RACED]
    goal(
        "NumPy over torch.nn, default allocator: geometric mean",
        geometric_mean([found["torch:nn"] / found[NUMPY] for found in default]),
        at_least=1.3,
    )


@pytest.mark.parametrize("shape", RACED, ids=lambda shape: shape.name)
def test_numpy_inference_is_near_torchs(shape: Shape, goal: Set, benchmark: Any) -> None:
    found = benchmark.pedantic(medians, (shape, (NUMPY, "torch:nn"), "predict", "tuned"), rounds=1)
    goal(
        f"NumPy inference over torch.nn's: {shape.name}",
        found[NUMPY] / found["torch:nn"],
        at_most=1.35,
        note=note(found),
    )


@pytest.mark.parametrize(
    ("way", "asked", "others"),
    [
        ("batched", 3.0, ("batched-float32", "batched-kept", "stacked")),
        ("per-sample", 20.0, ("per-sample-float32",)),
    ],
)
def test_numpy_as_public_packages_write_it(
    way: str, asked: float, others: tuple[str, ...], goal: Set, benchmark: Any
) -> None:
    """In float64, as they do. The note has the same code in float32, and what else a user might write."""
    shape = SHAPES["lstm-rows-B128-H128"]
    names = (NUMPY, *(f"numpy:{name}" for name in (way, *others)))
    found = benchmark.pedantic(medians, (shape, names, "step", "tuned"), rounds=1)
    reached = found[f"numpy:{way}"] / found[NUMPY]
    goal(f"NumPy over {way} NumPy, its float64", reached, at_least=asked, note=note(found))


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_padding_is_no_work(cell: str, goal: Set, benchmark: Any) -> None:
    """PyTorch's loop drops ended rows, too, but pays for each of 2.5 times as many steps: shown beside."""
    contestants = [
        (name, SHAPES[f"{cell}-{kind}-B128-H128"])
        for name in (NUMPY, "torch:suite-dynamic")
        for kind in ("padded", "level")
    ]
    padded, level, other_padded, other_level = benchmark.pedantic(final, contestants, rounds=1)
    goal(
        f"NumPy, padded over as many real steps: {cell}",
        padded / level,
        at_most=1.25,
        note=f"{1e3 * padded:.3g} and {1e3 * level:.3g} ms; PyTorch's loop {other_padded / other_level:.2f}",
    )


@pytest.mark.parametrize("shape", [*RACED, *PADDED], ids=lambda shape: shape.name)
@pytest.mark.parametrize("framework", SUITES)
def test_no_idiomatic_way_is_faster(framework: str, shape: Shape, goal: Set, benchmark: Any) -> None:
    ways = [*SUITES[framework], *(way for way in PEERS[framework] if way not in LEFT_OUT)]
    names = tuple(f"{framework}:{way}" for way in ways)
    found = benchmark.pedantic(medians, (shape, names, "step", "tuned"), rounds=1)
    benchmark.extra_info.update(found)
    ours, best = (
        min((name for name in found if (":suite-" in name) == suite), key=found.__getitem__)
        for suite in (True, False)
    )
    ratio, more = found[best] / found[ours], ""
    if CLOSE[0] < ratio < CLOSE[1]:
        one, other = final((ours, shape), (best, shape))
        ratio = other / one
        more = f"; in {FINALISTS} processes each: {one * 1e3:.3g} and {other * 1e3:.3g} ms"
    goal(
        f"{framework} over its best idiomatic way: {shape.name}",
        ratio,
        at_least=0.98,
        note=note(found) + more,
    )
