"""What the columns of Study.frame() are: one source for the frame's documentation and its test."""

from __future__ import annotations

from fnmatch import fnmatchcase

from pydantic import BaseModel

from benchsuite.schema.trial import Execution, Protocol, Recipe, Size, Trial

NESTED: dict[str, type[BaseModel]] = {
    "size": Size,
    "execution": Execution,
    "recipe": Recipe,
    "protocol": Protocol,
}
"""Fields of a trial whose own fields become columns under their plain names."""

FRAME_COLUMNS: dict[str, str] = {
    "trial_id": "16 hexadecimal digits: a hash of everything that was asked for",
    "configuration_id": "the same without the seed: equal for trials that differ in their seed alone",
    "label": "what the trial is called in its study: no two trials have one label",
    "status": "how it ended: `ok`, `diverged`, `failed`, `timeout`, `killed` or `skipped`",
    "reason": "why it did not end well; blank where it did",
    "ranked": "whether it may be ranked: it ended well and parity was proved",
    "problem": "in a word, why it is not ranked or why its timing is refused; blank for none",
    "problem_reason": "the same as a sentence",
    "unsteady": "why its timing is not steady; blank where it is",
    "machine": "processor, cores and GPU on which it ran",
    "kernel": "the code path that ran the recurrence",
    "primary": "name of the test metric that ranks: its value is in `test/<primary>`",
    "higher_is_better": "whether more of that metric is better",
    "started": "POSIX seconds",
    "finished": "POSIX seconds",
}
"""Column -> what it is; beside these there is one for each field of a trial, see trial_columns()."""

FRAME_PATTERNS: dict[str, str] = {
    "option.*": "an option of the task, as `option.horizon`; missing for tasks that do not have it",
    "verdict.*": "`verdict.parity`, `verdict.speed`, `verdict.gradient_start`, `verdict.gradient_end`",
    "baseline.*": "`baseline.NAME.METRIC`: what a baseline without recurrence reaches on the test split",
    "*/*": "a scalar, as `test/accuracy`: see records.md. Of a timing that is refused there is none",
}


def trial_columns() -> dict[str, str]:
    """Column -> the field of a trial that it holds, by its dotted path."""
    plain = [name for name in Trial.model_fields if name not in (*NESTED, "options")]
    nested = {name: f"{group}.{name}" for group, part in NESTED.items() for name in part.model_fields}
    return {name: name for name in plain} | nested


def is_described(column: str) -> bool:
    """Whether a column of a frame is one that is described here."""
    known = column in FRAME_COLUMNS or column in trial_columns()
    return known or any(fnmatchcase(column, pattern) for pattern in FRAME_PATTERNS)
