"""Hand-written steps that a cell's plugin brings for a backend run, and are compared with the cell's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from fixtures.cell_cases import case_of
from fixtures.cells import registered

from benchsuite.errors import ContractError, PluginError
from benchsuite.measure.conformance import backend as checks
from benchsuite.measure.conformance.backend import ConformanceError, Kit
from benchsuite.plugins import registry
from benchsuite.schema import BUILTIN_CELLS, Execution
from benchsuite.schema.cells import StepKernel

BACKENDS = ("torch", "jax", "tensorflow")


def rnn_step(backend: str, factor: float = 1.0) -> StepKernel:
    """h' = tanh(u + h Wh) in the framework's own words."""
    if backend == "torch":
        import torch

        return lambda w, u, h, _state: (factor * torch.tanh(torch.addmm(u, h, w["Wh"])),)
    if backend == "jax":
        import jax.numpy as jnp

        return lambda w, u, h, _state: (factor * jnp.tanh(u + jnp.dot(h, w["Wh"])),)
    import tensorflow as tf

    return lambda w, u, h, _state: (factor * tf.tanh(u + tf.matmul(h, w["Wh"])),)


@contextmanager
def kernel(backend: str, load: Callable[[], StepKernel]) -> Iterator[None]:
    """The cell `kerneled`: rnn with this step for the backend."""
    with registered(replace(BUILTIN_CELLS["rnn"], name="kerneled", kernels={backend: load})):
        yield


def kit(backend: str) -> Kit:
    known = registry()
    reference = known.reference()
    assert reference.reference_load is not None
    return Kit(known.backend(backend).load(), reference.reference_load(), Execution())


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_plugins_step_runs_and_is_at_parity(backend: str) -> None:
    calls: list[Any] = []

    def load() -> StepKernel:
        step = rnn_step(backend)

        def counted(*arguments: Any) -> Any:
            calls.append(arguments)
            return step(*arguments)

        return counted

    with kernel(backend, load):
        case = case_of("kerneled", "deep-truncated")
        checks.check_gradients(kit(backend), case)
        program = kit(backend).build(case)
        program.step(program.place(case.batch("float32")))
        assert program.notes()["cell"] == f"the plugin's kernel for {backend}"
    assert calls


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_step_that_is_not_the_cells_breaks_parity(backend: str) -> None:
    with kernel(backend, lambda: rnn_step(backend, 1.001)), pytest.raises(ConformanceError):
        checks.check_gradients(kit(backend), case_of("kerneled", "plain-steps"))


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_step_that_cannot_be_loaded_is_named(backend: str) -> None:
    def load() -> StepKernel:
        raise ImportError("no compiler")

    with (
        kernel(backend, load),
        pytest.raises(ContractError, match=f"its kernel for {backend} cannot be loaded.*no compiler"),
    ):
        checks.check_gradients(kit(backend), case_of("kerneled", "plain-steps"))


@pytest.mark.parametrize(
    ("kernels", "said"), [({"torch": 3}, "must map backends"), ({"numpy": len}, "records and replays")]
)
def test_kernels_that_cannot_be_are_refused(kernels: Any, said: str) -> None:
    with pytest.raises(PluginError, match=said):
        replace(BUILTIN_CELLS["rnn"], name="kerneled", kernels=kernels)
