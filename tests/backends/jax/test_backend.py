"""The JAX plugin's entry, what the backend refuses and why, and what a program reports of itself."""

from __future__ import annotations

import gc
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")

from benchsuite.contracts import Batch  # noqa: E402
from benchsuite.contracts.shared_compilations import REUSED_NOTE  # noqa: E402
from benchsuite.errors import UnsupportedError  # noqa: E402
from benchsuite.measure.conformance.cases import model_cases  # noqa: E402
from benchsuite.measure.initialisation import initial_parameters  # noqa: E402
from benchsuite.schema import (  # noqa: E402
    ARCHITECTURES,
    BUILTIN_CELLS,
    Dense,
    Execution,
    Features,
    ModelSpec,
    Recipe,
    Recurrent,
    Trial,
    planned_model,
)
from benchsuite_jax import environment  # noqa: E402
from benchsuite_jax.backend import JaxBackend  # noqa: E402
from benchsuite_jax.support import SUPPORTED  # noqa: E402

MODEL = ModelSpec(Features(3), Recurrent("rnn", 4), Dense(2), "cross_entropy")
LSTM = Recurrent("lstm", 4)


def supports(body: Recurrent = LSTM, carry: bool = False, **execution: str) -> str | None:
    model = replace(MODEL, body=body)
    given = Execution.model_construct(**execution)  # type: ignore[arg-type]
    return JaxBackend().supports(model, Recipe(carry=carry), given)


def test_the_plugin_module_imports_no_jax() -> None:
    script = "import sys, benchsuite_jax; sys.exit('jax' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_environment_keeps_the_users_flags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_hlo_as_text")
    found = environment(Execution(device="gpu", deterministic=True, threads=2))
    flags = found["XLA_FLAGS"].split()
    assert flags[0] == "--xla_dump_hlo_as_text"
    assert "--xla_gpu_deterministic_ops=true" in flags
    assert found["NPROC"] == "2"
    assert found["XLA_PYTHON_CLIENT_PREALLOCATE"] == "false"
    assert "JAX_PLATFORMS" not in found
    assert environment(Execution())["JAX_PLATFORMS"] == "cpu"


@pytest.mark.parametrize("unroll", ["static", "dynamic"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("cell", BUILTIN_CELLS)
def test_every_planned_model_is_supported(architecture: str, cell: str, unroll: str) -> None:
    trial = Trial(task="t", source="s", cell=cell, architecture=architecture, backend="jax")
    execution = Execution.model_validate({"unroll": unroll})
    assert JaxBackend().supports(planned_model(trial), Recipe(), execution) is None


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"device": "tpu"}, "the jax backend has no device 'tpu'; it has cpu, gpu"),
        ({"device": "gpu:63"}, "no device 'gpu:63' here"),
        (
            {"unroll": "fused"},
            "no device 'cpu' (jax's only fused recurrent kernel is cuDNN's LSTM); it has gpu",
        ),
        ({"unroll": "fused", "body": Recurrent("gru", 4)}, "it has gpu; use unroll dynamic"),
        (
            {"unroll": "autograd"},
            "has no unroll 'autograd' (jax has no cells of its own); it has static, dynamic",
        ),
    ],
)
def test_what_cannot_run_is_refused_with_its_reason(given: dict[str, Any], reason: str) -> None:
    assert reason in str(supports(**given))


@pytest.mark.parametrize(
    ("recipe", "execution", "reason"),
    [
        ({}, {}, None),
        ({"carry": True, "input_dropout": 0.1}, {"device": "gpu:1", "precision": "tf32"}, None),
        ({}, {"precision": "float64"}, "no precision 'float64' (jax's cuDNN LSTM is float32 only)"),
        ({"truncation": 3}, {}, "no truncated BPTT (recipe.truncation 3) (cuDNN differentiates the whole"),
        ({"recurrent_dropout": 0.1}, {}, "(cuDNN masks no hidden states; or use unroll dynamic)"),
    ],
)
def test_what_the_fused_kernel_runs_on_a_gpu(
    recipe: dict[str, Any], execution: dict[str, Any], reason: str | None
) -> None:
    asked = Execution.model_validate({"unroll": "fused", "device": "gpu", **execution})
    lstm = replace(MODEL, body=Recurrent("lstm", 4, 2, True), readout="steps")
    said = SUPPORTED.declines(lstm, Recipe.model_validate(recipe), asked)
    assert said is None if reason is None else reason in str(said)


def test_double_precision_needs_its_environment() -> None:
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", False)
    weights = initial_parameters(MODEL, 0, "float64")
    with pytest.raises(UnsupportedError, match="JAX_ENABLE_X64=1"):
        JaxBackend().build(MODEL, weights, Recipe(), Execution(precision="float64"))
    jax.config.update("jax_enable_x64", before)


def test_a_program_copies_what_it_is_given_and_counts_its_compilations() -> None:
    weights = initial_parameters(MODEL, 0, "float32")
    program = JaxBackend().build(MODEL, weights, Recipe(), Execution())
    assert program.kernel() == "none"
    inputs = np.ones((1, 1, 3), np.float32)
    placed = program.place(Batch(inputs, np.ones(1, np.int32), np.zeros(1, np.int32)))
    before, _ = program.predict(placed)
    inputs += 1
    for value in weights.values():
        value += 1
    np.testing.assert_array_equal(program.predict(placed)[0], before)
    assert program.notes()["compilations"] == "1"
    assert program.memory()["device_temporary"] >= 0


def test_programs_that_are_built_alike_compile_once() -> None:
    backend, weights = JaxBackend(), initial_parameters(MODEL, 0, "float32")
    batch = Batch(np.ones((2, 3, 3), np.float32), np.full(2, 3, np.int32), np.zeros(2, np.int32))

    def compiled(recipe: Recipe) -> tuple[tuple[str, str], np.ndarray]:
        program = backend.build(MODEL, weights, recipe, Execution())
        placed = program.place(batch)
        program.step(placed)
        assert program.kernel() == "scan"
        notes = program.notes()
        return (notes["compilations"], notes[REUSED_NOTE]), program.predict(placed)[0]

    (first, expected), (second, found) = compiled(Recipe()), compiled(Recipe())
    assert (first, second) == (("1", "0"), ("0", "1"))
    np.testing.assert_array_equal(found, expected)
    assert compiled(Recipe(learning_rate=0.5))[0] == ("1", "0")
    backend.release()
    assert compiled(Recipe())[0] == ("1", "0")


def test_devices_versions_and_product() -> None:
    backend = JaxBackend()
    assert backend.devices()[0].name == "cpu"
    assert {"jax", "jaxlib", "platform"} <= set(backend.versions())
    backend.product(3, 4, 5, Execution())()


def test_release_gives_back_what_jax_keeps_of_a_trial() -> None:
    """jax's own caches outlive a program: a warm worker would grow with every trial."""
    backend = JaxBackend()
    client = jax.devices("cpu")[0].client
    backend.release()
    gc.collect()
    before = len(client.live_executables())
    case = next(case for case in model_cases() if case.name == "gru-plain")
    program = backend.build(case.model, case.parameters("float32"), case.recipe, Execution())
    program.step(program.place(case.batch("float32")))
    assert len(client.live_executables()) > before
    del program
    gc.collect()
    backend.release()
    assert len(client.live_executables()) == before
