"""Matrices: TOML files of axes, includes and excludes, expanded to trials. See docs/matrix.md."""

from benchsuite.running.matrix.changes import changed
from benchsuite.running.matrix.expansion import Expansion, Skipped, expand
from benchsuite.running.matrix.filters import FIELDS, narrow, split_values
from benchsuite.running.matrix.plan import Action, Plan, Planned, make_plan
from benchsuite.running.matrix.selection import select
from benchsuite.running.matrix.source import Matrix, builtin_matrices, load_matrix, parse_matrix

__all__ = [
    "FIELDS",
    "Action",
    "Expansion",
    "Matrix",
    "Plan",
    "Planned",
    "Skipped",
    "builtin_matrices",
    "changed",
    "expand",
    "load_matrix",
    "make_plan",
    "narrow",
    "parse_matrix",
    "select",
    "split_values",
]
