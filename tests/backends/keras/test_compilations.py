"""What a program tells of its compilations. Keras takes one framework per process: each has one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from benchsuite.schema import Execution
from benchsuite_keras import benchsuite_register_backends

ENTRIES = {entry.name: entry for entry in benchsuite_register_backends()}

SHAPES = """
import json, os, sys, time
from collections import Counter
from dataclasses import replace
from benchsuite.measure.conformance.cases import model_cases
from benchsuite.schema import Execution
from benchsuite_keras import benchsuite_register_backends

framework = os.environ["KERAS_BACKEND"]
backend = {entry.name: entry for entry in benchsuite_register_backends()}[f"keras_{framework}"].load()
told = Counter()
if framework == "jax":
    import jax
    jax.monitoring.register_event_duration_secs_listener(
        lambda event, _, fun_name="", **__: told.update([fun_name] if "backend_compile" in event else [])
    )
case = next(one for one in model_cases() if one.name == "rnn-plain")
program = backend.build(case.model, case.parameters("float32"), case.recipe, Execution())
program._network.jit_compile = program._network.jit_compile or "xla" in sys.argv
begin = time.perf_counter()
placed = [program.place(replace(case, time=steps).batch("float32")) for steps in (9, 5, 3)]
for one in placed:
    program.step(one)
    program.step(one)
    program.predict(one)
    program.predict(one)
program.gradients(placed[0])
program.gradients(placed[0])
taken = time.perf_counter() - begin
print(json.dumps({
    "made": Counter(one.function for one in program.compilations()),
    "shapes": [one.shape for one in program.compilations() if one.function == "step"],
    "share": sum(one.seconds for one in program.compilations()) / taken,
    "framework": {name: told[f"jit({name})"] + told[name] for name in ("train_step", "predict_step")},
    "notes": program.notes(),
}))
"""


def told(framework: str, *arguments: str) -> Any:
    """What a program says after two steps and two predictions of three lengths, and the gradients of one.

    :param arguments: `xla` for Keras on TensorFlow as it is where there is a GPU.
    """
    prepare = ENTRIES[f"keras_{framework}"].environment
    assert prepare is not None
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **prepare(Execution())}
    ended = subprocess.run(
        [sys.executable, "-c", SHAPES, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return json.loads(ended.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("framework", "arguments", "expected"),
    [
        ("jax", [], {"step": 3, "predict": 3, "gradients": 1}),
        # the second trace is of any length, and serves the third one too; XLA compiles it for each
        ("tensorflow", [], {"step": 2, "predict": 2, "gradients": 1}),
        ("tensorflow", ["xla"], {"step": 3, "predict": 3, "gradients": 1}),
        ("torch", [], {}),
    ],
)
def test_every_shape_that_was_compiled_is_told(
    framework: str, arguments: list[str], expected: dict[str, int]
) -> None:
    pytest.importorskip(framework)
    pytest.importorskip("keras")
    found = told(framework, *arguments)
    assert found["made"] == expected
    assert found["notes"]["compilations"] == str(sum(expected.values()))
    assert len(set(found["shapes"])) == len(found["shapes"])
    assert 0 <= found["share"] < 1
    if framework == "jax":
        assert found["framework"] == {"train_step": 3, "predict_step": 3}
