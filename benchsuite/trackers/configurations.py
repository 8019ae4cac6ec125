"""The means over seeds of a study as a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from typing import Any

from benchsuite.analysis.seeds import Aggregate


def configurations_csv(groups: Sequence[Aggregate], label: Callable[[Aggregate], str]) -> str:
    """Every mean over seeds as CSV: task, configuration, label, scalar, mean, low, high, n."""
    text = io.StringIO()
    writer: Any = csv.writer(text)
    writer.writerow(["task", "configuration", "label", "scalar", "mean", "low", "high", "n"])
    for group in groups:
        left = [group.trial.task, group.configuration_id, label(group)]
        for name, found in group.scalars.items():
            writer.writerow([*left, name, found.mean, found.low, found.high, found.n])
    return text.getvalue()
