"""ComparedStudies: what `benchsuite compare` says of two studies, for programs and notebooks."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchsuite.analysis.comparison import StudyComparison
from benchsuite.api.tables import html_table
from benchsuite.report.formatting import format_count, format_value

if TYPE_CHECKING:
    import pandas as pd

COMPARISON_COLUMNS: dict[str, str] = {
    "kind": "`metric` of a task, `model` (the metric of one model), `speed` of a backend, or `trial`",
    "what": "the scalar: `test/accuracy`, `speed/step_seconds`",
    "where": "the task, model or backend that it is of",
    "a": "the mean of A; of a speed the geometric mean of step times in seconds",
    "b": "the mean of B",
    "difference": "B - A; of times ln(B / A)",
    "low": "lower bound of its 95 % interval; missing where there are too few replicates",
    "high": "upper bound",
    "n": "replicates: seeds of a metric, configurations of a speed",
    "p": "two-sided, corrected for all rows together",
    "change": "relative change for the worse: above 0 is worse",
    "clock": "`cpu` or `wall`: which times a speed is of; blank of a metric",
    "verdict": "what B is: `better`, `worse`, `same` or `unclear`",
}
"""Column of ComparedStudies.frame() -> what it is. docs/reference/frames.md is made from it."""

_KINDS = {"metrics": "metric", "by_model": "model", "speeds": "speed", "by_trial": "trial"}


@dataclass(frozen=True, repr=False)
class ComparedStudies:
    """Whether B is better than A. `found` has everything, as values of benchsuite.analysis."""

    found: StudyComparison

    @property
    def verdict(self) -> str:
        """`better`, `worse`, `same` or `unclear`: what B is, as a whole."""
        return str(self.found.verdict)

    @property
    def pairs(self) -> int:
        """How many trials of A have a partner in B."""
        return len(self.found.pairing.pairs)

    def frame(self) -> pd.DataFrame:
        """One row per difference; columns as in docs/reference/frames.md."""
        import pandas as pd

        rows = [
            {"kind": kind, **vars(effect), "verdict": str(effect.verdict)}
            for part, kind in _KINDS.items()
            for effect in getattr(self.found, part)
        ]
        return pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS))

    def __str__(self) -> str:
        return (
            f"B ({self.found.b}) is {self.verdict} compared with A ({self.found.a}), "
            f"{format_count(self.pairs, 'pair')}"
        )

    def __repr__(self) -> str:
        return f"<ComparedStudies: {self}>"

    def _repr_html_(self) -> str:
        """What Jupyter shows."""
        rows = [
            [
                html.escape(str(word))
                for word in (
                    row["what"],
                    row["where"],
                    format_value(row["a"]),
                    format_value(row["b"]),
                    "" if row["p"] != row["p"] else format_value(row["p"], rough=True),
                    row["verdict"],
                )
            ]
            for _, row in self.frame().iterrows()
        ]
        return f"<p>{html.escape(str(self))}</p>" + html_table(["", "where", "A", "B", "p", "B is"], rows)
