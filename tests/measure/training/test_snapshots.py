"""Snapshots: when they are taken, which layer speaks for the model, and what the verdict is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fixtures.tiny import program, sign_batcher, sign_data, sign_model
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts import Batch, Gradients
from benchsuite.measure.training import Snapshots
from benchsuite.measure.training.snapshots import snapshot_epochs
from benchsuite.schema import Convolutional, Dense, Features, ModelSpec, Recipe, Recurrent


@given(epochs=st.integers(1, 200), snapshots=st.integers(2, 30))
def test_snapshots_start_at_zero_and_leave_the_end_to_the_end(epochs: int, snapshots: int) -> None:
    found = snapshot_epochs(epochs, snapshots)
    assert found[0] == 0
    assert found == sorted(set(found))
    assert found[-1] < epochs
    assert len(found) == min(epochs, snapshots - 1)
    gaps = np.diff([*found, epochs])
    assert gaps.max() - gaps.min() <= 1


def gradients(rates: dict[str, float], lengths: np.ndarray) -> Gradients:
    """|dL/dh| that shrinks by a rate of its own in each layer."""
    states = {}
    for layer, rate in rates.items():
        steps = np.arange(int(lengths.max()))
        lag = steps if layer.endswith(".bwd") else lengths[:, None] - 1 - steps
        norms = np.where(steps < lengths[:, None], rate ** lag.astype(float), 0.0)
        states[layer] = norms[..., None] * np.array([0.6, 0.8])
    return Gradients(1.0, {"out.W": np.array([[3.0, 4.0]])}, states, np.zeros((len(lengths), 2)))


def batch(lengths: np.ndarray) -> Batch:
    shape = (len(lengths), int(lengths.max()), 2)
    return Batch(np.zeros(shape), lengths, np.zeros(len(lengths), np.int32))


LENGTHS = np.array([30, 30, 21], np.int32)


@pytest.mark.parametrize(
    ("start", "end", "verdict"),
    [
        (1.0, 1.0, "stable"),
        (0.5, 1.0, "vanishing"),
        (1.0, 0.5, "vanishing"),
        (1.0, 1.5, "exploding"),
        (0.5, 1.5, "vanishing"),
    ],
)
def test_the_verdict_is_of_start_and_end_and_the_start_counts_first(
    start: float, end: float, verdict: str
) -> None:
    shots = Snapshots(ModelSpec(Features(2), Recurrent("rnn", 2), Dense(2), "squared"), batch(LENGTHS))
    for epoch, rate in ((0, start), (1, 1.3), (2, end)):
        shots.add(gradients({"rnn.l0.fwd": rate}, LENGTHS), epoch)
    assert shots.verdict() == verdict
    assert shots.scalars()["gradient/slope_per_step_start"] == pytest.approx(np.log(start), abs=1e-9)
    assert shots.scalars()["gradient/slope_per_step_end"] == pytest.approx(np.log(end), abs=1e-9)
    assert shots.scalars()["gradient/norm_start"] == 5


def test_the_top_layer_forwards_speaks_for_the_model() -> None:
    model = ModelSpec(Features(2), Recurrent("rnn", 2, 2, bidirectional=True), Dense(2), "squared")
    shots = Snapshots(model, batch(LENGTHS))
    rates = {"rnn.l0.fwd": 0.2, "rnn.l0.bwd": 0.3, "rnn.l1.fwd": 0.97, "rnn.l1.bwd": 0.4}
    shots.add(gradients(rates, LENGTHS), 0)
    assert shots.verdict() == "stable"
    assert shots.scalars()["gradient/half_life_steps"] == pytest.approx(np.log(2) / -np.log(0.97))
    for layer, rate in rates.items():
        assert shots.decays[0][layer].slope == pytest.approx(np.log(rate))


@pytest.mark.parametrize("readout", ["mean", "steps"])
def test_a_loss_that_enters_everywhere_gives_no_verdict(readout: str) -> None:
    model = replace(sign_model(), readout=readout)  # type: ignore[arg-type]
    shots = Snapshots(model, batch(LENGTHS))
    shots.add(gradients({"rnn.l0.fwd": 0.2}, LENGTHS), 0)
    assert shots.verdict() == "undefined"
    assert shots.scalars()["gradient/slope_per_step_end"] == pytest.approx(np.log(0.2))


def test_a_model_without_recurrence_has_norms_but_no_decay() -> None:
    model = ModelSpec(Features(6), Convolutional(6, 6, channels=(2,), hidden=3), Dense(2), "cross_entropy")
    pictures = Batch(np.ones((2, 6, 6)), np.full(2, 6, np.int32), np.zeros(2, np.int32))
    shots = Snapshots(model, pictures)
    shots.take(program(model, Recipe()), 0)
    assert shots.verdict() == "undefined"
    assert shots.scalars()["gradient/norm_start"] > 0
    assert not any("half_life" in name for name in shots.scalars())
    assert {series.axis for series in shots.series()} == {"epoch"}


def test_the_series_of_a_real_network() -> None:
    data, model = sign_data(), sign_model()
    first = next(sign_batcher(data).epoch(data.train, 0, 0))
    net, shots = program(model, Recipe(learning_rate=0.1)), Snapshots(model, first)
    for epoch in (0, 1):
        shots.take(net, epoch)
        net.step(first)
    named = {series.name: series for series in shots.series()}
    profile = named["gradient/state/rnn.l0.fwd/start"]
    assert profile.x == list(range(len(profile.x)))
    assert all(value > 0 for value in profile.y)
    assert {name.rsplit("/", 1)[1] for name in named if name.startswith("gradient/norm/")} == {
        "rnn.l0.fwd",
        "out",
        "all",
    }
    norms = named["gradient/norm/all"]
    assert norms.x == [0, 1]
    assert norms.y[0] != norms.y[1]
