"""The decay of |dL/dh_t|: synthetic exponentials give back the rate they were made with."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.tiny import program, ragged_split, sign_batcher, sign_data, sign_model
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts import Batch, Ragged, Split
from benchsuite.data import packed
from benchsuite.measure.gradients import Decay, decay, lag_profile
from benchsuite.schema import Dense, Features, ModelSpec, Recipe, Recurrent

RATES = st.floats(0.3, 1.7)


def exponential(rate: float, lengths: np.ndarray, backwards: bool = False, hidden: int = 3) -> np.ndarray:
    """dL/dh (B, T, H) of norm rate ** lag in every row, in directions drawn at random, zero on padding."""
    random = np.random.default_rng(0)
    time = int(lengths.max())
    state = random.normal(size=(len(lengths), time, hidden))
    state /= np.linalg.norm(state, axis=2, keepdims=True)
    steps = np.arange(time)
    lag = np.broadcast_to(steps, (len(lengths), time)) if backwards else lengths[:, None] - 1 - steps
    state *= np.where(steps < lengths[:, None], rate ** lag.astype(float), 0.0)[..., None]
    return state


@given(rate=RATES, lengths=st.lists(st.integers(1, 30), min_size=1, max_size=9), backwards=st.booleans())
def test_the_profile_is_taken_by_lag_whatever_the_lengths(
    rate: float, lengths: list[int], backwards: bool
) -> None:
    sizes = np.array(lengths, np.int32)
    profile = lag_profile(exponential(rate, sizes, backwards), sizes, backwards)
    lags = np.arange(max(lengths))
    reached = np.array([np.mean(sizes > lag) for lag in lags]) >= 0.25
    np.testing.assert_allclose(profile[reached], rate ** lags[reached].astype(float), rtol=1e-10)
    assert np.isnan(profile[~reached]).all()


@given(
    rate=RATES,
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=9),
    more=st.integers(0, 9),
    padding=st.integers(0, 3),
)
def test_the_profile_of_packed_rows_is_that_of_their_sequences(
    rate: float, lengths: list[int], more: int, padding: int
) -> None:
    sizes = np.array(lengths, np.int64)
    alone = exponential(rate, sizes)
    starts = np.cumsum(sizes) - sizes
    steps = np.concatenate([row[:length] for row, length in zip(alone, lengths, strict=True)])
    rows = packed(Split(Ragged(steps, starts, sizes), Ragged(steps, starts, sizes)), max(lengths) + more)
    time = max(lengths) + more + padding
    every = np.arange(len(rows))
    assert rows.reset_steps is not None
    marks = rows.reset_steps.padded(every, time)
    marks[np.arange(time) >= rows.inputs.lengths[:, None]] = True
    found = lag_profile(rows.inputs.padded(every, time), rows.inputs.lengths, resets=marks)
    np.testing.assert_allclose(found, lag_profile(alone, sizes), rtol=1e-10)


@given(rate=RATES, length=st.integers(2, 200))
def test_the_fit_recovers_the_rate_and_the_half_life(rate: float, length: int) -> None:
    found = decay(rate ** np.arange(length, dtype=float))
    assert found.slope == pytest.approx(np.log(rate), abs=1e-9)
    if found.slope < 0:
        assert rate**found.half_life == pytest.approx(0.5, rel=1e-6)
    else:
        assert found.half_life == np.inf
    assert found.change == pytest.approx(rate ** (length - 1), rel=1e-6)


def test_the_half_life_survives_noise() -> None:
    random = np.random.default_rng(0)
    profile = 0.9 ** np.arange(100) * np.exp(0.3 * random.normal(size=100))
    assert decay(profile).half_life == pytest.approx(np.log(2) / -np.log(0.9), rel=0.03)


@pytest.mark.parametrize(
    ("rate", "length", "verdict"),
    [
        (0.5, 6, "stable"),
        (0.5, 9, "vanishing"),
        (0.99, 100, "stable"),
        (1.0, 50, "stable"),
        (1.5, 10, "stable"),
        (1.5, 14, "exploding"),
    ],
)
def test_the_verdict_is_what_is_left_at_the_first_step(rate: float, length: int, verdict: str) -> None:
    assert decay(rate ** np.arange(length, dtype=float)).verdict == verdict


def test_a_backward_layer_ends_at_the_first_step() -> None:
    lengths = np.array([20, 11, 7])
    state = exponential(0.8, lengths, backwards=True)
    assert decay(lag_profile(state, lengths, backwards=True)).slope == pytest.approx(np.log(0.8))
    assert decay(lag_profile(state, lengths)).slope > 0


def test_a_gradient_that_underflowed_has_vanished_and_does_not_spoil_the_fit() -> None:
    profile = np.float32(0.2) ** np.arange(120, dtype=np.float32)
    assert (profile == 0).any()
    found = decay(profile)
    assert found.verdict == "vanishing"
    assert found.slope == pytest.approx(np.log(0.2), rel=0.02)


@pytest.mark.parametrize("profile", [[1.0, 0.9, 0.0, 0.0], [1.0, 0.0, 0.0]])
def test_zeros_after_a_flat_start_are_vanishing_too_and_nothing_is_left(profile: list[float]) -> None:
    found = decay(np.array(profile))
    assert (found.verdict, found.change) == ("vanishing", 0.0)


@pytest.mark.parametrize("profile", [[1.0], [], [1.0, np.nan]])
def test_one_lag_says_nothing(profile: list[float]) -> None:
    found = decay(np.array(profile))
    assert found.verdict == "undefined"
    assert np.isnan(found.slope)


def test_where_the_loss_enters_at_every_step_there_is_a_slope_but_no_verdict() -> None:
    found = decay(0.3 ** np.arange(20.0), loss_at_end=False)
    assert found.verdict == "undefined"
    assert found.slope == pytest.approx(np.log(0.3))


def test_lags_that_few_rows_reach_are_left_out_of_the_fit() -> None:
    """One long row among many short ones, with a gradient of its own, must not bend the fit."""
    lengths = np.array([8] * 9 + [40])
    state = exponential(0.7, lengths)
    state[-1] = exponential(1.5, np.array([40]))[0] * 1e-6
    found = decay(lag_profile(state, lengths))
    assert isinstance(found, Decay)
    assert found.slope == pytest.approx(np.log(0.7), rel=0.02)


def test_the_fit_of_a_linear_network_is_its_contraction() -> None:
    """A plain cell near zero is linear, h' = x Wx + h Wh with Wh = rho Q, Q orthogonal: every step back
    takes exactly rho of the gradient."""
    rho, hidden, steps = 0.6, 5, 12
    model = ModelSpec(Features(2), Recurrent("rnn", hidden), Dense(3), "cross_entropy")
    net = program(model, Recipe())
    weights = net.parameters()
    weights["rnn.l0.fwd.Wh"] *= rho
    weights["rnn.l0.fwd.Wx"] *= 1e-6
    net.load_parameters(weights)
    split = ragged_split(np.full(4, steps))
    batch = Batch(
        split.inputs.padded(np.arange(4), steps), np.full(4, steps, np.int32), np.zeros(4, np.int32)
    )
    found = decay(lag_profile(net.gradients(batch).states["rnn.l0.fwd"], batch.lengths))
    assert found.slope == pytest.approx(np.log(rho), rel=1e-6)
    assert found.half_life == pytest.approx(np.log(2) / -np.log(rho), rel=1e-6)


def test_a_real_network_gets_a_verdict() -> None:
    data = sign_data()
    batch = next(sign_batcher(data).epoch(data.train, 0, 0))
    state = program(sign_model("rnn"), Recipe()).gradients(batch).states["rnn.l0.fwd"]
    assert decay(lag_profile(state, batch.lengths)).verdict in ("vanishing", "stable", "exploding")
