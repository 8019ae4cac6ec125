"""The conformance kit on the PyTorch backend, every unroll in both precisions: the loop's whole in float64, the
core of the others. (Their whole is a slow test, measure/conformance/test_kit_torch.py.)"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
import torch

from benchsuite.measure.conformance import backend as checks
from benchsuite.measure.conformance.backend import Check, Kit
from benchsuite.measure.conformance.suite import KitResult, run_item, suite
from benchsuite.schema import UNROLLS, Execution
from benchsuite.schema.names import COMPILED_UNROLL
from benchsuite_numpy.reference import ReferenceBackend
from benchsuite_torch.backend import TorchBackend

CHECKS = sorted({item.check for item in suite()}, key=lambda check: check.__name__)


OWN_LAYERS = ("no recipe.recurrent_dropout", "resets")
DECLINED: dict[str, tuple[str, ...]] = {
    "fused": OWN_LAYERS,
    "autograd": OWN_LAYERS,
    "scan": ("no affine step", "no steps to scan"),
    "compiled": (*OWN_LAYERS, "no cell", "no architecture", "truncated BPTT"),
}
"""Unroll -> words of the reasons with which items of the kit may be declined; every other one must pass."""


def problems(unroll: str, results: list[KitResult]) -> list[str]:
    """What did not pass and was not declined for one of the reasons that the unroll has."""
    allowed = DECLINED.get(unroll, ())
    return [
        f"{result.item.name}: {result.status} {result.message}"
        for result in results
        if result.status != "ok"
        and not (result.status == "unsupported" and any(words in result.message for words in allowed))
    ]


def kit(unroll: str, precision: str) -> Kit:
    execution = Execution.model_validate({"unroll": unroll, "precision": precision})
    return Kit(TorchBackend(), ReferenceBackend(), execution)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(
    ("unroll", "precision"),
    [
        pytest.param(unroll, precision, marks=[pytest.mark.slow] if unroll == COMPILED_UNROLL else [])
        for unroll, precision in itertools.product(UNROLLS, ("float64", "float32"))
    ],
)
def test_conformance(unroll: str, precision: str, check: Check) -> None:
    under_test = kit(unroll, precision)
    whole = (unroll, precision) == ("dynamic", "float64")
    items = [item for item in suite(core=not whole) if item.check is check]
    results = [run_item(under_test, item) for item in items]
    assert items
    assert problems(unroll, results) == []


@pytest.fixture
def packed_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Backward layers meet ragged rows by packing, which is the GPU's way, on the CPU."""
    from benchsuite_torch import fused

    run: Callable[..., object] = fused.run

    def packing(*arguments: object, **options: object) -> object:
        return run(*arguments[:6], True, **options)

    monkeypatch.setattr(fused, "run", packing)


@pytest.mark.usefixtures("packed_everywhere")
@pytest.mark.parametrize("check", [checks.check_gradients, checks.check_padding, checks.check_reversal])
def test_packing_conforms_too(check: Check) -> None:
    items = [i for i in suite() if i.check is check and "bidirectional" in i.case.name]
    results = [run_item(kit("fused", "float64"), item) for item in items]
    assert len(items) > 8
    assert [r.message for r in results if r.status != "ok"] == []


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize(
    ("unroll", "precision"),
    [*itertools.product(UNROLLS, ("float64", "float32")), ("fused", "tf32")],
)
def test_conformance_on_gpu(unroll: str, precision: str) -> None:
    execution = Execution.model_validate({"unroll": unroll, "precision": precision, "device": "gpu"})
    under_test = Kit(TorchBackend(), ReferenceBackend(), execution)
    results = [run_item(under_test, item) for item in suite()]
    assert problems(unroll, results) == []
