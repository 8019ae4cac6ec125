"""The JAX backend against the float64 reference, in float32 and compiled as trials compile it."""

from __future__ import annotations

import numpy as np
import pytest

jax = pytest.importorskip("jax")

from benchsuite.measure.conformance import backend as checks  # noqa: E402
from benchsuite.measure.conformance import cases  # noqa: E402
from benchsuite.measure.conformance.backend import Kit  # noqa: E402
from benchsuite.schema import Execution, Recipe  # noqa: E402
from benchsuite_jax import (  # noqa: E402
    CPU_COMPILATION,
    jaxlib_version,
    optimisers,
    program,
    quick_cpu_compilation,
)
from benchsuite_jax.backend import JaxBackend  # noqa: E402
from benchsuite_numpy.reference.program import ReferenceBackend  # noqa: E402

pytestmark = pytest.mark.usefixtures("single_precision")

EMITTERS = {name: True for name in quick_cpu_compilation(jaxlib_version()) if "emitters" in name}
"""What conftest.py sets otherwise."""


@pytest.fixture(autouse=True)
def _compiled_as_in_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "compiler_options", lambda _: {**CPU_COMPILATION, **EMITTERS})


def kit(unroll: str = "dynamic") -> Kit:
    return Kit(JaxBackend(), ReferenceBackend(), Execution.model_validate({"unroll": unroll}))


def some(found: list[cases.Case], *names: str) -> list[object]:
    chosen = [case for case in found if case.name in names]
    assert len(chosen) == len(names), f"no such case among {names}"
    return [pytest.param(case, id=case.name) for case in chosen]


@pytest.mark.parametrize(
    "case",
    some(
        cases.model_cases(),
        "rnn-deep_bidirectional",
        "lstm-deep_bidirectional",
        "gru-deep_bidirectional",
        "lstm-plain-full",
        "gru-bidirectional-tagging",
        "rnn-plain-rbf",
        "lstm-one-feature",
        "gru-absolute",
        "cnn-odd",
        "cnn-rbf",
    )
    + some(cases.truncation_cases(), "lstm-bidirectional-truncated", "gru-deep-truncated"),
)
def test_models_agree_with_the_reference(case: cases.Case) -> None:
    checks.check_gradients(kit(), case)


@pytest.mark.parametrize("case", some(cases.model_cases(), "lstm-bidirectional"))
def test_the_unrolled_graph_agrees_with_the_reference(case: cases.Case) -> None:
    checks.check_gradients(kit("static"), case)


@pytest.mark.parametrize(
    "case",
    some(
        cases.training_cases(),
        "train-adam-norm",
        "train-rmsprop-value",
        "train-momentum-norm",
        "train-sgd-value",
    ),
)
def test_fifty_clipped_steps_follow_the_reference(case: cases.Case) -> None:
    checks.check_fifty_steps(kit(), case)


def test_the_norm_of_a_large_gradient_keeps_its_digits() -> None:
    random = np.random.default_rng(0)
    gradients = {
        "a": random.normal(size=(512, 2048)).astype(np.float32),
        "b": random.normal(size=5).astype(np.float32),
    }
    _, norm = jax.jit(lambda g: optimisers.clip(Recipe(clip="norm"), g))(gradients)
    expected = np.sqrt(sum(np.sum(np.square(g.astype(np.float64))) for g in gradients.values()))
    np.testing.assert_allclose(float(norm), expected, rtol=1e-5)


def test_bias_corrections_are_computed_in_double_precision() -> None:
    found = optimisers.bias_corrections(Recipe(beta2=0.9999), 1, "float32")
    assert found is not None
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [10.0, 100.0], rtol=1e-7)
    in_single = 1 - np.float32(0.9999) ** 1
    assert abs(in_single / 1e-4 - 1) > 1e-4, "the trap: single precision loses the leading digits"
