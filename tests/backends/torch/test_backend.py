"""The PyTorch backend: what it registers, what it supports, what it says of the machine."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from fixtures.kit import SUPPORTED

from benchsuite.contracts import Batch
from benchsuite.errors import UnsupportedError
from benchsuite.measure.initialisation import initial_parameters
from benchsuite.schema import (
    Convolutional,
    Dense,
    Execution,
    Features,
    ModelSpec,
    Recipe,
    Recurrent,
)
from benchsuite_torch import benchsuite_register_backends, runtime, support
from benchsuite_torch.backend import TorchBackend

UNROLLS = sorted(SUPPORTED["torch"])
"""Those that run the built-in cells."""

HERE_IS_NO_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")


def model(cell: str = "lstm", bidirectional: bool = False) -> ModelSpec:
    return ModelSpec(Features(2), Recurrent(cell, 3, 1, bidirectional), Dense(2), "squared")


def test_entry_is_a_cheap_card() -> None:
    (entry,) = benchsuite_register_backends()
    assert (entry.name, entry.requirements, entry.extra) == ("torch", ("torch",), "torch")
    code = (
        "import sys; from benchsuite_torch import benchsuite_register_backends as r; r(); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_environment_follows_the_execution() -> None:
    (entry,) = benchsuite_register_backends()
    plain, strict = entry.environment(Execution(threads=3)), entry.environment(Execution(deterministic=True))
    assert "CUBLAS_WORKSPACE_CONFIG" not in plain
    assert strict["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


@pytest.mark.parametrize("unroll", UNROLLS)
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_supports(cell: str, precision: str, unroll: str) -> None:
    execution = Execution.model_validate({"unroll": unroll, "precision": precision})
    for recipe in (Recipe(), Recipe(carry=True), Recipe(truncation=3)):
        assert TorchBackend().supports(model(cell), recipe, execution) is None
    assert TorchBackend().supports(model(cell, bidirectional=True), Recipe(), execution) is None


def test_supports_pictures() -> None:
    pictures = ModelSpec(Features(4), Convolutional(4, 4), Dense(2), "squared")
    assert TorchBackend().supports(pictures, Recipe(), Execution()) is None


def test_an_unknown_device_is_a_reason() -> None:
    reason = TorchBackend().supports(model(), Recipe(), Execution(device="tpu"))
    assert reason == "the torch backend has no device 'tpu'; it has cpu, gpu"


@HERE_IS_NO_GPU
@pytest.mark.parametrize("device", ["gpu", "gpu:1"])
def test_absent_gpu_is_a_reason(device: str) -> None:
    backend, execution = TorchBackend(), Execution(device=device)
    reason = "no CUDA device: torch.cuda.is_available() is False"
    assert backend.supports(model(), Recipe(), execution) == reason
    with pytest.raises(UnsupportedError, match="no CUDA device"):
        backend.product(2, 2, 2, execution)


def test_ctc_on_a_gpu_is_not_reproducible() -> None:
    gpu = Execution(device="gpu", deterministic=True)
    ctc = ModelSpec(Features(2), Recurrent("gru", 3), Dense(4), "ctc", "steps")
    assert "no deterministic backward" in (support._kernel_problem(ctc, gpu) or "")
    assert support._kernel_problem(ctc, Execution(deterministic=True)) is None
    assert (
        support._kernel_problem(model(), Execution(device="gpu", unroll="dynamic", deterministic=True))
        is None
    )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"optimiser": "adagrad"}, "no optimiser 'adagrad'; it has sgd, momentum, rmsprop, adam"),
        ({"clip": "length"}, "no clipping 'length'; it has none, norm, value"),
    ],
)
def test_a_name_that_nobody_knows_is_an_error(fields: dict[str, str], reason: str) -> None:
    """Recipes are validated where they are made; the backend does not take a name for another one either."""
    recipe = Recipe.model_construct(**{**Recipe().model_dump(), **fields})
    with pytest.raises(UnsupportedError, match=reason):
        TorchBackend().build(model(), initial_parameters(model(), 0, "float32"), recipe, Execution())


@pytest.mark.parametrize(("name", "value"), [("loss", "mse"), ("readout", "final")])
def test_a_loss_or_readout_that_nobody_knows_is_an_error(name: str, value: str) -> None:
    spec = model()
    object.__setattr__(spec, name, value)  # values are validated where they are made
    program = TorchBackend().build(spec, initial_parameters(model(), 0, "float32"), Recipe(), Execution())
    batch = Batch(np.zeros((1, 2, 2), np.float32), np.array([2], np.int32), np.zeros((1, 2), np.float32))
    with pytest.raises(UnsupportedError, match=f"{name} '{value}'"):
        program.step(program.place(batch))


def test_devices_begin_with_the_cpu() -> None:
    names = [device.name for device in TorchBackend().devices()]
    assert names[0] == "cpu"
    assert len(names) == 1 + torch.cuda.device_count()


def test_versions_name_what_speed_depends_on() -> None:
    found = TorchBackend().versions()
    assert found["torch"] == torch.__version__
    assert {"onednn", "blas", "cuda", "threads", "cpu_capability"} <= set(found)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_product_waits_and_does_the_whole_product(precision: str) -> None:
    backend = TorchBackend()
    seconds = []
    for size in (64, 512):
        run = backend.product(size, size, size, Execution.model_validate({"precision": precision}))
        run()
        start = time.process_time()
        for _ in range(5):
            run()
        seconds.append(time.process_time() - start)
    assert seconds[1] > 20 * seconds[0]  # 512 times the work


def test_execution_reaches_torchs_settings() -> None:
    spec = model()
    weights = initial_parameters(spec, 0, "float32")
    try:
        TorchBackend().build(spec, weights, Recipe(), Execution(threads=2, deterministic=True))
        assert torch.get_num_threads() == 2
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.backends.cudnn.benchmark
        TorchBackend().build(spec, weights, Recipe(), Execution())
        assert torch.get_num_threads() == 1
        assert not torch.are_deterministic_algorithms_enabled()
    finally:
        runtime.apply(runtime.Settings.of(Execution()))
