"""What the metrics, baselines and exhibits of a task must satisfy."""

from __future__ import annotations

import numpy as np

from benchsuite.contracts import Ragged, Split
from benchsuite.measure.conformance.task_data import TaskUnderTest, calling, demand
from benchsuite.schema import Exhibit, ModelSpec

FEW_ROWS = 3


def perfect_predictions(model: ModelSpec, split: Split) -> np.ndarray:
    """What a model that knows the targets would give LoadedTask.score(): scores of 10 for the right class and 0
    for the others, the reals themselves, logits of -10 to 10 for what is between 0 and 1, or the targets
    themselves. By step, what lies beyond a row's length is zero."""
    targets, inside = split.targets, None
    if isinstance(targets, Ragged):
        rows, lengths = np.arange(len(targets)), targets.lengths
        targets = targets.padded(rows, int(lengths.max()))
        if not split.aligned:
            return targets
        inside = np.arange(targets.shape[1]) < lengths[:, None]
    if targets.dtype.kind == "i":
        found: np.ndarray = np.eye(model.head.outputs, dtype=np.float32)[targets] * 10
    elif model.loss == "binary_cross_entropy":
        found = targets.astype(np.float32) * 20 - 10
    else:
        found = targets.astype(np.float32)
    if inside is not None:
        found[~inside] = 0
    return found


def _perfect(found: TaskUnderTest) -> np.ndarray:
    return perfect_predictions(found.models[found.entry.architectures[0]], found.task.test)


def check_scores(found: TaskUnderTest) -> None:
    """Every metric is a finite number, the primary one is among them, also of some rows of a split; and
    predictions that are all right have a better one than constant ones, as `higher_is_better` says."""
    task, perfect = found.task, _perfect(found)
    by_step = isinstance(task.test.targets, Ragged) and task.test.aligned
    constant = np.zeros_like(perfect) + (perfect[:1, :1] if by_step else perfect[:1])
    few = np.arange(min(FEW_ROWS, len(task.test)))
    asked = (
        ("", perfect, task.test),
        ("", constant, task.test),
        (" of a few rows", perfect[few], task.test.select(few)),
    )
    scores = []
    for which, predictions, split in asked:
        with calling(f"score(){which}"):
            by_metric = task.score(predictions, split)
        demand(
            task.primary in by_metric,
            f"{task.name}: score(){which} lacks the primary metric {task.primary!r}",
        )
        finite = all(np.isfinite(value) for value in by_metric.values())
        demand(finite, f"{task.name}: a metric is not finite in {by_metric}")
        scores.append(float(by_metric[task.primary]))
    good, poor = scores[:2]
    better = good > poor if task.higher_is_better else good < poor
    demand(
        better or np.array_equal(perfect, constant),
        f"{task.name}: predictions that are all right have {task.primary} {good:.4g}, constant ones "
        f"{poor:.4g}, and higher_is_better is {task.higher_is_better}: the metric is upside down, or does not "
        "tell them apart",
    )


def check_baselines(found: TaskUnderTest) -> None:
    """Every baseline has the primary metric, and its metrics are finite numbers."""
    task = found.task
    for name, metrics in task.baselines.items():
        demand(
            task.primary in metrics, f"{task.name}: baseline {name} lacks the primary metric {task.primary!r}"
        )
        finite = all(isinstance(value, int | float) and np.isfinite(value) for value in metrics.values())
        demand(finite, f"{task.name}: a metric of baseline {name} is no finite number: {dict(metrics)}")


def check_exhibits(found: TaskUnderTest) -> None:
    """Exhibits are made with attention and without; one that shows it has a row of it for each token. A curve
    has labels for its axes, and lines whose points (x, y) are in the order of x."""
    task, perfect = found.task, _perfect(found)
    alignments: dict[int, np.ndarray] = {}
    if not task.test.aligned and isinstance(task.test.targets, Ragged):
        read, decoded = task.test.inputs.lengths, task.test.targets.lengths
        rows = range(min(2, len(task.test)))
        alignments = {row: np.full((decoded[row], read[row]), 1 / read[row]) for row in rows}
    for given in ({}, alignments):
        with calling("exhibits()"):
            exhibits = task.exhibits(perfect, task.test, given)
        for exhibit in exhibits:
            demand(isinstance(exhibit, Exhibit), f"{task.name}: exhibits() must give Exhibit")
            if "alignment" in exhibit.tables:
                table, lines = exhibit.tables["alignment"], exhibit.lines
                fits = len(table) == len(lines["prediction"]) and all(
                    len(row) == len(lines["source"]) for row in table
                )
                demand(fits, f"{task.name}: the alignment of {exhibit.name} does not fit its tokens")
            if exhibit.kind == "curve":
                labels = all(len(exhibit.lines.get(axis, [])) == 1 for axis in ("x", "y"))
                demand(labels, f"{task.name}: the curve {exhibit.name} needs one label for x and one for y")
                drawn = exhibit.tables and all(_is_line(points) for points in exhibit.tables.values())
                demand(
                    bool(drawn), f"{task.name}: the curve {exhibit.name} needs points (x, y) with x ascending"
                )


def _is_line(points: list[list[float]]) -> bool:
    if not points or any(len(point) != 2 for point in points):
        return False
    return bool(np.all(np.diff(np.array(points)[:, 0]) > 0))
