"""A fused request that ran something else is a failure that says so."""

from __future__ import annotations

from typing import Any

import pytest
from fixtures.tiny import sign_model

from benchsuite.errors import ContractError, KernelFallbackError
from benchsuite.measure.worker.kernels import LOOPS, check_kernel
from benchsuite.schema import Execution, Size, Tokens, encoder_decoder


def execution(unroll: str, device: str = "cpu") -> Execution:
    return Execution.model_validate({"unroll": unroll, "device": device})


@pytest.mark.parametrize("kernel", [*LOOPS, "cudnn", "onednn", "blas", ""])
@pytest.mark.parametrize("unroll", ["static", "dynamic"])
def test_loops_may_run_as_they_like(kernel: str, unroll: str) -> None:
    check_kernel(kernel, execution(unroll), sign_model())
    check_kernel(kernel, execution(unroll, "gpu"), sign_model())


@pytest.mark.parametrize(
    ("kernel", "device"),
    [("onednn", "cpu"), ("blas", "cpu"), ("cudnn", "gpu"), ("cudnn+blas", "gpu:1"), ("miopen", "gpu")],
)
def test_a_fused_kernel_is_taken_at_its_word(kernel: str, device: str) -> None:
    check_kernel(kernel, execution("fused", device), sign_model())


@pytest.mark.parametrize(
    ("kernel", "device"),
    [
        *((kernel, device) for kernel in LOOPS for device in ("cpu", "gpu")),
        ("cudnn, then while_loop", "gpu"),
        ("blas", "gpu"),
        ("onednn", "gpu:1"),
        ("", "cpu"),
        ("", "gpu"),
    ],
)
def test_a_quiet_fallback_is_named(kernel: str, device: str) -> None:
    with pytest.raises(KernelFallbackError) as caught:
        check_kernel(kernel, execution("fused", device), sign_model())
    said = str(caught.value)
    assert device in said
    assert repr(kernel or "nothing") in said
    assert "use unroll dynamic" in said


@pytest.mark.parametrize("kernel", [None, 3, b"cudnn"])
@pytest.mark.parametrize("unroll", ["dynamic", "fused"])
def test_a_kernel_is_a_text(kernel: Any, unroll: str) -> None:
    with pytest.raises(ContractError, match="a text is expected"):
        check_kernel(kernel, execution(unroll), sign_model())


@pytest.mark.parametrize("kernel", ["aten+python_loop", "cudnn+python_loop"])
def test_additive_attention_may_loop_beside_a_fused_encoder(kernel: str) -> None:
    """Each step of such a decoder is fed with what the step before gave; no other model has that excuse."""
    size, words = Size(hidden=4), Tokens(9, 4)
    models = {
        kind: encoder_decoder("attention", "gru", size, words, 9, 5, kind)
        for kind in ("additive", "multiplicative")
    }
    check_kernel(kernel, execution("fused"), models["additive"])
    for model in (models["multiplicative"], sign_model()):
        with pytest.raises(KernelFallbackError):
            check_kernel(kernel, execution("fused"), model)
    with pytest.raises(KernelFallbackError):
        check_kernel("python_loop", execution("fused"), models["additive"])
