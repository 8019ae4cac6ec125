"""The conformance kit on the NumPy backend."""

from __future__ import annotations

import pytest
from fixtures.kit import hold, run_kit

from benchsuite.schema import UNROLLS

CORE = [("float64", "dynamic"), ("float64", "static"), ("float64", "fused"), ("float32", "dynamic")]


@pytest.mark.parametrize(("precision", "unroll"), CORE)
def test_core_kit(precision: str, unroll: str) -> None:
    """Parity, training, truncation, clipping, carried states and the invariances, once each."""
    hold("numpy", run_kit("numpy", precision, [unroll], core=True))


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("unroll", UNROLLS)
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_whole_kit(precision: str, unroll: str) -> None:
    """Everything the kit holds."""
    hold("numpy", run_kit("numpy", precision, [unroll]))
