"""What every scalar of a record is: one source for docs/records.md, for the Methods page and for hints."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache


@dataclass(frozen=True)
class Figure:
    """Scalars that share a definition.

    names     as docs/records.md writes them, in Markdown
    meaning   the definition, in Markdown
    patterns  which scalars it is of; `*` stands for anything
    """

    names: str
    meaning: str
    patterns: tuple[str, ...]


FIGURES = (
    Figure(
        "`test/<metric>`",
        "the task's metrics on the test split, with the weights of the best validation epoch",
        ("test/*",),
    ),
    Figure(
        "`val/<metric>`",
        "the same on the validation split, at that epoch. What is written is written greedily there; "
        "on the test split by a beam of `protocol.beam`, and `test/greedy_<metric>` stands beside it",
        ("val/*", "test/greedy_*"),
    ),
    Figure(
        "`test/cross_entropy`, `test/token_accuracy`, `test/unended_share`",
        "of a decoder: mean -ln p by target token and the share of tokens that are likeliest, both "
        "under teacher forcing; the share of rows whose END was not written within the limit",
        (
            "test/cross_entropy",
            "test/token_accuracy",
            "test/unended_share",
        ),
    ),
    Figure(
        "`train/epochs`, `train/steps`, `train/sequences`, `train/best_epoch`",
        "how much was trained",
        (
            "train/epochs",
            "train/steps",
            "train/sequences",
            "train/best_epoch",
        ),
    ),
    Figure(
        "`train/seconds`, `train/cpu_seconds`",
        "wall and CPU time of training steps and batch assembly, compilation included (of each new "
        "batch shape), evaluation and gradient statistics not",
        (
            "train/seconds",
            "train/cpu_seconds",
        ),
    ),
    Figure(
        "`train/loss_first`, `train/loss_final`",
        "loss of the first and of the last batch",
        (
            "train/loss_first",
            "train/loss_final",
        ),
    ),
    Figure(
        "`train/time_to_target_seconds`, `train/target_reached`",
        "`train/seconds`, compilation included, at the end of the first epoch whose validation metric "
        "reached the recipe's target",
        (
            "train/time_to_target_seconds",
            "train/target_reached",
        ),
    ),
    Figure(
        "`gradient/norm_start`, `_end`",
        "L2 norm of the whole gradient on the first training batch, before and after training",
        ("gradient/norm_*",),
    ),
    Figure(
        "`gradient/maximum_start`, `_end`; `gradient/zero_fraction_start`, `_end`",
        "largest absolute entry; share of exact zeros",
        (
            "gradient/maximum_*",
            "gradient/zero_fraction_*",
        ),
    ),
    Figure(
        "`gradient/slope_per_step_start`, `_end`",
        "slope of ln|dL/dh| per step back in time, top layer, forward direction",
        ("gradient/slope_per_step_*",),
    ),
    Figure(
        "`gradient/half_life_steps_start`, `_end`",
        "ln 2 / −slope: steps back over which the gradient halves; infinite where it does not shrink. "
        "`gradient/half_life_steps` is that at the end",
        ("gradient/half_life_steps*",),
    ),
    Figure(
        "`gradient/change_start`, `_end`",
        "exp(slope × longest lag): what is left of the gradient at the first step. Below 1e-2: "
        "vanishing; above 1e2: exploding",
        ("gradient/change_*",),
    ),
    Figure(
        "`gradient/clipped_share`",
        "share of the steps whose gradient was clipped",
        ("gradient/clipped_share",),
    ),
    Figure(
        "`gradient/update_ratio_start`, `_end`",
        "|Δp| / |p| of one optimiser step",
        ("gradient/update_ratio_*",),
    ),
    Figure(
        "`parity/loss_error`, `prediction_error`, `gradient_error`, `state_error`",
        "largest relative error against the float64 reference on the first batch",
        (
            "parity/loss_error",
            "parity/prediction_error",
            "parity/gradient_error",
            "parity/state_error",
        ),
    ),
    Figure(
        "`parity/step_error`",
        "the same of the losses of the first two training steps: what is timed is held to the "
        "reference as well, however it was compiled",
        ("parity/step_error",),
    ),
    Figure(
        "`parity/widened`",
        "by which factor the tolerances of gradients and dL/dhₜ were widened because their terms cancel: "
        "1 nearly always",
        ("parity/widened",),
    ),
    Figure(
        "`parity/worst_ratio`",
        "largest error over its tolerance: above 1 is a breach",
        ("parity/worst_ratio",),
    ),
    Figure(
        "`speed/import_seconds`, `build_seconds`, `first_step_seconds`",
        "the parts of `speed/cold_start_seconds`; in a warm worker the import was paid once",
        (
            "speed/import_seconds",
            "speed/build_seconds",
            "speed/first_step_seconds",
            "speed/cold_start_seconds",
        ),
    ),
    Figure(
        "`speed/compile_seconds`",
        "first step less a steady step: tracing and compiling for the first batch's shape alone",
        ("speed/compile_seconds",),
    ),
    Figure(
        "`speed/step_*`, `inference_*`, `transfer_*`",
        "steady state of a training step, of predict(), of copying a batch to the device: median, "
        "quartile distance (`iqr`), 95 % bootstrap interval (`low`, `high`), CPU time (`cpu`); "
        "`warm`: 1 where warm-up settled in its time",
        (
            "speed/step_*",
            "speed/inference_*",
            "speed/transfer_*",
        ),
    ),
    Figure(
        "`speed/sequences_per_second`, `time_steps_per_second`",
        "throughput of training; real steps, not padding",
        (
            "speed/sequences_per_second",
            "speed/time_steps_per_second",
        ),
    ),
    Figure(
        "`speed/inference_sequences_per_second`",
        "throughput of predict() at the training batch's size",
        ("speed/inference_sequences_per_second",),
    ),
    Figure(
        "`speed/latency_p50_seconds`, `_p95_`, `_p99_`",
        "one row from the device to its scores, by quantile over `protocol.latency` calls (0, the default: "
        "not measured)",
        ("speed/latency_*",),
    ),
    Figure(
        "`speed/generation_*`, `speed/generated_tokens_per_second`",
        "greedy writing of one batch by a decoder, and its throughput",
        (
            "speed/generation_*",
            "speed/generated_tokens_per_second",
        ),
    ),
    Figure(
        "`speed/padding_share`",
        "share of the timed batches that is padding",
        ("speed/padding_share",),
    ),
    Figure(
        "`speed/flops_per_step`",
        "operations of the step's matrix products, counted analytically",
        ("speed/flops_per_step",),
    ),
    Figure(
        "`speed/peak_flops_per_second`",
        "the best matrix-product rate that the backend's library and NumPy's showed at these shapes, the "
        "products of several steps at once; a report takes the best of all backends",
        ("speed/peak_flops_per_second",),
    ),
    Figure(
        "`speed/peak_share`, `inference_peak_share`",
        "the share of it that training and inference reach",
        (
            "speed/peak_share",
            "speed/inference_peak_share",
        ),
    ),
    Figure(
        "`memory/train_peak_bytes` (`build_`, `time_`)",
        "highest resident set of the worker in that phase; `memory/peak_bytes` is training's. It "
        "holds the interpreter, the frameworks and the data set; what earlier trials freed has gone "
        "back to the system, but a first trial also pays for libraries loaded on first use: "
        "`--isolation trial` makes all trials first ones",
        (
            "memory/train_peak_bytes",
            "memory/build_peak_bytes",
            "memory/time_peak_bytes",
            "memory/peak_bytes",
        ),
    ),
    Figure(
        "`memory/train_extra_bytes`",
        "training's peak above what was resident before the model was built",
        ("memory/train_extra_bytes",),
    ),
    Figure(
        "`energy/train_cpu_joules`, `_memory_`, `_gpu_`; `energy/train_joules`",
        "joules that the hardware's own counters (RAPL, NVML) grew by while the trial was "
        "trained, evaluation of its epochs included, by part and in all. Counters are of whole "
        "packages: idling is in them, and what else ran there. Only where `BENCHSUITE_ENERGY=1` "
        "asks for it and a counter can be read; nothing is estimated",
        ("energy/*",),
    ),
    Figure(
        "`model/parameters`",
        "trainable numbers",
        ("model/parameters",),
    ),
)
"""In the order of docs/records.md, which a test holds to this."""


@cache
def definition(name: str) -> str:
    """What the scalar of that name is, as plain text; "" for one that no figure defines, such as a probe's of a
    plugin. The most exact pattern decides."""
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
