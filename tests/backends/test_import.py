"""What a framework imports is paid by the import of its backend, and not by whatever trial runs first."""

from __future__ import annotations

import subprocess
import sys

import pytest

FEW = 20
"""Modules that a first program may still import: JAX and Keras have some; a compiler has hundreds."""

FIRST_STEP = """
import sys

import numpy as np

from benchsuite import load_backend
from benchsuite.contracts import Batch
from benchsuite.measure.initialisation import initial_parameters
from benchsuite.schema import Dense, Execution, Features, ModelSpec, Recipe, Recurrent

backend = load_backend(sys.argv[1])
model = ModelSpec(Features(2), Recurrent("lstm", 3, 1, False), Dense(2), "squared")
recipe, execution = Recipe(optimiser="adam"), Execution()
parameters = initial_parameters(model, 0, execution.dtype)
batch = Batch(np.ones((4, 5, 2), np.float32), np.full(4, 5, np.int32), np.ones((4, 2), np.float32))
imported = set(sys.modules)
program = backend.build(model, parameters, recipe, execution)
program.step(program.place(batch))
new = set(sys.modules) - imported
print(len(new), sorted({name.partition(".")[0] for name in new}))
"""


@pytest.mark.parametrize("backend", ["numpy", "torch", "tensorflow", "jax", "keras_torch"])
def test_a_first_step_imports_next_to_nothing(backend: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", FIRST_STEP, backend], capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, ran.stderr
    count, roots = ran.stdout.splitlines()[-1].split(" ", 1)
    assert int(count) <= FEW, f"{count} modules of {roots}"
