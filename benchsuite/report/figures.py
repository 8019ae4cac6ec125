"""What every scalar of a record is: one source for docs/records.md, for the page Methods and for hints."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache


@dataclass(frozen=True)
class ScalarDefinition:
    """Scalars that share a definition.

    names     as docs/records.md has them, in Markdown
    meaning   the definition, in Markdown
    patterns  which scalars it is of; `*` matches anything
    """

    names: str
    meaning: str
    patterns: tuple[str, ...]


_D = ScalarDefinition
FIGURES = (
    _D(
        "`test/<metric>`",
        "the task's metrics on the test split, with the weights of the best validation epoch",
        ("test/*",),
    ),
    _D(
        "`val/<metric>`",
        "the same on the validation split, at that epoch. Sequences are decoded greedily there; on the test "
        "split they are decoded by a beam of `protocol.beam`, and `test/greedy_<metric>` is the greedy result",
        ("val/*", "test/greedy_*"),
    ),
    _D(
        "`test/cross_entropy`, `test/token_accuracy`, `test/unended_share`",
        "of a decoder: mean -ln p per target token, and the share of target tokens that are the likeliest, "
        "both under teacher forcing; the share of rows for which no END was generated within the limit",
        ("test/cross_entropy", "test/token_accuracy", "test/unended_share"),
    ),
    _D(
        "`train/epochs`, `train/steps`, `train/sequences`, `train/best_epoch`",
        "epochs, optimiser steps and sequences that were trained; the epoch with the best validation metric",
        ("train/epochs", "train/steps", "train/sequences", "train/best_epoch"),
    ),
    _D(
        "`train/seconds`, `train/cpu_seconds`",
        "wall and CPU time of training steps and of assembling batches. Compilation (of each new batch shape) "
        "is included, evaluation and gradient statistics are not",
        ("train/seconds", "train/cpu_seconds"),
    ),
    _D(
        "`train/loss_first`, `train/loss_final`",
        "loss of the first and of the last batch",
        ("train/loss_first", "train/loss_final"),
    ),
    _D(
        "`train/time_to_target_seconds`, `train/target_reached`",
        "`train/seconds`, compilation included, at the end of the first epoch whose validation metric "
        "reached the recipe's target; 1 where it was reached",
        ("train/time_to_target_seconds", "train/target_reached"),
    ),
    _D(
        "`gradient/norm_start`, `_end`",
        "L2 norm of the whole gradient on the first training batch, before and after training",
        ("gradient/norm_*",),
    ),
    _D(
        "`gradient/maximum_start`, `_end`; `gradient/zero_fraction_start`, `_end`",
        "largest absolute entry of the gradient; share of its entries that are exactly zero",
        ("gradient/maximum_*", "gradient/zero_fraction_*"),
    ),
    _D(
        "`gradient/slope_per_step_start`, `_end`",
        "slope of ln|dL/dh| per step back in time, top layer, forward direction",
        ("gradient/slope_per_step_*",),
    ),
    _D(
        "`gradient/half_life_steps_start`, `_end`",
        "ln 2 / −slope: steps back in time over which the gradient halves; infinite where it does not shrink. "
        "`gradient/half_life_steps` is the one at the end",
        ("gradient/half_life_steps*",),
    ),
    _D(
        "`gradient/change_start`, `_end`",
        "exp(slope × longest lag): the share of the gradient that is left at the first step. Below 1e-2: "
        "vanishing; above 1e2: exploding",
        ("gradient/change_*",),
    ),
    _D(
        "`gradient/clipped_share`",
        "share of the training steps whose gradient was clipped",
        ("gradient/clipped_share",),
    ),
    _D(
        "`gradient/update_ratio_start`, `_end`",
        "|Δp| / |p| of one optimiser step",
        ("gradient/update_ratio_*",),
    ),
    _D(
        "`parity/loss_error`, `prediction_error`, `gradient_error`, `state_error`",
        "largest relative error compared with the float64 reference, on the first batch",
        ("parity/loss_error", "parity/prediction_error", "parity/gradient_error", "parity/state_error"),
    ),
    _D(
        "`parity/step_error`",
        "the same for the losses of the first two training steps, because the code that is timed may be "
        "compiled apart from the code that gives gradients",
        ("parity/step_error",),
    ),
    _D(
        "`parity/widened`",
        "the factor by which the tolerances of gradients and dL/dhₜ were widened because their terms cancel: "
        "1 nearly always",
        ("parity/widened",),
    ),
    _D(
        "`parity/widened_forward`",
        "the factor by which the tolerances of loss, predictions and first steps were widened because rounding "
        "adds up over many steps: 1 nearly always",
        ("parity/widened_forward",),
    ),
    _D(
        "`parity/worst_ratio`",
        "largest error divided by its tolerance: above 1 is a breach",
        ("parity/worst_ratio",),
    ),
    _D(
        "`speed/import_seconds`, `build_seconds`, `first_step_seconds`",
        "the parts of `speed/cold_start_seconds`; a worker imports its framework once, for its first trial",
        (
            "speed/import_seconds",
            "speed/build_seconds",
            "speed/first_step_seconds",
            "speed/cold_start_seconds",
        ),
    ),
    _D(
        "`speed/compile_seconds`",
        "first step minus a steady step: tracing and compiling for the shape of the first batch",
        ("speed/compile_seconds",),
    ),
    _D(
        "`speed/step_*`, `inference_*`, `transfer_*`",
        "steady state of a training step, of predict(), and of copying a batch to the device: median, "
        "interquartile range (`iqr`), 95 % bootstrap interval (`low`, `high`), CPU time (`cpu`); "
        "`warm`: 1 where the times settled during the warm-up",
        ("speed/step_*", "speed/inference_*", "speed/transfer_*"),
    ),
    _D(
        "`speed/sequences_per_second`, `time_steps_per_second`",
        "throughput of training by wall time; padding does not count as time steps",
        ("speed/sequences_per_second", "speed/time_steps_per_second"),
    ),
    _D(
        "`speed/inference_sequences_per_second`",
        "throughput of predict() at the training batch's size",
        ("speed/inference_sequences_per_second",),
    ),
    _D(
        "`speed/latency_p50_seconds`, `_p95_`, `_p99_`",
        "one row from the device to its scores: quantiles of `protocol.latency` calls (0, the default: "
        "not measured)",
        ("speed/latency_*",),
    ),
    _D(
        "`speed/online_p50_seconds`, `_p95_`, `_p99_`",
        "one time step of one row, from the state of the step before to its scores: quantiles of "
        "`protocol.online` calls (0, the default: not measured). Not of models that need the whole sequence; "
        "the fact `online.not_measured` then says why",
        ("speed/online_*",),
    ),
    _D(
        "`speed/generation_*`, `speed/generated_tokens_per_second`",
        "greedy decoding of one batch, and its throughput",
        ("speed/generation_*", "speed/generated_tokens_per_second"),
    ),
    _D(
        "`speed/padding_share`",
        "share of the timed batches that is padding",
        ("speed/padding_share",),
    ),
    _D(
        "`speed/flops_per_step`",
        "floating-point operations of the step's matrix products, counted analytically",
        ("speed/flops_per_step",),
    ),
    _D(
        "`speed/peak_flops_per_second`",
        "the best rate of matrix products of these shapes that the backend's library and NumPy's reached, the "
        "products of several steps at once; a report takes the best of all backends",
        ("speed/peak_flops_per_second",),
    ),
    _D(
        "`speed/peak_share`, `inference_peak_share`",
        "the share of this rate that training and inference reach",
        ("speed/peak_share", "speed/inference_peak_share"),
    ),
    _D(
        "`memory/train_peak_bytes` (`build_`, `time_`)",
        "highest resident set of the worker in that phase; `memory/peak_bytes` is that of training. It "
        "includes the interpreter, the frameworks and the data set. What earlier trials freed was given back "
        "to the system; a worker's first trial also loads libraries: with `--isolation trial` every trial is "
        "a first one",
        ("memory/train_peak_bytes", "memory/build_peak_bytes", "memory/time_peak_bytes", "memory/peak_bytes"),
    ),
    _D(
        "`memory/train_extra_bytes`",
        "peak of training minus what was resident before the model was built",
        ("memory/train_extra_bytes",),
    ),
    _D(
        "`time/<part>_seconds`, `time/<part>_cpu_seconds`",
        "wall and CPU seconds of a part of the trial: `import` (of the framework, where this trial did it: a "
        "worker imports it once, often before its first trial), `data`, `build`, `calibration`, `compile` "
        "(tracing and compiling what training and evaluation call, as the backend tells it; the facts "
        "`compiled.<function>` have the shapes), `parity`, `training`, `evaluation` (validation and test), "
        "`snapshots` (gradient statistics), `timing`, `waiting` (for trials that are timed). No moment is in "
        "two parts; what the trial took beyond their sum is shown as `other`",
        ("time/*",),
    ),
    _D(
        "`energy/train_cpu_joules`, `_memory_`, `_gpu_`; `energy/train_joules`",
        "joules by which the hardware's own counters (RAPL, NVML) grew while the trial was trained and its "
        "epochs evaluated, by part and in all. A counter is of a whole package: idling and other processes "
        "are included. Only where `BENCHSUITE_ENERGY=1` asks for it and a counter can be read; nothing is "
        "estimated",
        ("energy/*",),
    ),
    _D(
        "`model/parameters`",
        "number of trainable parameters",
        ("model/parameters",),
    ),
)
"""In the order of docs/records.md, which a test compares with this."""


@cache
def definition(name: str) -> str:
    """What the scalar of that name is, as plain text; "" for one that has no definition here, such as that of a
    plugin's probe. The most exact pattern decides."""
    found = [
        (len(pattern.replace("*", "")), figure.meaning)
        for figure in FIGURES
        for pattern in figure.patterns
        if fnmatchcase(name, pattern)
    ]
    return plain(max(found)[1]) if found else ""


def plain(markdown: str) -> str:
    """Markdown of a definition without its marks."""
    return re.sub(r"`([^`]*)`", r"\1", markdown)
