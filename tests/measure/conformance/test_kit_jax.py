"""The conformance kit on the JAX backend."""

from __future__ import annotations

import pytest
from fixtures.kit import hold, of_a_recurrence, run_kit

from benchsuite.schema import UNROLLS

OTHERS = [("float64", "static"), ("float64", "fused"), ("float32", "dynamic")]


@pytest.mark.timeout(1800)  # hundreds of compilations, on a machine that may be shared
def test_core_kit() -> None:
    """Parity, training, truncation, clipping, carried states and the invariances, once each."""
    hold("jax", "dynamic", run_kit("jax", "float64", "dynamic", core=True))


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("precision", "unroll"), OTHERS)
def test_parity(precision: str, unroll: str) -> None:
    """The other ways and single precision, by the gradients of each kind of recurrence: each case takes a
    compilation. test_core_kit_otherwise() has the rest."""
    hold("jax", unroll, run_kit("jax", precision, unroll, core=True, only=of_a_recurrence))


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("precision", "unroll"), OTHERS)
def test_core_kit_otherwise(precision: str, unroll: str) -> None:
    hold("jax", unroll, run_kit("jax", precision, unroll, core=True))


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("unroll", UNROLLS)
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_whole_kit(precision: str, unroll: str) -> None:
    """Everything the kit holds."""
    hold("jax", unroll, run_kit("jax", precision, unroll))
