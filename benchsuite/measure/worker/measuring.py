"""The speed figures of a trained program."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from benchsuite.contracts import Backend, Batch, Program, Split, State
from benchsuite.measure.batching import Batcher, training_batches
from benchsuite.measure.decoding import greedy_search
from benchsuite.measure.dropout import with_masks
from benchsuite.measure.flops import forward_products, inference_flops, training_flops
from benchsuite.measure.timing import (
    BUDGET_SECONDS,
    Samples,
    StepAudit,
    answers_from_memory,
    exceeds_threads,
    peak_rate,
    steady_state,
    too_many_threads,
    unsynchronised,
)
from benchsuite.schema import INVALID_TIMING, Decoder, ModelSpec, Series, Trial

BATCHES = 4
GENERATION_ROUNDS = 5


@dataclass
class Speed:
    """Scalars `speed/...`, their samples, and a verdict: stable, unstable or a word of INVALID_TIMING."""

    scalars: dict[str, float] = field(default_factory=dict)
    series: list[Series] = field(default_factory=list)
    verdict: str = "stable"


def measure_speed(
    program: Program,
    backends: Sequence[Backend],
    model: ModelSpec,
    trial: Trial,
    batcher: Batcher,
    train: Split,
) -> Speed:
    """Steady-state training step, inference and transfer on a few pre-loaded batches, with throughput
    and the share of the peak that the best of `backends` shows. Takes optimiser steps: measure last."""
    batches = timing_batches(trial, batcher, train, model)
    placed = [program.place(batch) for batch in batches]
    count = len(batches)

    def steps() -> None:
        state: State | None = None
        for each in placed:
            state = program.step(each, state)

    def inference() -> None:
        state: State | None = None
        for each in placed:
            _, state = program.predict(each, state)

    def transfer() -> None:
        for batch in batches:
            program.place(batch)

    found = Speed()
    program.drain()
    audit = StepAudit(program, placed[0])
    step = steady_state(steps, program.synchronize, trial.protocol)
    found.verdict = step_verdict(program, audit, placed, steps, step, trial)
    predict = steady_state(inference, program.synchronize, trial.protocol)
    if found.verdict not in INVALID_TIMING and answers_from_memory(program, placed, predict.summary.median):
        found.verdict = "cached"
    move = steady_state(transfer, program.synchronize, trial.protocol)
    for name, samples in (("step", step), ("inference", predict), ("transfer", move)):
        _describe(found, name, samples, count)
    _throughput(found, batches, step, count)
    sequences = sum(batch.sequences for batch in batches)
    found.scalars["speed/inference_sequences_per_second"] = sequences / predict.summary.median
    if trial.protocol.latency:
        _latency(found, program, batches[count // 2], trial.protocol.latency)
    if model.decoder is not None:
        _generation(found, program, model.decoder, placed[count // 2], batches[count // 2], trial)
    _limits(found, batches, model, backends, trial, step, predict)
    return found


def step_verdict(
    program: Program,
    audit: StepAudit,
    placed: Sequence[object],
    steps: Callable[[], None],
    step: Samples,
    trial: Trial,
) -> str:
    """Whether the timed steps may be believed: stable, unstable, or a word of INVALID_TIMING.

    :param steps: what was timed: a step on each of the batches `placed`.
    """
    said = audit.problem(step.total * len(placed))
    if unsynchronised(program, steps, step.summary.median):
        return "unsynchronised"  # first: what is still at work has not logged all its losses either
    if said:
        return said
    threads = trial.execution.threads
    if trial.execution.device == "cpu" and (
        too_many_threads(step, threads) or exceeds_threads(program, placed, threads)
    ):
        return "threads"
    return "unstable" if step.summary.unstable else "stable"


def timing_batches(trial: Trial, batcher: Batcher, train: Split, model: ModelSpec) -> list[Batch]:
    """A few of the batches that are trained on, the same ones for every backend and seed: of a stream its
    first chunks, of which the first begins at zero, else those of an epoch whose longest rows stand in the
    middle of each quarter. Each has the dropout masks of one step."""
    return [
        with_masks(batch, model, trial.recipe, 0, step, batcher.dtype)
        for step, batch in enumerate(_timing_batches(trial, batcher, train), 1)
    ]


def _timing_batches(trial: Trial, batcher: Batcher, train: Split) -> list[Batch]:
    if trial.recipe.carry:
        chunks = islice(training_batches(trial.recipe, batcher, train, 0, 0), BATCHES)
        return [chunk.batch for chunk in chunks]
    drawn = batcher.drawn(train, seed=0, epoch=0)
    by_longest = np.argsort(train.inputs.lengths[drawn].max(axis=1), kind="stable")
    count = min(BATCHES, len(drawn))
    middles = (2 * np.arange(count) + 1) * len(drawn) // (2 * count)
    return [batcher.batch(train, drawn[place]) for place in by_longest[middles]]


def _describe(found: Speed, name: str, samples: Samples, count: int) -> None:
    summary = samples.summary
    found.scalars |= {
        f"speed/{name}_median_seconds": summary.median / count,
        f"speed/{name}_iqr_seconds": summary.iqr / count,
        f"speed/{name}_low_seconds": summary.low / count,
        f"speed/{name}_high_seconds": summary.high / count,
        f"speed/{name}_cpu_seconds": samples.cpu_median / count,
        f"speed/{name}_warm": float(samples.warm),
    }
    rounds = np.arange(len(samples.wall), dtype=float).tolist()
    for clock, values in (("wall", samples.wall), ("cpu", samples.cpu)):
        found.series.append(
            Series(name=f"speed/{name}_{clock}", axis="sample", x=rounds, y=(values / count).tolist())
        )


def _throughput(found: Speed, batches: list[Batch], step: Samples, count: int) -> None:
    seconds = step.summary.median / count
    found.scalars["speed/sequences_per_second"] = sum(batch.sequences for batch in batches) / count / seconds
    steps = sum(batch.valid_steps for batch in batches) / count
    found.scalars["speed/time_steps_per_second"] = steps / seconds
    padded = sum(batch.size * batch.time for batch in batches) / count
    found.scalars["speed/padding_share"] = 1.0 - steps / padded


def _generation(
    found: Speed, program: Program, decoder: Decoder, placed: object, batch: Batch, trial: Trial
) -> None:
    """Greedy decoding of one batch, a few times: it takes as long as the longest row is."""
    protocol = trial.protocol
    few = protocol.model_copy(update={"rounds": min(protocol.rounds, GENERATION_ROUNDS)})
    generated = greedy_search(program, placed, decoder, batch.size)

    def generate() -> None:
        greedy_search(program, placed, decoder, batch.size)

    samples = steady_state(generate, program.synchronize, few)
    _describe(found, "generation", samples, 1)
    tokens = int(np.count_nonzero(generated.tokens))
    found.scalars["speed/generated_tokens_per_second"] = tokens / samples.summary.median


LATENCY_QUANTILES = (50, 95, 99)
WARM_UP_CALLS = 5


def _latency(found: Speed, program: Program, batch: Batch, calls: int) -> None:
    """Seconds from a single row on the device to its scores on the host, by quantile over `calls` calls."""
    target_lengths = None if batch.target_lengths is None else batch.target_lengths[:1]
    resets = None if batch.resets is None else batch.resets[:1]
    row = Batch(
        batch.inputs[:1], batch.lengths[:1], batch.targets[:1], target_lengths=target_lengths, resets=resets
    )
    placed = program.place(row)
    for _ in range(WARM_UP_CALLS):
        program.predict(placed)
    seconds = []
    for _ in range(calls):
        begin = time.perf_counter()
        program.predict(placed)
        seconds.append(time.perf_counter() - begin)
    for share in LATENCY_QUANTILES:
        found.scalars[f"speed/latency_p{share}_seconds"] = float(np.percentile(seconds, share))
    each = np.arange(calls, dtype=float).tolist()
    found.series.append(Series(name="speed/latency_wall", axis="sample", x=each, y=seconds))


def _limits(
    found: Speed,
    batches: list[Batch],
    model: ModelSpec,
    backends: Sequence[Backend],
    trial: Trial,
    step: Samples,
    predict: Samples,
) -> None:
    """Floating-point rate and the share it is of what the machine's products reach at these shapes."""
    # a trial that is timed briefly takes no longer over the limit than over its steps
    seconds = min(BUDGET_SECONDS, trial.protocol.rounds * trial.protocol.round_seconds)
    peak = peak_rate(forward_products(model, batches[0]), backends, trial.execution, seconds)
    training = sum(training_flops(model, batch) for batch in batches)
    inference = sum(inference_flops(model, batch) for batch in batches)
    found.scalars |= {
        "speed/flops_per_step": training / len(batches),
        "speed/peak_flops_per_second": peak,
        "speed/peak_share": training / step.summary.median / peak,
        "speed/inference_peak_share": inference / predict.summary.median / peak,
    }
