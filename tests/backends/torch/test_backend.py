"""The PyTorch backend: what it registers, what it supports, what it says of the machine."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import Any

import pytest
import torch

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
    Tokens,
    Trial,
)
from benchsuite_torch import benchsuite_register_backends, runtime
from benchsuite_torch.backend import TorchBackend

HERE_IS_NO_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")


def trial(**changes: Any) -> Trial:
    base = {"task": "t", "source": "s", "cell": "lstm", "architecture": "plain", "backend": "torch"}
    return Trial.model_validate(base | changes)


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
    assert plain["OMP_NUM_THREADS"] == plain["MKL_NUM_THREADS"] == "3"
    assert "CUBLAS_WORKSPACE_CONFIG" not in plain
    assert strict["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"cell": "gru", "architecture": "deep_bidirectional"},
        {"architecture": "cnn"},
        {"recipe": {"carry": True}},
        {"execution": {"unroll": "fused", "precision": "float64"}},
    ],
)
def test_supports(changes: dict[str, Any]) -> None:
    assert TorchBackend().supports(trial(**changes)) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cell": "peephole"}, "no cell 'peephole'; it has rnn, lstm, gru"),
        ({"execution": {"precision": "tf32"}}, "on the CPU use float32 or float64"),
        ({"execution": {"device": "tpu"}}, "unknown device 'tpu'; torch knows cpu, gpu and gpu:N"),
        ({"execution": {"device": "gpu:x"}}, "unknown device 'gpu:x'"),
        ({"architecture": "bidirectional", "recipe": {"carry": True}}, "carry needs a forward stack"),
    ],
)
def test_reasons(changes: dict[str, Any], reason: str) -> None:
    assert reason in (TorchBackend().supports(trial(**changes)) or "")


@HERE_IS_NO_GPU
@pytest.mark.parametrize("device", ["gpu", "gpu:1"])
def test_absent_gpu_is_a_reason(device: str) -> None:
    backend, execution = TorchBackend(), Execution(device=device)
    reason = "no CUDA device: torch.cuda.is_available() is False"
    assert backend.supports(trial(execution={"device": device})) == reason
    with pytest.raises(UnsupportedError, match="no CUDA device"):
        backend.product(2, 2, 2, execution)


@pytest.mark.parametrize(
    ("model", "recipe", "reason"),
    [
        (ModelSpec(Features(2), Recurrent("esn", 3), Dense(2), "squared"), Recipe(), "no cell 'esn'"),
        (
            ModelSpec(Features(2), Recurrent("rnn", 3, bidirectional=True), Dense(2), "squared"),
            Recipe(carry=True),
            "forward stack",
        ),
        (ModelSpec(Tokens(4, 4), Convolutional(4, 4), Dense(2), "squared"), Recipe(), "not tokens"),
        (
            ModelSpec(Features(4), Convolutional(4, 4), Dense(2), "squared", "steps"),
            Recipe(),
            "one output a picture",
        ),
        (ModelSpec(Features(4), Convolutional(4, 4), Dense(2), "squared"), Recipe(carry=True), "has none"),
    ],
)
def test_build_refuses_with_the_reason(model: ModelSpec, recipe: Recipe, reason: str) -> None:
    with pytest.raises(UnsupportedError, match=reason):
        TorchBackend().build(model, {}, recipe, Execution())


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
    model = ModelSpec(Features(2), Recurrent("lstm", 3), Dense(2), "squared")
    weights = initial_parameters(model, 0, "float32")
    try:
        TorchBackend().build(model, weights, Recipe(), Execution(threads=2, deterministic=True))
        assert torch.get_num_threads() == 2
        assert torch.are_deterministic_algorithms_enabled()
        assert not torch.backends.cudnn.benchmark
        TorchBackend().build(model, weights, Recipe(), Execution())
        assert torch.get_num_threads() == 1
        assert not torch.are_deterministic_algorithms_enabled()
    finally:
        runtime.apply(runtime.Settings.of(Execution()))
