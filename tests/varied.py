"""A study that varies what pages of a report look for: sizes, lengths, batches, allocators, clipping, and
truncation; and models with a published figure."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import synthetic

from benchsuite.spec import Record, Series, Status, Trial
from benchsuite.store import StudyStore

SLOPES = {"rnn": 0.4, "lstm": 0.03, "gru": 0.05}
KERNELS = {"torch": "onednn", "jax": "scan", "numpy": "python_loop+openblas"}
SPEEDS = {"torch": 8000.0, "jax": 4000.0, "numpy": 2000.0}


def trial(**fields: Any) -> Trial:
    given: dict[str, Any] = {
        "task": "adding", "source": "generated", "options": {"length": 100, "examples": 1000}, "cell": "lstm",
        "architecture": "plain", "backend": "torch", "size": {"hidden": 64},
        "execution": {"unroll": "dynamic", "allocator": "tuned"},
        "recipe": {"epochs": 10, "clip": "norm", "learning_rate": 0.001},
    }  # fmt: skip
    return Trial.model_validate(given | fields)


def trials() -> Iterator[Trial]:
    """Cells by backends, several sizes, both allocators and clippings, truncations, a published model."""
    for cell, backend, seed in itertools.product(SLOPES, SPEEDS, range(3)):
        yield trial(cell=cell, backend=backend, seed=seed)
    for hidden, backend in itertools.product((32, 64, 128, 256), SPEEDS):
        yield trial(backend=backend, size={"hidden": hidden})
    for length in (50, 100, 200):
        yield trial(options={"length": length, "examples": 1000})
    for batch in (16, 32, 64, 128):
        yield trial(recipe={"epochs": 10, "clip": "norm", "learning_rate": 0.001, "batch_size": batch})
    yield trial(execution={"unroll": "dynamic", "allocator": "default"})
    yield trial(cell="rnn", recipe={"epochs": 10, "clip": "none", "learning_rate": 0.001})
    for truncation in (5, 20):
        yield trial(recipe={"epochs": 10, "clip": "norm", "learning_rate": 0.001, "truncation": truncation})
    published = {
        "task": "mnist_rows", "source": "mnist", "options": {"view": "rows", "head": "dense", "permutation": 0},
        "cell": "rnn", "size": {"hidden": 150},
    }  # fmt: skip
    for seed in range(3):
        recipe = {"epochs": 100, "learning_rate": 0.001, "batch_size": 150}
        yield trial(**published, recipe=recipe, seed=seed)
        yield trial(**published, recipe=recipe | {"epochs": 8, "learning_rate": 0.01}, seed=seed)


def record(made: Trial, place: int) -> Record:
    """A record whose step takes 1e-5 s times batch, length and (hidden / 64) to the power of 1.5."""
    noise = np.random.default_rng(place)
    known = made.task == "adding"
    length = made.options["length"] if known else 28
    batch = made.recipe.batch_size
    assert isinstance(length, int)
    slower = 1.3 if made.execution.allocator == "default" else 1.0
    step = slower * batch / SPEEDS[made.backend] * (length / 100) * (made.size.hidden / 64) ** 1.5
    step *= math.exp(0.01 * noise.normal())
    slope = SLOPES[made.cell]
    metric, value = ("mse", 0.05) if known else ("accuracy", 0.975 + 0.001 * noise.normal())
    diverged = made.recipe.clip == "none" and known
    scalars = {
        f"test/{metric}": value,
        "train/loss_final": math.inf if diverged else 0.1,
        "gradient/clipped_share": 0.0 if made.recipe.clip == "none" else 0.4,
        "gradient/half_life_steps_start": math.log(2) / slope,
        "gradient/half_life_steps_end": math.inf if made.cell == "gru" else math.log(2) / slope,
        "gradient/change_start": math.exp(-slope * (length - 1)),
        "gradient/change_end": math.exp(-slope * (length - 1)),
        "parity/loss_error": 4e-8,
        "parity/prediction_error": 3e-7,
        "parity/gradient_error": 1e-6 * math.exp(noise.normal()),
        "parity/state_error": 0.0,
        "parity/step_error": 1e-7,
        "parity/worst_ratio": 0.1 * math.exp(0.3 * noise.normal()),
        "parity/widened": 1.0,
        "speed/import_seconds": 1.5,
        "speed/build_seconds": 0.01,
        "speed/first_step_seconds": 0.8 if made.backend == "jax" else step,
        "speed/compile_seconds": 0.8 if made.backend == "jax" else 0.0,
        "speed/cold_start_seconds": 2.3,
        "speed/step_median_seconds": step,
        "speed/step_low_seconds": step * 0.98,
        "speed/step_high_seconds": step * 1.02,
        "speed/sequences_per_second": batch / step,
        "speed/time_steps_per_second": batch * length / step,
        "speed/flops_per_step": 1e6 * batch,
        "speed/peak_flops_per_second": 1e11,
        "speed/peak_share": 1e6 * batch / step / 1e11,
        "memory/peak_bytes": 2e8,
        "memory/train_extra_bytes": 1e7,
        "model/parameters": 3e4,
    }
    if diverged:
        scalars = {name: v for name, v in scalars.items() if not name.startswith(("test/", "speed/"))}
    return Record(
        trial=made,
        status=Status.DIVERGED if diverged else Status.OK,
        reason="the training loss was infinite at step 7" if diverged else "",
        scalars=scalars,
        verdicts={"parity": "ok", "speed": "stable", "gradient": _verdict(made)},
        kernel=KERNELS[made.backend],
        primary=metric,
        higher_is_better=not known,
        baselines={"constant": {"mse": 0.167}} if known else {"majority": {"accuracy": 0.11}},
        environment=synthetic.ENVIRONMENT,
        fingerprint="f",
        started=1.79e9,
        finished=1.79e9 + place + 1,
    )


def _verdict(made: Trial) -> str:
    if made.recipe.truncation:
        return "truncated"
    return "vanishing" if made.cell == "rnn" else "stable"


def series(made: Trial) -> list[Series]:
    length = made.options["length"] if made.task == "adding" else 28
    assert isinstance(length, int)
    lags = [float(lag) for lag in range(length)]
    cut = made.recipe.truncation or length
    sizes = [0.0 if lag >= cut else 0.1 * math.exp(-SLOPES[made.cell] * lag) for lag in lags]
    epochs = [float(n) for n in range(1, made.recipe.epochs + 1)]
    fast = made.recipe.learning_rate == 0.01
    learnt = [0.98 if fast or epoch > 20 else 0.9 for epoch in epochs]
    steps = [float(n) for n in range(1, 501)]
    metric = "mse" if made.task == "adding" else "accuracy"
    return [
        Series(name=f"val/{metric}", axis="epoch", x=epochs, y=learnt),
        Series(name="gradient/norm_before_clip", axis="step", x=steps, y=[1 + n % 7 for n in steps]),
        *(
            Series(name=f"gradient/state/rnn.l0.fwd/{when}", axis="lag", x=lags, y=sizes)
            for when in ("start", "end")
        ),
    ]


def study(folder: Path) -> Path:
    """The study's folder."""
    (folder / "series").mkdir(parents=True)
    store = StudyStore(folder)
    with store.writing():
        store.describe({"matrix": {"name": folder.name, "text": ""}, "environment": synthetic.ENVIRONMENT})
    from benchsuite.store.series import write_series

    with (folder / "records.jsonl").open("w", encoding="utf-8") as journal:
        for place, made in enumerate({one.id: one for one in trials()}.values()):
            journal.write(record(made, place).model_dump_json() + "\n")
            write_series(folder / "series" / f"{made.id}.parquet", series(made))
    return folder
