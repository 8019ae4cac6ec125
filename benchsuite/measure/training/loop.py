"""The training loop: the same for every backend, and out of the way of its steps.

Losses are read back every DRAIN_STEPS steps and at the end of an epoch, never after each step, so that a
device is kept busy. Only steps count as training time; validation and snapshots are outside of it, and so is
the time in which training stops because another trial is timed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from benchsuite.contracts import Batch, Parameters, Program, Split, State
from benchsuite.data import fixed_order
from benchsuite.measure.batching import training_batches
from benchsuite.measure.dropout import with_masks
from benchsuite.measure.gradients import update_ratio
from benchsuite.measure.machine import MachineLock
from benchsuite.measure.stopwatch import Stopwatch
from benchsuite.measure.training.curves import Curves, TrainingClock
from benchsuite.measure.training.evaluation import Evaluator
from benchsuite.measure.training.snapshots import Snapshots, snapshot_epochs
from benchsuite.schema import Series

DRAIN_STEPS = 100

Report = Callable[[int, float | None, float | None], None]
"""Called after each epoch with (epochs done, loss of the last training batch, validation metric)."""


@dataclass
class Outcome:
    """What training produced. `parameters` are those of the epoch with the best validation metric."""

    parameters: Parameters
    diverged: str = ""
    losses: list[float] = field(default_factory=list)
    """Of every training step, in order."""
    scalars: dict[str, float] = field(default_factory=dict)
    series: list[Series] = field(default_factory=list)
    gradient_verdict: str = "undefined"


class Trainer:
    """One training run of one program. `run()` is called once."""

    def __init__(
        self,
        program: Program,
        evaluator: Evaluator,
        seed: int,
        snapshots: Snapshots,
        snapshot_count: int,
        after_first_step: Callable[[Program], None] = lambda _program: None,
        machine: MachineLock | None = None,
        watch: Stopwatch | None = None,
    ) -> None:
        """`after_first_step` is called once, outside of what counts as training time; what it raises ends the
        training. `machine` says when to stop between two steps, because another trial is timed; None for never.
        `watch` is told what is no training; None: nobody asks.
        """
        self.watch = watch or Stopwatch()
        self.after_first_step, self.machine = after_first_step, machine
        self.program, self.evaluator, self.seed, self.snapshots = program, evaluator, seed, snapshots
        self.task, self.recipe = evaluator.task, evaluator.recipe
        self.snapshot_at = set(snapshot_epochs(self.recipe.epochs, snapshot_count))
        self.curves = Curves()
        self.best: tuple[float, int, Parameters] | None = None
        self.target_seconds: float | None = None

    def run(self, report: Report) -> Outcome:
        """Train to the end, to the step limit, until patience runs out, or until the loss or the validation
        metric is not finite."""
        diverged = ""
        epoch = 0
        while epoch < self.recipe.epochs and not self._steps_are_done():
            if epoch in self.snapshot_at:
                self._snapshot(epoch)
            diverged = self._epoch(epoch)
            epoch += 1
            if diverged:
                break
            with self.watch.of("evaluation"):
                metrics = self.evaluator.metrics(self.program, self.task.validation)
            self.curves.note_metrics(metrics)
            metric = metrics[self.task.primary]
            self._note(metric, epoch)
            report(epoch, self.curves.last_loss, metric)
            if not np.isfinite(metric):
                # a loss is taken before its update: a step that ruins the weights shows here first
                named = f"validation {self.task.primary}"
                diverged = f"the {named} became {metric} after step {self.curves.steps}"
                break
            if self._patience_is_over(epoch):
                break
        if not diverged:
            self._snapshot(epoch)
        return self._outcome(epoch, diverged)

    def _snapshot(self, epoch: int) -> None:
        with self.watch.of("snapshots"):
            self.snapshots.take(self.program, epoch)

    def _epoch(self, epoch: int) -> str:
        """One pass over the training split; returns why training diverged, or an empty string."""
        before = None
        if epoch in self.snapshot_at:
            with self.watch.of("snapshots"):
                before = self.program.parameters()
        with TrainingClock(self.curves) as clock:
            cut, state = self.evaluator.batcher, None
            for batch, begins in training_batches(self.recipe, cut, self.task.train, self.seed, epoch):
                state = self._step(batch, None if begins else state)
                if self.curves.steps == 1:
                    with clock.paused(self.program), self.watch.of("parity"):
                        self.after_first_step(self.program)
                if before is not None:
                    with clock.paused(self.program), self.watch.of("snapshots"):
                        self.curves.note_update(update_ratio(before, self.program.parameters()))
                    before = None
                if self.machine is not None and self.machine.wanted():
                    with clock.paused(self.program):
                        self.machine.step_aside()
                if self._steps_are_done():
                    break
                if self.curves.steps % DRAIN_STEPS == 0 and (diverged := self._drain()):
                    return diverged
            return self._drain()

    def _step(self, batch: Batch, state: State | None) -> State | None:
        begin = time.perf_counter()
        step, dtype = self.curves.steps + 1, self.evaluator.batcher.dtype
        batch = with_masks(batch, self.evaluator.model, self.recipe, self.seed, step, dtype)
        state = self.program.step(self.program.place(batch), state)
        if self.curves.steps == 0:
            self.program.synchronize()
            self.curves.first_step_seconds = time.perf_counter() - begin
        self.curves.steps += 1
        self.curves.sequences += batch.size
        return state

    def _drain(self) -> str:
        log = self.program.drain()
        first = self.curves.note_log(log) + 1
        if np.all(np.isfinite(log.loss)):
            return ""
        at = int(np.flatnonzero(~np.isfinite(log.loss))[0])
        return f"the training loss became {log.loss[at]} at step {first + at}"

    def _steps_are_done(self) -> bool:
        return self.recipe.steps is not None and self.curves.steps >= self.recipe.steps

    def _better(self, metric: float, than: float) -> bool:
        return metric > than if self.task.higher_is_better else metric < than

    def _note(self, metric: float, epoch: int) -> None:
        if np.isfinite(metric) and (self.best is None or self._better(metric, self.best[0])):
            self.best = (metric, epoch, self.program.parameters())
        target = self.recipe.target
        reached = target is not None and (metric == target or self._better(metric, target))
        if reached and self.target_seconds is None:
            self.target_seconds = self.curves.seconds

    def _patience_is_over(self, epoch: int) -> bool:
        if self.recipe.patience is None:
            return False
        best_epoch = self.best[1] if self.best else 0
        return epoch - best_epoch >= self.recipe.patience

    def _outcome(self, epochs: int, diverged: str) -> Outcome:
        parameters = self.best[2] if self.best else self.program.parameters()
        scalars = {"train/epochs": float(epochs)} | self.curves.scalars(self.recipe)
        if self.best:
            scalars["train/best_epoch"] = float(self.best[1])
            best = self.curves.metrics[self.best[1] - 1]
            scalars |= {f"val/{name}": value for name, value in best.items()}
        if self.recipe.target is not None:
            scalars["train/target_reached"] = float(self.target_seconds is not None)
        if self.target_seconds is not None:
            scalars["train/time_to_target_seconds"] = self.target_seconds
        outcome = Outcome(
            parameters, diverged, self.curves.all_losses, scalars, self.curves.series(self.recipe)
        )
        if self.snapshots.epochs:
            outcome.scalars |= self.snapshots.scalars()
            outcome.series += self.snapshots.series()
            outcome.gradient_verdict = self.snapshots.verdict()
        return outcome


def train(
    program: Program,
    evaluator: Evaluator,
    seed: int,
    snapshots: Snapshots,
    snapshot_count: int,
    report: Report,
    after_first_step: Callable[[Program], None] = lambda _program: None,
    machine: MachineLock | None = None,
    watch: Stopwatch | None = None,
) -> Outcome:
    """Train `program` on the training split of the evaluator's task, by its recipe. See Trainer."""
    trainer = Trainer(program, evaluator, seed, snapshots, snapshot_count, after_first_step, machine, watch)
    return trainer.run(report)


def limited(split: Split, limit: int | None) -> Split:
    """At most `limit` examples of a split, in order: the same ones for every seed, so that the spread over
    seeds stays that of training."""
    if limit is None or limit >= len(split):
        return split
    return split.select(np.sort(fixed_order(len(split), 0)[:limit]))
