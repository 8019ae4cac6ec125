"""The JAX plugin's card, what the backend refuses and why, and what a program says of itself."""

from __future__ import annotations

import gc
import os
import subprocess
import sys

import numpy as np
import pytest

os.environ.setdefault("JAX_PLATFORMS", "cpu")
jax = pytest.importorskip("jax")

from benchsuite.contracts import Batch  # noqa: E402
from benchsuite.errors import ContractError, UnsupportedError  # noqa: E402
from benchsuite.measure.conformance.cases import model_cases  # noqa: E402
from benchsuite.measure.initialisation import initial_parameters  # noqa: E402
from benchsuite.schema import Dense, Execution, Features, ModelSpec, Recipe, Recurrent, Trial  # noqa: E402
from benchsuite_jax import environment  # noqa: E402
from benchsuite_jax.backend import JaxBackend  # noqa: E402

MODEL = ModelSpec(Features(3), Recurrent("rnn", 4), Dense(2), "cross_entropy")


def trial(architecture: str = "plain", cell: str = "lstm", carry: bool = False, **execution: str) -> Trial:
    return Trial(
        task="t",
        source="s",
        cell=cell,
        architecture=architecture,
        backend="jax",
        execution=Execution.model_validate(execution),
        recipe=Recipe(carry=carry),
    )


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


@pytest.mark.parametrize(
    "architecture",
    ["plain", "deep", "bidirectional", "deep_bidirectional", "cnn", "encoder_decoder", "attention"],
)
def test_every_architecture_is_supported(architecture: str) -> None:
    assert JaxBackend().supports(trial(architecture)) is None


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (trial(cell="mgu"), "has no cell 'mgu'; it has rnn, lstm, gru"),
        (trial("transformer"), "has no architecture 'transformer'"),
        (trial("bidirectional", carry=True), "needs a forward stack"),
        (trial(device="tpu"), "unknown device 'tpu'"),
        (trial(device="gpu:63"), "no device 'gpu:63' here"),
        (trial(precision="tf32"), "TF32 products exist on NVIDIA GPUs only"),
        (trial(unroll="fused"), "cuDNN's LSTM, which needs a GPU"),
        (trial(cell="gru", unroll="fused"), "'gru' has none"),
    ],
)
def test_what_cannot_run_is_refused_with_its_reason(given: Trial, reason: str) -> None:
    assert reason in str(JaxBackend().supports(given))


def test_build_refuses_what_supports_refuses() -> None:
    lstm = ModelSpec(Features(3), Recurrent("lstm", 4), Dense(2), "cross_entropy")
    weights = initial_parameters(lstm, 0, "float32")
    with pytest.raises(UnsupportedError, match="needs a GPU"):
        JaxBackend().build(lstm, weights, Recipe(), Execution(unroll="fused"))


def test_wrong_arguments_are_named() -> None:
    weights = initial_parameters(MODEL, 0, "float32")
    fewer = {name: value for name, value in weights.items() if not name.endswith("Wh")}
    with pytest.raises(ContractError, match=r"rnn.l0.fwd.Wh is missing"):
        JaxBackend().build(MODEL, fewer, Recipe(), Execution())
    program = JaxBackend().build(MODEL, weights, Recipe(), Execution())
    with pytest.raises(ContractError, match=r"what place\(\) returned, not ndarray"):
        program.step(np.zeros(3))
    cnn = next(case for case in model_cases() if case.name == "cnn")
    built = JaxBackend().build(cnn.model, cnn.parameters("float32"), Recipe(), Execution())
    with pytest.raises(ContractError, match="pictures of 8 x 8"):
        built.place(Batch(np.zeros((2, 5, 8), np.float32), np.full(2, 5, np.int32), np.zeros(2, np.int32)))


def test_a_stream_may_not_change_its_rows() -> None:
    weights = initial_parameters(MODEL, 0, "float32")
    program = JaxBackend().build(MODEL, weights, Recipe(carry=True), Execution())

    def rows(count: int, fresh: bool) -> Batch:
        inputs = np.ones((count, 2, 3), np.float32)
        return Batch(inputs, np.full(count, 2, np.int32), np.zeros(count, np.int32), fresh)

    program.step(program.place(rows(3, True)))
    with pytest.raises(ContractError, match="2 rows continues a stream of 3 rows"):
        program.step(program.place(rows(2, False)))


def test_a_program_copies_what_it_is_given_and_counts_its_compilations() -> None:
    weights = initial_parameters(MODEL, 0, "float32")
    program = JaxBackend().build(MODEL, weights, Recipe(), Execution())
    assert program.kernel() == "none"
    inputs = np.ones((1, 1, 3), np.float32)
    placed = program.place(Batch(inputs, np.ones(1, np.int32), np.zeros(1, np.int32)))
    before = program.predict(placed)
    inputs += 1
    for value in weights.values():
        value += 1
    np.testing.assert_array_equal(program.predict(placed), before)
    assert program.notes()["compilations"] == "1"
    assert program.memory()["device_temporary"] >= 0


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
