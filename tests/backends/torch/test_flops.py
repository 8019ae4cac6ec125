"""Products counted analytically are those that torch's own counter sees run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from fixtures.flop_cases import FlopCase, flop_cases
from torch.utils.flop_counter import FlopCounterMode

from benchsuite.measure.flops import inference_flops, training_flops
from benchsuite.schema import Execution, Recipe
from benchsuite_torch.backend import TorchBackend

aten = torch.ops.aten
CASES = flop_cases()


def _product(a: Any, b: Any, **_: Any) -> int:
    return int(2 * a[0] * a[1] * (b[1] if len(b) > 1 else 1))


def _added(start: Any, a: Any, b: Any, **_: Any) -> int:  # noqa: ARG001
    return _product(a, b)


UNKNOWN = {aten.mv: _product, aten.addmv: _added, aten.addmv_: _added, aten.addmm_: _added}
"""Products that torch's counter does not know: with a vector, and in place."""


def counted(work: Callable[[], object]) -> int:
    with FlopCounterMode(display=False, custom_mapping=UNKNOWN) as counter:
        work()
    found: int = counter.get_total_flops()
    return found


@pytest.mark.parametrize("unroll", ["dynamic", "static", "autograd"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_products_counted_are_the_products_run(case: FlopCase, unroll: str) -> None:
    """To the last one. The gradients by first states that are zero may be worked out or not: nobody reads them.
    Additive attention's outer product with v is a sum and a scaling in this backend."""
    execution = Execution.model_validate({"unroll": unroll})
    program = TorchBackend().build(case.model, case.parameters(), Recipe(), execution)
    placed = program.place(case.batch)
    assert counted(lambda: program.predict(placed)) == inference_flops(case.model, case.batch)
    expected = training_flops(case.model, case.batch) - case.scored
    assert expected - counted(lambda: program.step(placed)) in (0.0, case.by_zero_states)


ROW_BY_ROW = [case for case in CASES if case.model.decoder is None and case.name not in ("ctc", "cnn")]


@pytest.mark.parametrize("case", ROW_BY_ROW, ids=lambda case: case.name)
def test_a_loop_does_the_work_of_the_real_steps(case: FlopCase) -> None:
    """In rows of any lengths and order: none of it on padding."""
    lengths = np.array([2, 6, 1, 6, 4], np.int32)
    batch = replace(case.batch, lengths=lengths)
    program = TorchBackend().build(case.model, case.parameters(), Recipe(), Execution(unroll="dynamic"))
    placed = program.place(batch)
    assert counted(lambda: program.predict(placed)) == inference_flops(case.model, batch)
    left = training_flops(case.model, batch) - counted(lambda: program.step(placed))
    assert 0 <= left <= case.by_zero_states
