"""How long commands take that do nothing yet, and what they import."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from benchmarks.conftest import Set
from benchmarks.processes import cost, python, suite

RUNS = 9
FRAMEWORKS = ("torch", "tensorflow", "keras", "jax", "flax", "cupy")
LISTS = ("tasks", "backends", "cells", "architectures", "data", "plugins", "matrices", "executors")
"""Kinds of `benchsuite list` that start no worker."""

MODULES = """
import json, sys
from benchsuite.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print()
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_help(goal: Set, installed: Mapping[str, str]) -> None:
    cost(suite("--help"), installed, 1)  # compiles
    found = cost(suite("--help"), installed, RUNS)
    goal(
        "start: benchsuite --help, CPU",
        found.cpu,
        at_most=0.3,
        unit="s",
        note=f"wall {found.wall:.2f} s; medians of {RUNS}",
    )


def test_list(goal: Set, installed: Mapping[str, str]) -> None:
    cost(suite("list", "backends"), installed, 1)
    found = cost(suite("list", "backends"), installed, RUNS)
    goal(
        "start: benchsuite list backends, CPU",
        found.cpu,
        at_most=0.5,
        unit="s",
        note=f"wall {found.wall:.2f} s",
    )


@pytest.mark.parametrize("kind", ["--help", *LISTS])
def test_no_framework_is_imported(goal: Set, installed: Mapping[str, str], kind: str) -> None:
    arguments = [kind] if kind == "--help" else ["list", kind]
    output = cost(python("-c", MODULES, *arguments), installed, 1).output
    imported = set(json.loads(output.splitlines()[-1])) & set(FRAMEWORKS)
    goal(
        f"start: frameworks imported by {' '.join(arguments)}",
        len(imported),
        at_most=0,
        note=", ".join(sorted(imported)),
    )
