"""Matrices: TOML files of axes, includes and excludes, and the trials they stand for. See docs/matrix.md."""

from benchsuite.matrix.expansion import Expansion, Skipped, expand
from benchsuite.matrix.filters import FIELDS, narrow, split_values
from benchsuite.matrix.plan import Fate, Plan, Planned, make_plan
from benchsuite.matrix.select import select
from benchsuite.matrix.source import Matrix, builtin_matrices, load_matrix, parse_matrix

__all__ = [
    "FIELDS",
    "Expansion",
    "Fate",
    "Matrix",
    "Plan",
    "Planned",
    "Skipped",
    "builtin_matrices",
    "expand",
    "load_matrix",
    "make_plan",
    "narrow",
    "parse_matrix",
    "select",
    "split_values",
]
