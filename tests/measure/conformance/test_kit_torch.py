"""The conformance kit on the PyTorch backend."""

from __future__ import annotations

import pytest
from fixtures.kit import hold, run_kit

from benchsuite.schema import UNROLLS


def test_core_kit() -> None:
    """Parity, training, truncation, clipping, carried states and the invariances, once each, in a worker as the
    command line runs them; the other unrolls and float32 are in backends/torch/test_conformance.py."""
    hold("torch", run_kit("torch", "float64", ["dynamic"], core=True))


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("unroll", UNROLLS)
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_whole_kit(precision: str, unroll: str) -> None:
    """Everything the kit holds."""
    hold("torch", run_kit("torch", precision, [unroll]))
