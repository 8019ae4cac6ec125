"""The card of the NumPy backend: cheap to list, clear about what it cannot do, honest about what ran."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from fixtures.numpy_cases import decoder_model, model, parameters

import benchsuite_numpy
from benchsuite.contracts import BackendEntry
from benchsuite.plugins import registry
from benchsuite.running.executors.variables import worker_variables
from benchsuite.schema import Convolutional, Dense, Execution, Features, ModelSpec, Recipe, Trial
from benchsuite_numpy.backend import NumpyBackend
from benchsuite_numpy.reference import ReferenceBackend

NO_CUPY = importlib.util.find_spec("cupy") is None


def entry() -> BackendEntry:
    (found,) = benchsuite_numpy.benchsuite_register_backends()
    return found


def trial(cell: str = "lstm", architecture: str = "plain", **execution: Any) -> Trial:
    return Trial.model_validate(
        {
            "task": "t",
            "source": "s",
            "cell": cell,
            "architecture": architecture,
            "backend": "numpy",
            "execution": execution,
        }
    )


def test_the_registry_finds_it_and_takes_it_for_the_reference() -> None:
    found = registry().reference()
    assert found.name == "numpy"
    assert found.reference_load is not None
    assert isinstance(found.reference_load(), ReferenceBackend)
    assert isinstance(found.load(), NumpyBackend)


def test_listing_it_loads_no_kernel() -> None:
    code = (
        "import sys, benchsuite_numpy; benchsuite_numpy.benchsuite_register_backends(); "
        "print([name for name in sys.modules if name.startswith(('benchsuite_numpy.', 'cupy'))])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


@pytest.mark.parametrize("threads", [1, 2])
def test_the_environment_sets_the_threads_of_the_product(threads: int) -> None:
    given = worker_variables(entry(), Execution(threads=threads))
    code = "import numpy; from benchsuite_numpy.runtime import blas_info; print(blas_info()['threads'])"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, **given}
    )
    assert int(ran.stdout) == min(threads, os.cpu_count() or 1)


@pytest.mark.parametrize(
    ("execution", "reason"),
    [
        (
            {"unroll": "fused"},
            "no fused recurrent kernel and does not differentiate); it has static, dynamic, scan",
        ),
        ({"unroll": "autograd"}, "does not differentiate); it has static, dynamic, scan"),
        ({"device": "tpu"}, "the numpy backend has no device 'tpu'; it has cpu, gpu"),
        pytest.param(
            {"device": "gpu:1"},
            "through CuPy, not installed here",
            marks=pytest.mark.skipif(not NO_CUPY, reason="CuPy is installed"),
        ),
    ],
)
def test_what_it_refuses(execution: dict[str, str], reason: str) -> None:
    said = NumpyBackend().supports(model(), Recipe(), Execution.model_validate(execution))
    assert reason in str(said)


def test_what_it_takes() -> None:
    backend = NumpyBackend()
    for unroll in ("static", "dynamic"):
        for precision in ("float32", "float64"):
            ran = Execution.model_validate({"unroll": unroll, "precision": precision})
            for spec in (model("gru"), model("lstm", "deep_bidirectional"), decoder_model()):
                assert backend.supports(spec, Recipe(), ran) is None


def test_what_ran_is_asked_of_the_libraries() -> None:
    backend = NumpyBackend()
    program = backend.build(model(), parameters(model()), Recipe(), Execution())
    blas = backend.versions()["blas"].split()[0]
    assert program.kernel() == f"python_loop+{blas}"
    assert blas != "unknown_blas"
    decoding = backend.build(decoder_model(), parameters(decoder_model()), Recipe(), Execution())
    assert decoding.kernel() == f"python_loop+{blas}"
    pictures = ModelSpec(Features(8), Convolutional(8, 8), Dense(3), "cross_entropy")
    cnn = backend.build(pictures, parameters(pictures), Recipe(), Execution())
    assert cnn.kernel() == f"im2col+{blas}"
    assert backend.versions()["numpy"] == np.__version__
    assert backend.devices()[0].name == "cpu"
    assert np.__version__ in backend.devices()[0].description


@pytest.mark.parametrize("backend", [NumpyBackend(), ReferenceBackend()])
def test_the_product_runs(backend: NumpyBackend | ReferenceBackend) -> None:
    for precision in ("float32", "float64"):
        run = backend.product(8, 5, 3, Execution.model_validate({"precision": precision}))
        assert run() is None


def test_the_reference_is_for_the_cpu() -> None:
    assert (
        str(ReferenceBackend().supports(model(), Recipe(), Execution(device="gpu")))
        == "the reference backend has no device 'gpu'; it has cpu"
    )
    assert ReferenceBackend().supports(model(), Recipe(), Execution(unroll="fused")) is None
    assert [device.name for device in ReferenceBackend().devices()] == ["cpu"]
