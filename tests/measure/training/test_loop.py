"""The training loop on the NumPy reference: what it keeps, when it stops, what it says."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from fixtures.tiny import MeanData, MeanTask, SignData, SignTask, program, sign_batcher, sign_data

from benchsuite.contracts import Program, Ragged, Split, StepLog
from benchsuite.contracts.backend import Parameters
from benchsuite.errors import RequestError
from benchsuite.measure.batching import Batcher
from benchsuite.measure.training import Evaluator, Outcome, Snapshots, train
from benchsuite.measure.training.loop import DRAIN_STEPS, limited
from benchsuite.schema import Dense, Features, ModelSpec, Recipe, Recurrent, Scalar, Series, Size
from benchsuite_numpy.reference import ReferenceProgram

ROWS = 16
STEPS_AN_EPOCH = 96 // ROWS


@dataclass(frozen=True)
class Run:
    """A finished training and what was reported after each epoch."""

    outcome: Outcome
    program: Program
    reports: list[tuple[int, float | None, float | None]]

    @property
    def scalars(self) -> dict[str, float]:
        return self.outcome.scalars

    def series(self, name: str) -> Series:
        return next(series for series in self.outcome.series if series.name == name)

    @property
    def metrics(self) -> list[float | None]:
        return [metric for _, _, metric in self.reports]


def fit(
    task: SignTask | None = None,
    snapshots: int = 2,
    seed: int = 0,
    precision: str = "float64",
    kind: type[ReferenceProgram] | None = None,
    **recipe: object,
) -> Run:
    """Train a small GRU (on SignTask, if no other is given)."""
    task = task or SignTask()
    data = task.load("generated", {})
    model = data.model("plain", "gru", Size(hidden=4))
    how = Recipe.model_validate({"learning_rate": 0.02, "batch_size": ROWS, "epochs": 3} | recipe)
    net: Program = program(model, how, seed, precision)
    if kind is not None:
        net = kind(model, net.parameters(), how, precision)
    cut = sign_batcher(data, ROWS, precision)
    shots = Snapshots(model, next(cut.epoch(data.train, seed, 0)))
    reports: list[tuple[int, float | None, float | None]] = []
    evaluator = Evaluator(cut, data, model, how)
    outcome = train(net, evaluator, seed, shots, snapshots, lambda *said: reports.append(said))
    return Run(outcome, net, reports)


def assert_same(a: Parameters, b: Parameters) -> None:
    assert list(a) == list(b)
    for name, value in a.items():
        np.testing.assert_array_equal(value, b[name], err_msg=name)


def test_training_learns() -> None:
    run = fit(epochs=20)
    assert run.scalars["train/loss_final"] < 0.5 * run.scalars["train/loss_first"]
    assert max(metric for metric in run.metrics if metric is not None) > 0.9


def test_equal_seeds_train_equally_and_others_do_not() -> None:
    one, again, other = fit(seed=1), fit(seed=1), fit(seed=2)
    assert_same(one.outcome.parameters, again.outcome.parameters)
    assert one.series("train/loss").y == again.series("train/loss").y
    assert one.series("train/loss").y != other.series("train/loss").y


@pytest.mark.parametrize("task", [SignTask(), MeanTask()], ids=["higher is better", "lower is better"])
def test_the_weights_kept_are_those_of_the_best_epoch(task: SignTask) -> None:
    """Training again and ending at that epoch gives exactly the weights that the long run kept."""
    run = fit(task, epochs=12, learning_rate=0.2)
    metrics = np.array(run.metrics, float)
    loaded = task.load("generated", {})
    best = int((np.argmax if loaded.higher_is_better else np.argmin)(metrics)) + 1
    assert 1 < best < 12, "the recipe must make the last epoch worse than the best one"
    assert run.scalars["train/best_epoch"] == best
    assert run.scalars[f"val/{loaded.primary}"] == metrics[best - 1]
    assert_same(run.outcome.parameters, fit(task, epochs=best, learning_rate=0.2).program.parameters())


def test_patience_ends_training_that_many_epochs_after_the_best() -> None:
    long, short = fit(epochs=12, learning_rate=0.2), fit(epochs=12, learning_rate=0.2, patience=2)
    metrics = np.array(long.metrics, float)
    ended = next(
        epoch for epoch in range(1, 13) if epoch - (int(np.argmax(metrics[:epoch])) + 1) >= 2 or epoch == 12
    )
    assert ended < 12
    assert short.scalars["train/epochs"] == ended
    assert short.metrics == long.metrics[:ended]
    assert short.scalars["train/steps"] == ended * STEPS_AN_EPOCH


@pytest.mark.parametrize(
    ("steps", "epochs"), [(1, 1), (STEPS_AN_EPOCH, 1), (STEPS_AN_EPOCH + 1, 2), (999, 3)]
)
def test_a_step_limit_ends_training_in_the_middle_of_an_epoch(steps: int, epochs: int) -> None:
    run = fit(steps=steps)
    taken = min(steps, 3 * STEPS_AN_EPOCH)
    assert run.scalars["train/steps"] == taken
    assert run.scalars["train/sequences"] == taken * ROWS
    assert run.scalars["train/epochs"] == epochs
    assert len(run.series("train/loss").y) == taken
    assert run.series("train/loss").x == list(range(1, taken + 1))


@pytest.mark.parametrize(("precision", "rate"), [("float32", 1e20), ("float64", 1e100)])
def test_a_huge_learning_rate_is_an_outcome_that_names_the_step(precision: str, rate: float) -> None:
    with np.errstate(all="ignore"):
        run = fit(MeanTask(), precision=precision, optimiser="sgd", learning_rate=rate, epochs=50)
    losses = np.array(run.series("train/loss").y)
    first = int(np.flatnonzero(~np.isfinite(losses))[0]) + 1
    assert run.outcome.diverged == f"the training loss became {losses[first - 1]} at step {first}"
    assert run.scalars["train/epochs"] < 50


def test_divergence_in_the_last_update_is_seen_in_the_predictions() -> None:
    """The loss is taken before the update: a single step that ruins the weights leaves a finite loss."""
    with np.errstate(all="ignore"):
        run = fit(precision="float32", optimiser="sgd", learning_rate=1e39, steps=1)
    assert np.isfinite(run.scalars["train/loss_final"])
    assert run.outcome.diverged == "the validation accuracy became nan after step 1"


def test_divergence_keeps_the_best_weights_of_before() -> None:
    class LateDisaster(ReferenceProgram):
        taken = 0

        def step(self, placed: Any, state: Any = None) -> object:
            self.taken += 1
            if self.taken == STEPS_AN_EPOCH + 2:
                self.load_parameters({name: value * np.nan for name, value in self.parameters().items()})
            return super().step(placed, state)

    run = fit(kind=LateDisaster)
    assert run.outcome.diverged == f"the training loss became nan at step {STEPS_AN_EPOCH + 2}"
    assert_same(run.outcome.parameters, fit(epochs=1).program.parameters())
    assert len(run.reports) == 1


def test_the_time_to_a_target_is_training_time_when_it_was_first_reached() -> None:
    reached = fit(epochs=6, target=0.0).scalars
    assert reached["train/target_reached"] == 1
    assert 0 < reached["train/time_to_target_seconds"] < reached["train/seconds"]
    missed = fit(target=1.1).scalars
    assert missed["train/target_reached"] == 0
    assert "train/time_to_target_seconds" not in missed
    assert "train/target_reached" not in fit().scalars
    assert fit(MeanTask(), target=1e9).scalars["train/target_reached"] == 1


@pytest.mark.parametrize(
    ("snapshots", "epochs", "taken"), [(2, 4, [0, 4]), (3, 4, [0, 2, 4]), (9, 2, [0, 1, 2])]
)
def test_snapshots_are_spread_from_start_to_end(snapshots: int, epochs: int, taken: list[int]) -> None:
    run = fit(snapshots=snapshots, epochs=epochs)
    profiles = [series.name for series in run.outcome.series if series.name.startswith("gradient/state/")]
    moments = ["start", *(f"epoch_{epoch}" for epoch in taken[1:-1]), "end"]
    assert profiles == [f"gradient/state/rnn.l0.fwd/{moment}" for moment in moments]
    assert run.series("gradient/norm/all").x == taken
    assert run.series("gradient/update_ratio").x == [1.0 + STEPS_AN_EPOCH * epoch for epoch in taken[:-1]]
    assert run.outcome.gradient_verdict in ("vanishing", "stable", "exploding")


def test_looking_at_gradients_does_not_change_training() -> None:
    assert_same(fit(snapshots=2).outcome.parameters, fit(snapshots=4).outcome.parameters)


def test_the_share_of_clipped_steps_is_that_of_the_norms() -> None:
    run = fit(clip="norm", clip_at=0.25, epochs=5)
    norms = np.array(run.series("gradient/norm_before_clip").y)
    share = float(np.mean(norms > 0.25))
    assert 0 < share < 1
    assert run.scalars["gradient/clipped_share"] == share
    assert fit(clip="norm", clip_at=1e6).scalars["gradient/clipped_share"] == 0
    assert fit(clip="value", clip_at=1e-9).scalars["gradient/clipped_share"] == 1
    assert "gradient/clipped_share" not in fit().scalars


def test_the_clock_stands_still_while_parameters_are_copied() -> None:
    """The sizes of updates are a measurement; their copies of the parameters are not training."""

    class SlowlyCopied(ReferenceProgram):
        copies = 0

        def parameters(self) -> Parameters:
            SlowlyCopied.copies += 1
            if SlowlyCopied.copies == 1:
                time.sleep(0.3)
            return super().parameters()

    begin = time.perf_counter()
    run = fit(kind=SlowlyCopied)
    whole = time.perf_counter() - begin
    assert run.series("gradient/update_ratio").x == [1.0]
    assert run.scalars["train/seconds"] <= whole - 0.3


def test_the_clock_stands_still_during_validation() -> None:
    class SlowlyScored(SignData):
        def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
            time.sleep(0.05)
            return super().score(predictions, split)

    class SlowTask(SignTask):
        def load(self, source: str, options: Mapping[str, Scalar]) -> SignData:
            return SlowlyScored(**vars(super().load(source, options)))

    begin = time.perf_counter()
    run = fit(SlowTask())
    whole = time.perf_counter() - begin
    assert whole - run.scalars["train/seconds"] >= 3 * 0.05
    assert 0 < run.scalars["speed/first_step_seconds"] <= run.scalars["train/seconds"]
    assert run.scalars["train/cpu_seconds"] > 0


def test_the_program_is_looked_at_once_after_its_first_step() -> None:
    """Outside of what counts as training time; what is raised there ends the training."""
    data, how = sign_data(), Recipe(batch_size=ROWS, epochs=2)
    model = data.model("plain", "gru", Size(hidden=6))
    cut = sign_batcher(data, ROWS)
    shots = Snapshots(model, next(cut.epoch(data.train, 0, 0)))
    evaluator = Evaluator(cut, data, model, how)
    net, seen = program(model, how), []

    def look(given: Program) -> None:
        seen.append((given is net, len(given.drain().loss)))
        time.sleep(0.3)

    outcome = train(net, evaluator, 0, shots, 2, lambda *_: None, look)
    assert seen == [(True, 1)]
    assert outcome.scalars["train/seconds"] < 0.3

    def refuse(_given: Program) -> None:
        raise RequestError("not this one")

    with pytest.raises(RequestError, match="not this one"):
        train(program(model, how), evaluator, 0, shots, 2, lambda *_: None, refuse)


def test_losses_are_not_read_back_after_every_step() -> None:
    drained: list[int] = []

    class Watched(ReferenceProgram):
        def drain(self) -> StepLog:
            log = super().drain()
            drained.append(len(log.loss))
            return log

    fit(kind=Watched, batch_size=1, epochs=2)  # the loop's own batches have 16 rows
    assert drained == [STEPS_AN_EPOCH] * 2
    drained.clear()
    fit(kind=Watched, epochs=20)
    assert max(drained) <= DRAIN_STEPS
    assert len(drained) <= 20 + 20 * STEPS_AN_EPOCH // DRAIN_STEPS
    assert sum(drained) == 20 * STEPS_AN_EPOCH


def stream_data(steps: int = 64) -> WalkData:
    """A walk whose next value depends on one thrown long ago: the target is the sum of all inputs so far."""
    values = np.random.default_rng(0).normal(size=(steps, 1)) / 8
    split = Split(Ragged.from_sequences([values]), Ragged.from_sequences([np.cumsum(values, axis=0)]))
    return WalkData(name="walk", train=split, validation=split, test=split)


class WalkData(MeanData):
    """Scored over the steps of one stream."""

    def score(self, predictions: np.ndarray, split: Split) -> dict[str, float]:
        return {"mse": float(np.mean((predictions[0] - split.step_targets[0]) ** 2))}


def fit_stream(**recipe: object) -> Run:
    data = stream_data()
    model = ModelSpec(Features(1), Recurrent("gru", 4), Dense(1), "squared", "steps")
    given = {"carry": True, "truncation": 8, "batch_size": 2, "epochs": 2} | recipe
    how = Recipe.model_validate(given)
    net = program(model, how)
    cut = Batcher(1, (64,), "float64")
    shots = Snapshots(model, next(cut.epoch(data.train, 0, 0)))
    evaluator = Evaluator(cut, data, model, how)
    outcome = train(net, evaluator, 0, shots, 2, lambda *_said: None)
    return Run(outcome, net, [])


def test_a_carried_stream_is_cut_into_chunks() -> None:
    run = fit_stream()
    assert run.scalars["train/steps"] == 2 * 64 // (2 * 8)
    assert run.outcome.gradient_verdict == "undefined"
    assert (
        fit_stream(epochs=12, learning_rate=0.03).scalars["train/loss_final"]
        < run.scalars["train/loss_first"]
    )


def test_carrying_the_state_matters() -> None:
    class Forgetting(ReferenceProgram):
        def step(self, placed: Any, state: Any = None) -> object:  # noqa: ARG002
            return super().step(placed)

    data = stream_data()
    model = ModelSpec(Features(1), Recurrent("gru", 4), Dense(1), "squared", "steps")
    how = Recipe(carry=True, truncation=8, batch_size=2, epochs=1)
    forgetting = Forgetting(model, program(model, how).parameters(), how, "float64")
    cut = Batcher(1, (64,), "float64")
    shots = Snapshots(model, next(cut.epoch(data.train, 0, 0)))
    evaluator = Evaluator(cut, data, model, how)
    outcome = train(forgetting, evaluator, 0, shots, 2, lambda *_said: None)
    losses = next(series for series in outcome.series if series.name == "train/loss").y
    carried = fit_stream(epochs=1).series("train/loss").y
    assert losses[0] == carried[0]
    assert losses[1] != carried[1]


def test_a_stream_needs_the_length_of_its_chunks() -> None:
    with pytest.raises(RequestError, match=r"recipe.carry needs recipe.truncation"):
        fit_stream(truncation=None)


def test_a_limit_keeps_the_same_choice_in_order() -> None:
    split = sign_data().train
    some = limited(split, 10)
    starts = some.inputs.starts
    assert len(some) == 10
    assert list(starts) == sorted(starts)
    assert list(starts) != list(split.inputs.starts[:10])
    assert list(limited(split, 10).inputs.starts) == list(starts)
    assert limited(split, None) is split
    assert limited(split, 10**6) is split
