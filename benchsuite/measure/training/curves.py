"""What training notes down: losses, norms, metrics, update sizes, and the time that steps took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from benchsuite.contracts import Program, StepLog
from benchsuite.schema import Recipe, Series


@dataclass
class Curves:
    """Grows during training; read once at the end."""

    losses: list[np.ndarray] = field(default_factory=list)
    norms: list[np.ndarray] = field(default_factory=list)
    peaks: list[np.ndarray] = field(default_factory=list)
    metrics: list[dict[str, float]] = field(default_factory=list)
    epoch_seconds: list[float] = field(default_factory=list)
    update_ratios: list[tuple[int, float]] = field(default_factory=list)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    first_step_seconds: float = 0.0
    steps: int = 0
    sequences: int = 0

    @property
    def last_loss(self) -> float | None:
        return float(self.losses[-1][-1]) if self.losses else None

    @property
    def all_losses(self) -> list[float]:
        return [float(loss) for part in self.losses for loss in part]

    def note_log(self, log: StepLog) -> int:
        """Keep a log; returns how many steps were logged before it."""
        before = sum(len(part) for part in self.losses)
        if len(log.loss):
            self.losses.append(log.loss)
            self.norms.append(log.norm)
            self.peaks.append(log.peak)
        return before

    def note_metrics(self, metrics: dict[str, float]) -> None:
        """The validation metrics at the end of an epoch, and the seconds that training had taken by then."""
        self.metrics.append(metrics)
        self.epoch_seconds.append(self.seconds)

    def note_update(self, ratio: float) -> None:
        """The relative size of the update that the latest step made."""
        self.update_ratios.append((self.steps, ratio))

    def scalars(self, recipe: Recipe) -> dict[str, float]:
        found = {
            "train/steps": float(self.steps),
            "train/sequences": float(self.sequences),
            "train/seconds": self.seconds,
            "train/cpu_seconds": self.cpu_seconds,
            "speed/first_step_seconds": self.first_step_seconds,
        }
        if self.losses:
            found["train/loss_first"] = float(self.losses[0][0])
            found["train/loss_final"] = float(self.losses[-1][-1])
            if recipe.clip != "none":
                seen = np.concatenate(self.norms if recipe.clip == "norm" else self.peaks)
                found["gradient/clipped_share"] = float(np.mean(seen > recipe.clip_at))
        if self.update_ratios:
            found["gradient/update_ratio_start"] = self.update_ratios[0][1]
            found["gradient/update_ratio_end"] = self.update_ratios[-1][1]
        return found

    def series(self, recipe: Recipe) -> list[Series]:
        found = []
        if self.losses:
            losses = np.concatenate(self.losses)
            steps = np.arange(1.0, len(losses) + 1).tolist()
            found.append(Series(name="train/loss", axis="step", x=steps, y=losses.tolist()))
            if recipe.clip == "norm":
                norms = np.concatenate(self.norms).tolist()
                found.append(Series(name="gradient/norm_before_clip", axis="step", x=steps, y=norms))
        for name in self.metrics[0] if self.metrics else ():
            values = [metrics.get(name, float("nan")) for metrics in self.metrics]
            epochs = np.arange(1.0, len(values) + 1).tolist()
            found.append(Series(name=f"val/{name}", axis="epoch", x=epochs, y=values))
        if self.epoch_seconds:
            ends = np.arange(1.0, len(self.epoch_seconds) + 1).tolist()
            found.append(Series(name="train/seconds", axis="epoch", x=ends, y=self.epoch_seconds))
        if self.update_ratios:
            x = [float(step) for step, _ in self.update_ratios]
            y = [ratio for _, ratio in self.update_ratios]
            found.append(Series(name="gradient/update_ratio", axis="step", x=x, y=y))
        return found


class TrainingClock:
    """Adds the time spent inside `with TrainingClock(curves)` to the curves, less what ran inside `paused`."""

    def __init__(self, curves: Curves) -> None:
        self._curves = curves

    def __enter__(self) -> TrainingClock:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *error: object) -> None:
        self._curves.seconds += time.perf_counter() - self._wall
        self._curves.cpu_seconds += time.process_time() - self._cpu

    @contextmanager
    def paused(self, program: Program) -> Iterator[None]:
        """Finish the steps so far inside the clock, then run the body outside of it."""
        program.synchronize()
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()
