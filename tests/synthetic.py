"""Studies as large as one likes, as runs would have left them: for tests of reports and of their speed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchsuite.spec import Exhibit, Record, Series, Status, Trial
from benchsuite.store import StudyStore

CELLS = {"rnn": (0.86, 0.35), "gru": (0.965, 0.06), "lstm": (0.970, 0.05)}
"""Cell -> accuracy it tends to, natural logarithm that its gradient loses a step."""
ARCHITECTURES = {"plain": (0.0, 1.0), "deep": (0.006, 0.55), "bidirectional": (0.004, 0.6)}
"""Architecture -> what it adds to the accuracy, its share of the plain one's speed."""
KERNELS = {
    "torch": "aten+onednn", "jax": "scan", "numpy": "python_loop+openblas", "tensorflow": "while_loop",
}  # fmt: skip
BACKENDS = {"torch": 21000.0, "jax": 9000.0, "numpy": 5200.0, "tensorflow": 2600.0}
TASKS = (
    ("mnist_rows", "digits", "accuracy", True, {"view": "rows"}),
    ("time_series", "elnino", "mse", False, {"window": 24, "horizon": 12}),
    ("sentiment", "generated", "accuracy", True, {"length": 20}),
    ("adding", "generated", "mse", False, {"length": 50}),
    ("speech", "synthetic", "accuracy", True, {"noise": 0.1}),
)
EPOCHS, LENGTH = 14, 28
ENVIRONMENT = {
    "hardware.cpu": "Example 9000",
    "hardware.cores": "8",
    "hardware.logical_cores": "16",
    "hardware.memory_bytes": str(32 * 2**30),
    "system.platform": "Linux-6.1-x86_64-with-glibc2.36",
    "python.version": "3.11.7",
    "python.numpy": "2.4.6",
    "python.distributions": ", ".join(f"distribution{n}=={n}.0" for n in range(150)),
    "code.git_commit": "0123456789abcdef0123456789abcdef01234567",
    "data.sha256": "ab" * 32,
    "data.licence": "CC BY 4.0",
    "backend.version": "2.13.0",
}


def trials(count: int, seeds: int = 3, tasks: int = 3) -> Iterator[Trial]:
    """The first `count` trials of a full matrix: hidden size, task, architecture, cell, backend, seed."""
    made = itertools.product(
        (32, 64, 128, 256, 512, 1024), TASKS[:tasks], ARCHITECTURES, CELLS, BACKENDS, range(seeds)
    )
    for hidden, (task, source, _, _, options), architecture, cell, backend, seed in itertools.islice(
        made, count
    ):
        yield Trial.model_validate(
            {
                "task": task,
                "source": source,
                "options": options,
                "cell": cell,
                "architecture": architecture,
                "backend": backend,
                "size": {"hidden": hidden},
                "execution": {"unroll": "fused" if backend == "torch" else "dynamic"},
                "recipe": {"epochs": EPOCHS, "clip": "norm"},
                "seed": seed,
            }
        )


def study(folder: Path, count: int = 108, seeds: int = 3, tasks: int = 3) -> Path:
    """A study's folder with `count` trials. Curves repeat after a few dozen of them."""
    (folder / "series").mkdir(parents=True)
    (folder / "exhibits").mkdir()
    store = StudyStore(folder)
    with store.writing():
        store.describe(
            {"matrix": {"name": folder.name, "text": f'name = "{folder.name}"\n'}, "environment": ENVIRONMENT}
        )
    curves: dict[tuple[str, int], bytes] = {}
    with (folder / "records.jsonl").open("w", encoding="utf-8") as journal:
        for place, trial in enumerate(trials(count, seeds, tasks)):
            made = record(trial, place)
            journal.write(made.model_dump_json() + "\n")
            if made.status in (Status.OK, Status.DIVERGED):
                known = (trial.cell, trial.seed)
                path = folder / "series" / f"{trial.id}.parquet"
                if known not in curves:
                    from benchsuite.store.series import write_series

                    write_series(path, series(trial))
                    curves[known] = path.read_bytes()
                path.write_bytes(curves[known])
    return folder


def record(trial: Trial, place: int = 0) -> Record:
    """What the trial might have given; the `place` decides what went wrong with it."""
    random = np.random.default_rng([trial.seed, len(trial.cell), len(trial.architecture), trial.size.hidden])
    noise = np.random.default_rng(place)
    _, _, primary, higher, _ = next(task for task in TASKS if task[0] == trial.task)
    goal, slope = CELLS[trial.cell]
    gain, slower = ARCHITECTURES[trial.architecture]
    accuracy = goal + gain + 0.002 * random.normal() + 0.004 * math.log2(trial.size.hidden / 32)
    value = accuracy if higher else 2 * (1.0 - accuracy)
    speed = (
        BACKENDS[trial.backend] * slower * (32 / trial.size.hidden) ** 0.8 * math.exp(0.03 * noise.normal())
    )
    step = 32 / speed
    kind = place % 40
    status, reason = Status.OK, ""
    verdicts = {
        "parity": "ok",
        "gradient": "vanishing" if trial.cell == "rnn" else "stable",
        "speed": "stable",
    }
    if kind == 17:
        status, reason = Status.FAILED, "ValueError: shapes (3,) and (4,) do not fit"
    elif kind == 23:
        status, reason = Status.SKIPPED, "a static graph of this length takes minutes to compile"
    elif kind == 31:
        status, reason = Status.DIVERGED, "the training loss was infinite at step 40"
    elif kind == 37:
        verdicts["parity"] = "breach"
        reason = "gradient rnn.l0.fwd.Wh: error 3.1e-05 above 2e-05"
    if kind == 7:
        verdicts["speed"] = "unstable"
    common: dict[str, Any] = {"trial": trial, "reason": reason, "fingerprint": "f", "started": 1.79e9 + place}
    if status in (Status.FAILED, Status.SKIPPED):
        return Record(status=status, exception="Traceback: ..." if reason[0] == "V" else "",
                      finished=1.79e9 + place + 0.1, **common)  # fmt: skip
    decay = math.exp(-slope * (LENGTH - 1))
    scalars = {
        f"test/{primary}": value,
        "test/cross_entropy": 0.1 + random.random() / 50,
        f"val/{primary}": value * 1.01,
        "train/epochs": float(EPOCHS),
        "train/steps": 40.0 * EPOCHS,
        "train/sequences": 1280.0 * EPOCHS,
        "train/seconds": 1280 * EPOCHS / speed,
        "train/loss_first": 2.3,
        "train/loss_final": 0.1,
        "train/best_epoch": 12.0,
        "train/time_to_target_seconds": 1280 * 6 / speed,
        "train/target_reached": 1.0,
        "gradient/norm_start": 0.5,
        "gradient/norm_end": 0.3,
        "gradient/slope_per_step_end": -slope,
        "gradient/half_life_steps": math.log(2) / slope,
        "gradient/half_life_steps_end": math.log(2) / slope,
        "gradient/change_end": decay,
        "gradient/clipped_share": 0.2,
        "parity/loss_error": 4e-8,
        "parity/gradient_error": 3e-7 * math.exp(noise.normal()),
        "parity/worst_ratio": 1.55 if verdicts["parity"] == "breach" else 0.02 * math.exp(noise.normal()),
        "speed/step_median_seconds": step,
        "speed/step_iqr_seconds": step * 0.04,
        "speed/step_low_seconds": step * 0.98,
        "speed/step_high_seconds": step * 1.03,
        "speed/step_cpu_seconds": step * 0.95,
        "speed/inference_median_seconds": step / 3,
        "speed/sequences_per_second": speed,
        "speed/time_steps_per_second": speed * LENGTH,
        "speed/flops_per_step": 335360.0,
        "speed/peak_flops_per_second": 3e10,
        "speed/peak_share": 335360.0 / step / 3e10,
        "speed/compile_seconds": {"jax": 1.1, "tensorflow": 2.3}.get(trial.backend, 0.0),
        "speed/cold_start_seconds": {"jax": 1.9, "tensorflow": 5.2}.get(trial.backend, 0.6),
        "speed/import_seconds": 0.5,
        "speed/build_seconds": 0.01,
        "speed/first_step_seconds": step * 3,
        "memory/peak_bytes": (210 + 0.4 * trial.size.hidden) * 2.0**20,
        "memory/train_extra_bytes": 12.0 * 2**20,
        "model/parameters": 4.0 * trial.size.hidden * (trial.size.hidden + 8),
    }
    if status is Status.DIVERGED or verdicts["parity"] == "breach":
        scalars = {name: value for name, value in scalars.items() if not name.startswith("speed/")}
    if status is Status.DIVERGED:
        scalars = {name: value for name, value in scalars.items() if not name.startswith("test/")}
        scalars["train/loss_final"] = math.inf
    return Record(
        status=status,
        scalars=scalars,
        verdicts=verdicts,
        kernel=KERNELS[trial.backend],
        baselines={"majority": {"accuracy": 0.1}} if higher else {"naive": {"mse": 0.31}, "mean": {"mse": 1.0}},
        primary=primary,
        higher_is_better=higher,
        environment=ENVIRONMENT | {"data.sha256": f"{len(trial.task):02d}" * 32},
        finished=1.79e9 + place + 1280 * EPOCHS / speed,
        **common,
    )  # fmt: skip


def series(trial: Trial) -> list[Series]:
    """Curves as a training leaves them."""
    random = np.random.default_rng([trial.seed, len(trial.cell)])
    _, _, primary, higher, _ = next(task for task in TASKS if task[0] == trial.task)
    goal, slope = CELLS[trial.cell]
    steps, epochs, lags = np.arange(1, 561.0), np.arange(1, EPOCHS + 1.0), np.arange(float(LENGTH))
    loss = 2.3 * np.exp(-steps / 120) + 0.1 + 0.05 * random.random(len(steps))
    learnt = goal - 0.8 * np.exp(-epochs / 3) + 0.01 * random.normal(size=EPOCHS)
    curves = [
        ("train/loss", "step", steps, loss),
        ("gradient/norm_before_clip", "step", steps, 0.4 + random.random(len(steps))),
        (f"val/{primary}", "epoch", epochs, learnt if higher else 2 * (1 - learnt)),
        ("val/cross_entropy", "epoch", epochs, 2 * (1 - learnt)),
        *(
            (f"gradient/state/rnn.l0.fwd/{when}", "lag", lags, 0.1 * np.exp(-slope * lags * factor))
            for when, factor in (("start", 1.3), ("epoch_7", 1.1), ("end", 1.0))
        ),
        *(
            (f"gradient/norm/{layer}", "epoch", np.array([0.0, 7, 14]), np.array([0.5, 0.4, 0.3]))
            for layer in ("rnn.l0.fwd", "out", "all")
        ),
        *(
            (f"speed/{what}_{clock}", "sample", np.arange(12.0), 1e-3 * (1 + 0.03 * random.normal(size=12)))
            for what in ("step", "inference", "transfer")
            for clock in ("wall", "cpu")
        ),
    ]
    return [Series(name=name, axis=axis, x=list(x), y=list(y)) for name, axis, x, y in curves]  # type: ignore[arg-type]


def exhibits() -> list[Exhibit]:
    """One of each kind."""
    counts = [
        [30.0 if row == column else float((row + column) % 3) for column in range(10)] for row in range(10)
    ]
    wave = [[math.sin(step / 4)] for step in range(36)]
    ramp = [[(x + y) / 30 for x in range(16)] for y in range(16)]
    return [
        Exhibit(name="confusion of the test split", kind="confusion",
                lines={"classes": [str(digit) for digit in range(10)]}, tables={"counts": counts}),
        Exhibit(name="window 0", kind="forecast",
                tables={"input": wave[:24], "truth": wave[24:],
                        "prediction": [[0.9 * x] for (x,) in wave[24:]]}),
        Exhibit(name="sentence 3", kind="text",
                lines={"source": ["ein", "Mann", "fährt", "Rad", "."],
                       "target": ["a", "man", "rides", "a", "bike", "."],
                       "prediction": ["a", "man", "rides", "a", "bicycle", "."]},
                tables={"alignment": [[0.8 if abs(u - t) < 1 else 0.05 for t in range(5)] for u in range(7)]}),
        Exhibit(name="frames", kind="picture", tables={"truth": ramp, "prediction": ramp[::-1]}),
    ]  # fmt: skip
