"""What backends that run one model with one seed must agree in, and what they need not."""

from __future__ import annotations

import pytest
from fixtures.planted import planted

from benchsuite.analysis.verification.evidence import Evidence
from benchsuite.analysis.verification.twins import twin_faults


def faults(name: str, values: tuple[float, float, float]) -> list[str]:
    found = []
    for backend, value in zip(("numpy", "torch", "jax"), values, strict=True):
        record = planted(0.9, backend=backend)
        found.append(Evidence(record.model_copy(update={"scalars": record.scalars | {name: value}})))
    return list(twin_faults(found))


@pytest.mark.parametrize("name", ["model/parameters", "train/sequences", "speed/flops_per_step"])
def test_counts_are_those_of_all_backends(name: str) -> None:
    assert not faults(name, (100.0, 100.0, 100.0))
    [told] = faults(name, (100.0, 100.0, 99.0))
    assert name in told


def test_gradients_that_are_exactly_zero_may_be_more_in_one_backend() -> None:
    """Rounding decides: of 1650 gradients one was zero in PyTorch and TensorFlow, none in NumPy and JAX."""
    assert not faults("gradient/zero_fraction_start", (0.0, 1 / 1650, 0.0))
