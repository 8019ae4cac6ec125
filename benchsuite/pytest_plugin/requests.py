"""From what a test run asks for to trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchsuite.errors import BenchsuiteError
from benchsuite.plugins import registry
from benchsuite.running.matrix import Expansion, Matrix, load_matrix, select, split_values
from benchsuite.schema import Trial


def expansion_of(
    request: str | Path, filters: Mapping[str, str | None], overrides: Sequence[str] = ()
) -> Expansion:
    """The trials of a matrix, and those that cannot be, with the reason.

    :param filters: field -> comma list; None keeps everything. :param overrides: as `benchsuite run --set`.

    Raises BenchsuiteError for a matrix that cannot be read and for filters that leave nothing.
    """
    wanted = {name: split_values(text) for name, text in filters.items() if text}
    return select(load_matrix(request), registry(), wanted, overrides, "--benchsuite-")


def trial_of(fields: Mapping[str, Any]) -> Trial:
    """The one trial that has these fields of a matrix; dots may be written as `__` (`size__hidden=32`).

    Fails the test where they give no trial or more than one.
    """
    settings = {name.replace("__", "."): value for name, value in fields.items()}
    problem, found = "", Expansion(())
    try:
        found = select(Matrix("test", {"include": [settings]}, "the marker benchsuite"), registry())
    except BenchsuiteError as error:
        problem = str(error)
    if not problem and len(found.trials) != 1:
        count = len(found.trials)
        problem = f"the marker benchsuite describes {count} trials; the fixtures `trial` and `racer` take one"
        problem = "\n".join([problem, *(skip.reason for skip in found.skipped)])
    if problem:
        pytest.fail(problem, pytrace=False)
    return found.trials[0]
