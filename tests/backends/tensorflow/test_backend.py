"""The TensorFlow plugin's entry, what the backend refuses and why, and what a program reports of itself."""

from __future__ import annotations

import gc
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchsuite.contracts import Backend, Program
from benchsuite.errors import UnsupportedError
from benchsuite.measure.conformance.cases import Case, convolutional_cases, decoder_cases, model_cases
from benchsuite.measure.decoding import greedy_search
from benchsuite.plugins import registry
from benchsuite.schema import (
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

PLAIN = ModelSpec(Features(5), Recurrent("lstm", 6), Dense(4), "cross_entropy")
BOTH_WAYS = ModelSpec(Features(5), Recurrent("lstm", 6, bidirectional=True), Dense(4), "cross_entropy")


@pytest.fixture(scope="module")
def backend() -> Backend:
    return registry().backend("tensorflow").load()


def built(backend: Backend, case: Case, **execution: Any) -> Program:
    chosen = Execution.model_validate(execution)
    return backend.build(case.model, case.parameters(chosen.dtype), case.recipe, chosen)


def test_the_entry_imports_no_framework() -> None:
    code = (
        "import sys; from benchsuite.plugins import registry; from benchsuite.schema import Execution\n"
        "registry().backend('tensorflow').environment(Execution())\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_environment_sets_threads_and_hides_gpus_from_cpu_trials() -> None:
    environment = registry().backend("tensorflow").environment
    on_cpu = environment(Execution(threads=3, deterministic=True))
    assert on_cpu["TF_NUM_INTRAOP_THREADS"] == on_cpu["TF_NUM_INTEROP_THREADS"] == "3"
    assert on_cpu["OMP_NUM_THREADS"] == "3"
    assert on_cpu["CUDA_VISIBLE_DEVICES"] == "-1"
    assert on_cpu["TF_DETERMINISTIC_OPS"] == "1"
    on_gpu = environment(Execution(device="gpu:1"))
    assert "CUDA_VISIBLE_DEVICES" not in on_gpu
    assert on_gpu["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    assert "TF_DETERMINISTIC_OPS" not in on_gpu


@pytest.mark.parametrize(
    ("execution", "reason"),
    [
        ({"unroll": "fused"}, "need a GPU"),
        (
            {"unroll": "autograd"},
            "no unroll 'autograd' (Keras' own cells run in its fused layers or not at all); it has static",
        ),
        ({"device": "tpu"}, "the tensorflow backend has no device 'tpu'; it has cpu, gpu"),
    ],
)
def test_what_cannot_run_is_refused_with_its_reason(
    backend: Backend, execution: dict[str, str], reason: str
) -> None:
    given = Execution.model_construct(**execution)  # type: ignore[arg-type]
    assert reason in str(backend.supports(PLAIN, Recipe(), given))


@pytest.mark.usefixtures("backend")
@pytest.mark.parametrize(
    ("cell", "recipe", "reason"),
    [
        ("lstm", {}, None),
        ("gru", {"input_dropout": 0.1}, None),
        (
            "rnn",
            {},
            "no cell 'rnn' (TensorFlow's fused recurrent kernels are cuDNN's, and Keras' SimpleRNN has",
        ),
        ("lstm", {"truncation": 3}, "no truncated BPTT"),
        ("gru", {"carry": True}, "no states carried from batch to batch (recipe.carry) (cuDNN takes a whole"),
        (
            "lstm",
            {"recurrent_dropout": 0.1},
            "(cuDNN masks no hidden states; or use unroll dynamic or static)",
        ),
    ],
)
def test_what_the_fused_kernels_run_on_a_gpu(cell: str, recipe: dict[str, Any], reason: str | None) -> None:
    from benchsuite_tensorflow.support import SUPPORTED

    gpu = Execution(unroll="fused", device="gpu")
    model = replace(PLAIN, body=Recurrent(cell, 4, 2, True))
    said = SUPPORTED.declines(model, Recipe.model_validate(recipe), gpu)
    assert said is None if reason is None else reason in str(said)


@pytest.mark.parametrize("unroll", ["static", "dynamic"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("cell", BUILTIN_CELLS)
def test_every_planned_model_is_supported(
    backend: Backend, architecture: str, cell: str, unroll: str
) -> None:
    trial = Trial(task="t", source="s", cell=cell, architecture=architecture, backend="tensorflow")
    execution = Execution.model_validate({"unroll": unroll})
    assert backend.supports(planned_model(trial), Recipe(), execution) is None


def test_a_gpu_is_used_only_where_there_is_one(backend: Backend) -> None:
    names = [device.name for device in backend.devices()]
    assert names[0] == "cpu"
    reason = backend.supports(PLAIN, Recipe(), Execution(device="gpu"))
    assert (reason is None) == ("gpu" in names)
    assert backend.supports(PLAIN, Recipe(), Execution(device="gpu:63"))


def test_a_static_graph_of_too_many_steps_is_refused(backend: Backend) -> None:
    program = built(backend, Case("long", BOTH_WAYS, time=101), unroll="static")
    with pytest.raises(UnsupportedError, match="101 steps x 2 layers and directions"):
        program.place(Case("long", BOTH_WAYS, time=101).batch("float32"))


@pytest.mark.parametrize(
    ("case", "unroll", "kernel"),
    [
        (Case("loop", PLAIN), "dynamic", "while_loop"),
        (Case("nodes", PLAIN), "static", "unrolled"),
        (convolutional_cases()[2], "dynamic", "conv2d"),
    ],
)
def test_kernel_is_read_from_the_graph(backend: Backend, case: Case, unroll: str, kernel: str) -> None:
    program = built(backend, case, unroll=unroll)
    program.step(program.place(case.batch("float32")))
    assert program.kernel() == kernel


def test_deterministic_programs_end_in_the_same_bits(backend: Backend) -> None:
    case = Case("same", BOTH_WAYS)
    ends = []
    for _ in range(2):
        program = built(backend, case, deterministic=True)
        for index in range(3):
            program.step(program.place(case.batch("float32", index)))
        ends.append(program.parameters())
    assert all(np.array_equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_product_and_versions(backend: Backend) -> None:
    backend.product(8, 5, 3, Execution(precision="float64"))()
    with pytest.raises(UnsupportedError, match=r"gpu:63|no GPU|without CUDA"):
        backend.product(8, 5, 3, Execution(device="gpu:63"))
    versions = backend.versions()
    assert versions["tensorflow"]
    assert versions["tensorflow/keras"]
    assert built(backend, Case("plain", PLAIN)).memory() == {}


@pytest.mark.parametrize("plain", [False, True])
def test_only_what_is_called_inside_runs_as_traced(backend: Backend, plain: bool) -> None:
    import tensorflow as tf

    from benchsuite_tensorflow.runtime import as_traced

    def are_plain() -> bool:
        return bool(tf.config.optimizer.get_experimental_options()["disable_meta_optimizer"])

    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": plain})
    try:
        with as_traced():
            assert are_plain()
        assert are_plain() == plain
        case = Case("plain", PLAIN)
        program = built(backend, case)
        program.gradients(program.place(case.batch("float32")))
        assert are_plain() == plain
    finally:
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})


@pytest.mark.parametrize("name", ["lstm-plain", "gru-additive-plain", "gru-plain-ctc"])
def test_release_frees_the_graphs_of_a_trial(backend: Backend, name: str) -> None:
    """tf.custom_gradient keeps every graph it was traced in: a warm worker would grow with every trial."""

    def graphs() -> int:
        gc.collect()
        return sum(type(one).__name__.endswith("FuncGraph") for one in gc.get_objects())

    backend.release()
    before = graphs()
    case = next(case for case in [*model_cases(), *decoder_cases()] if case.name == name)
    program = built(backend, case)
    placed = program.place(case.batch("float32"))
    program.step(placed)
    if case.model.decoder is not None:
        greedy_search(program, placed, case.model.decoder, case.rows, aligned=True)
    del program, placed
    assert graphs() > before, "TensorFlow frees them by itself: release() need not"
    backend.release()
    assert graphs() == before
