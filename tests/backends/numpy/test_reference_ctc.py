"""The reference's CTC against every path that there is, and its gradient against central differences."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from fixtures.numpy_cases import batch, model, parameters
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from benchsuite.schema import BUILTIN_CELLS, Execution, Recipe
from benchsuite_numpy.reference import ReferenceBackend
from benchsuite_numpy.reference.ctc import backward_variables, ctc, ctc_row, forward_variables

SEEDS = st.integers(0, 10_000)
LABELS = st.lists(st.integers(1, 2), min_size=1, max_size=3)


def log_softmax(scores: np.ndarray) -> np.ndarray:
    found: np.ndarray = scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))
    return found


def collapsed(path: tuple[int, ...]) -> list[int]:
    """Repeats joined, then blanks taken out."""
    return [symbol for symbol, _ in itertools.groupby(path) if symbol]


def probability(scores: np.ndarray, labels: list[int]) -> float:
    """The sum over all paths that give `labels`."""
    p = np.exp(log_softmax(scores))
    steps = np.arange(len(p))
    paths = itertools.product(range(p.shape[1]), repeat=len(p))
    return float(sum(np.prod(p[steps, path]) for path in paths if collapsed(path) == labels))


def steps_needed(labels: list[int]) -> int:
    """Labels, and a blank between two that are alike."""
    return len(labels) + sum(a == b for a, b in itertools.pairwise(labels))


@settings(deadline=None, max_examples=80)
@given(SEEDS, st.integers(1, 6), LABELS)
def test_the_loss_is_that_of_all_paths(seed: int, time: int, labels: list[int]) -> None:
    scores = 2 * np.random.default_rng(seed).standard_normal((time, 3))
    found, slopes = ctc_row(scores, np.array(labels))
    expected = probability(scores, labels)
    assert (expected == 0) is (time < steps_needed(labels))
    if expected:
        assert found == pytest.approx(-np.log(expected), rel=1e-12, abs=1e-14)
        assert np.isfinite(slopes).all()
    else:
        assert found == np.inf
        assert np.isnan(slopes).all()


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.integers(1, 8), st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_the_gradient_is_that_of_the_loss(seed: int, time: int, labels: list[int]) -> None:
    assume(time >= steps_needed(labels))
    random = np.random.default_rng(seed)
    scores, direction = random.standard_normal((2, time, 5))
    _, slopes = ctc_row(scores, np.array(labels))
    high, low = (ctc_row(scores + sign * 1e-5 * direction, np.array(labels))[0] for sign in (1, -1))
    assert (slopes * direction).sum() == pytest.approx((high - low) / 2e-5, rel=1e-7, abs=1e-8)
    # all scores of a step may be moved together without any effect
    assert slopes.sum(axis=1) == pytest.approx(np.zeros(time), abs=1e-12)
    moved = ctc_row(scores + 50 * random.standard_normal((time, 1)), np.array(labels))
    np.testing.assert_allclose(moved[1], slopes, atol=1e-10)


@settings(deadline=None, max_examples=20)
@given(SEEDS)
def test_forward_and_backward_variables_meet_at_every_step(seed: int) -> None:
    """Graves et al. 2006, eq. 14: at each step, all paths are somewhere."""
    emitted_at = log_softmax(np.random.default_rng(seed).standard_normal((7, 4)))
    extended = np.array([0, 3, 0, 3, 0, 1, 0])
    emitted = emitted_at[:, extended]
    alpha, scales = forward_variables(emitted, extended)
    beta, scales_back = backward_variables(emitted, extended)
    taken = np.cumsum(scales) + np.cumsum(scales_back[::-1])[::-1]
    totals = np.logaddexp.reduce(alpha + beta, axis=1) + taken
    assert totals == pytest.approx(np.full(7, totals[0]), rel=1e-12)


def test_a_long_row_does_not_underflow() -> None:
    """Of 3000 steps every path has a probability of 3^-3000; here the number of paths is known: one label
    stands for a run of any length at any place."""
    time = 3000
    found, slopes = ctc_row(np.zeros((time, 3)), np.array([1]))
    assert found == pytest.approx(time * np.log(3) - np.log(time * (time + 1) / 2), rel=1e-12)
    assert np.isfinite(slopes).all()


@pytest.mark.skipif(bool(np.finfo(np.longdouble).eps > 1e-18), reason="no wider float here")
def test_a_long_row_keeps_its_digits() -> None:
    """Against the same in extended precision, where ln p is about -3000 (unscaled, one more is lost)."""
    random = np.random.default_rng(0)
    scores, labels = 3 * random.standard_normal((700, 20)), random.integers(1, 20, 60)
    found, slopes = ctc_row(scores, labels)
    exact, exact_slopes = ctc_row(scores.astype(np.longdouble), labels)
    assert found == pytest.approx(float(exact), rel=1e-14)
    np.testing.assert_allclose(slopes, exact_slopes.astype(float), rtol=0, atol=5e-13)


@settings(deadline=None, max_examples=30)
@given(SEEDS, st.lists(st.integers(3, 7), min_size=1, max_size=4), st.integers(0, 3))
def test_rows_and_padding(seed: int, lengths: list[int], more: int) -> None:
    """The mean of the rows taken alone; beyond a row's lengths nothing is read and nothing comes back."""
    random, rows = np.random.default_rng(seed), len(lengths)
    labels = random.integers(1, 4, (rows, 2 + more))
    counts = random.integers(1, 3, rows)
    scores = random.standard_normal((rows, max(lengths) + more, 4))
    found, slopes = ctc(scores, np.array(lengths), labels, counts)
    alone = [
        ctc_row(scores[row, :length], labels[row, :count])
        for row, (length, count) in enumerate(zip(lengths, counts, strict=True))
    ]
    assert found == pytest.approx(np.mean([value for value, _ in alone]), rel=1e-13)
    for row, length in enumerate(lengths):
        np.testing.assert_allclose(slopes[row, :length], alone[row][1] / rows, rtol=1e-13, atol=1e-16)
        assert not slopes[row, length:].any()


@pytest.mark.parametrize("head", ["dense", "rbf"])
@pytest.mark.parametrize("architecture", ["plain", "deep_bidirectional"])
@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
def test_a_models_loss_reads_its_scores(cell: str, architecture: str, head: str) -> None:
    """What predict() gives is what the loss's softmax is taken of."""
    spec = model(cell, architecture, head, "ctc", "steps")
    data = batch(spec, [6, 2, 5], time=8, target_lengths=[3, 1, 2])
    program = ReferenceBackend().build(spec, parameters(spec), Recipe(), Execution(precision="float64"))
    found, scores = program.gradients(data), program.predict(data)[0]
    assert np.array_equal(found.predictions, scores)
    assert data.target_lengths is not None
    chances = [
        probability(scores[row, :length], data.targets[row, :count].tolist())
        for row, (length, count) in enumerate(zip(data.lengths, data.target_lengths, strict=True))
    ]
    assert found.loss == pytest.approx(-np.log(chances).mean(), rel=1e-12)
    assert not scores[1, 2:].any()


def test_labels_that_do_not_fit_make_the_loss_infinite() -> None:
    spec = model("gru", loss="ctc", readout="steps")
    data = batch(spec, [6, 2], target_lengths=[3, 3])
    program = ReferenceBackend().build(spec, parameters(spec), Recipe(), Execution(precision="float64"))
    program.step(data)
    assert program.drain().loss.tolist() == [np.inf]
