"""The cells that ship, under the kit: their derivative in the reference, and their models in each backend."""

from __future__ import annotations

from collections import Counter

import pytest
from fixtures.modern_layers import modern_cell
from fixtures.modern_loops import LOOPS

from benchsuite.measure.conformance.backend import Kit
from benchsuite.measure.conformance.cell_models import reference_items
from benchsuite.measure.worker.channel import CaseResult
from benchsuite.running.checks import check_cell_models
from benchsuite.schema import Execution
from benchsuite_numpy.reference import ReferenceBackend

NAMES = sorted(LOOPS)
AFFINE = ("lru", "mingru", "minlstm", "rglru")
UNROLLS = ("dynamic", "static", "scan")


@pytest.mark.parametrize("name", NAMES)
def test_the_references_derivative_of_a_cell_is_the_slope_of_its_loss(name: str) -> None:
    modern_cell(name)
    kit = Kit(ReferenceBackend(), ReferenceBackend(), Execution(precision="float64"))
    for item in reference_items(name):
        item.check(kit, item.case)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("precision", ["float64", "float32"])
@pytest.mark.parametrize("backend", ["numpy", "torch", "jax", "tensorflow"])
def test_models_of_a_cell_in_a_backend(backend: str, precision: str, name: str) -> None:
    """Every unroll runs every model; `scan` runs those of affine cells and says why it does not run others."""
    execution = Execution.model_validate({"precision": precision})
    events = check_cell_models(name, backend, execution, UNROLLS).run()
    results = [event for event in events if isinstance(event, CaseResult)]
    failed = [f"{each.check} {each.unroll}: {each.message}" for each in results if each.status == "failed"]
    assert not failed, "\n".join(failed)
    counts = Counter((each.unroll, each.status) for each in results)
    ways = UNROLLS if name in AFFINE else UNROLLS[:2]
    assert all(counts[unroll, "ok"] > 0.9 * len(results) / len(UNROLLS) for unroll in ways), counts
    if name not in AFFINE:
        assert {each.message for each in results if each.unroll == "scan"} == {
            f"cell {name!r} has no affine step, so unroll scan cannot run it; use static or dynamic"
        }
