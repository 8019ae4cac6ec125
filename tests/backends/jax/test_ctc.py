"""The JAX backend's CTC loss, compared with optax and the reference, hard cases included."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402
from fixtures.jax_kit import kit  # noqa: E402

from benchsuite.measure.conformance import backend as checks  # noqa: E402
from benchsuite.measure.conformance.cases import Case, model_cases  # noqa: E402
from benchsuite.schema import Execution, Recipe  # noqa: E402
from benchsuite_jax import ctc  # noqa: E402
from benchsuite_jax.backend import JaxBackend  # noqa: E402
from benchsuite_numpy.reference.ctc import ctc as reference  # noqa: E402

pytestmark = pytest.mark.usefixtures("double_precision")

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
ROWS, TIME, CLASSES, LABELS = 6, 12, 5, 4


def drawn(seed: int, spread: float = 2.0) -> Arrays:
    """scores (B, T, C), lengths, labels (B, U) with repeats and their lengths; every row is possible."""
    random = np.random.default_rng(seed)
    labels = random.integers(1, 3, (ROWS, LABELS)).astype(np.int32)
    counts = random.integers(1, LABELS + 1, ROWS).astype(np.int32)
    repeats = [int(np.sum(labels[row, 1:n] == labels[row, : n - 1])) for row, n in enumerate(counts)]
    least = counts + np.array(repeats)
    lengths = random.integers(least, TIME + 1).astype(np.int32)
    lengths[0] = least[0]  # a row with exactly one path
    return random.normal(size=(ROWS, TIME, CLASSES)) * spread, lengths, labels, counts


@jax.jit  # type: ignore[untyped-decorator]
def _ours(scores: Any, lengths: Any, labels: Any, counts: Any) -> tuple[Any, ...]:
    def loss(scores: Any) -> Any:
        return ctc.mean_loss(scores.swapaxes(0, 1), lengths, labels.T, counts)

    return jax.value_and_grad(loss)(scores)  # type: ignore[no-any-return]


def ours(found: Arrays) -> tuple[float, np.ndarray]:
    loss, gradient = _ours(*found)
    return float(loss), np.asarray(gradient)


@pytest.mark.parametrize("spread", [2.0, 0.0], ids=["drawn", "all scores tie"])
@pytest.mark.parametrize("seed", range(3))
def test_loss_and_gradient_are_the_references(seed: int, spread: float) -> None:
    found = drawn(seed, spread)
    loss, gradient = ours(found)
    expected, slopes = reference(*found)
    np.testing.assert_allclose(loss, expected, rtol=1e-13)
    np.testing.assert_allclose(gradient, slopes, atol=1e-13 * np.max(np.abs(slopes)), rtol=1e-12)


def test_loss_and_gradient_are_those_of_optax() -> None:
    import optax

    scores, lengths, labels, counts = drawn(7)

    def theirs(scores: Any) -> Any:
        padded = (np.arange(TIME) >= lengths[:, None]).astype(float)
        unlabelled = (np.arange(LABELS) >= counts[:, None]).astype(float)
        return jnp.mean(optax.ctc_loss(scores, padded, labels, unlabelled, log_epsilon=-1e30))

    expected, slopes = jax.value_and_grad(theirs)(jnp.asarray(scores))
    loss, gradient = ours((scores, lengths, labels, counts))
    np.testing.assert_allclose(loss, float(expected), rtol=1e-12)
    np.testing.assert_allclose(gradient, np.asarray(slopes), atol=1e-13)


def test_without_padding_no_lengths_are_needed() -> None:
    scores, _, labels, _ = drawn(3)
    full = np.full(ROWS, TIME, np.int32), labels, np.full(ROWS, LABELS, np.int32)
    masked = ctc.mean_loss(jnp.asarray(scores.swapaxes(0, 1)), full[0], jnp.asarray(labels.T), full[2])
    plain = ctc.mean_loss(jnp.asarray(scores.swapaxes(0, 1)), None, jnp.asarray(labels.T), None)
    np.testing.assert_allclose(float(plain), float(masked), rtol=1e-15)


def test_impossible_labels_are_infinitely_unlikely_and_spoil_no_other_row() -> None:
    scores, lengths, labels, counts = drawn(1)
    lengths[2], counts[2] = 1, 3
    loss, gradient = ours((scores, lengths, labels, counts))
    assert loss == np.inf
    assert np.isnan(gradient[2]).any()
    others = np.arange(ROWS) != 2
    _, slopes = reference(scores, lengths, labels, counts)
    np.testing.assert_allclose(gradient[others], slopes[others], atol=1e-13)


@pytest.mark.parametrize("spread", [0.0, 1e3, 1e5])
def test_certain_scores_leave_the_gradient_a_number(spread: float) -> None:
    """The trap: where a path's probability is zero, ln(e^a + e^b) has no derivative at two infinities."""
    infinite = jax.grad(lambda a: jnp.log(jnp.exp(a) + jnp.exp(a)))(-jnp.inf)
    assert np.isnan(float(infinite)), "the trap"
    scores, lengths, labels, counts = drawn(5, spread)
    for dtype in (np.float64, np.float32):
        loss, gradient = ours((scores.astype(dtype), lengths, labels, counts))
        assert np.isfinite(loss)
        assert np.isfinite(gradient).all()


def chosen(*names: str) -> list[object]:
    found = [case for case in model_cases() if case.name in names]
    assert len(found) == len(names), f"no such case among {names}"
    return [pytest.param(case, id=case.name) for case in found]


@pytest.mark.parametrize(
    "case",
    chosen(
        "rnn-plain-ctc",
        "lstm-deep_bidirectional-ctc",
        "gru-bernoulli",
        "lstm-deep_bidirectional-bernoulli-steps",
    ),
)
def test_models_agree_with_the_reference(case: Case) -> None:
    checks.check_gradients(kit(), case)


def test_an_unrolled_model_agrees_with_the_reference() -> None:
    (case,) = (case for case in model_cases() if case.name == "gru-plain-ctc")
    checks.check_gradients(kit("static"), case)


def test_the_recurrence_is_what_the_kernel_is_named_after() -> None:
    """The loss walks the steps in a loop of its own, in an unrolled model too."""
    (case,) = (replace(case, time=4) for case in model_cases() if case.name == "rnn-plain-ctc")
    for unroll, kernel in (("static", "unrolled"), ("dynamic", "scan")):
        execution = Execution.model_validate({"unroll": unroll})
        program = JaxBackend().build(case.model, case.parameters("float32"), Recipe(), execution)
        program.step(program.place(case.batch("float32")))
        assert program.kernel() == kernel
        assert np.isfinite(program.drain().loss).all()
        texts = [run.as_text() for run in program._executables.compiled.values()]
        assert not any("f64[" in text for text in texts), "double precision in a float32 program"
