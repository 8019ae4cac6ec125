"""Filters keep the trials that have the values named."""

from __future__ import annotations

from typing import Any

from fixtures.matrix_worlds import AXES, TASKS, small_registry, some
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.running.matrix import Matrix, expand, narrow

REGISTRY = small_registry()


@given(AXES, st.data())
def test_filters_narrow_to_what_they_name(axes: dict[str, Any], data: st.DataObject) -> None:
    expansion = expand(Matrix("test", {"axes": axes, "tasks": TASKS}), REGISTRY)
    cells = data.draw(some(axes["cell"]))
    seeds = data.draw(some(axes["seed"]))
    kept = narrow(expansion, {"cell": cells, "seed": [str(seed) for seed in seeds], "backend": []})
    assert list(kept.trials) == [t for t in expansion.trials if t.cell in cells and t.seed in seeds]
