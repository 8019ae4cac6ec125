"""What a cell that is written once costs beside a kernel written for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from benchmarks.conftest import Set
from benchmarks.generic_cells import CELLS, SHAPES
from benchmarks.processes import cost, python
from benchsuite.plugins import registry
from benchsuite.running.executors.variables import worker_variables
from benchsuite.schema import Execution

ROUNDS = 9


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_generic_cells_are_near_the_kernels(
    goal: Set, installed: Mapping[str, str], backend: str, cell: str
) -> None:
    names = [name for name in SHAPES if name.startswith(f"{cell}-")]
    command = python("-m", "benchmarks.generic_cells", backend, "dynamic", str(ROUNDS), *names)
    variables = {**installed, **worker_variables(registry().backend(backend), Execution())}
    found: dict[str, Any] = json.loads(cost(command, variables, 1).output.splitlines()[-1])
    ratios = {name: np.median(np.divide(each["generic"], each["kernel"])) for name, each in found.items()}
    start = max(each["start"][1] for each in found.values())
    goal(
        f"{backend}: {cell} by its own step over the kernel, the worst shape",
        max(ratios.values()),
        at_most=1.5,
        note=", ".join(f"{name.partition('-')[2]} {ratio:.2f}" for name, ratio in ratios.items())
        + f"; started in {start:.1f} s",
    )
