"""The conformance kit on Keras, once for each framework that it runs on, each in a worker of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from fixtures.kit import run_kit

FRAMEWORKS = ("tensorflow", "jax", "torch")
PRECISIONS = {"tensorflow": "float64", "jax": "float32", "torch": "float32"}
"""The strictest one that Keras computes in."""
FEW = {
    "tensorflow": ("gradients[lstm-bidirectional-tagging]", "training[train-sgd-norm]"),
    "jax": ("gradients[gru-plain-tokens-mean]",),
    "torch": (
        *(
            "gradients[lstm-plain]",
            "gradients[gru-plain-tokens-mean]",
            "gradients[lstm-bidirectional-tagging]",
        ),
        *("training[train-sgd-norm]", "log[lstm-plain]", "kernel_word[lstm-timed]"),
    ),
}
"""Where steps are compiled, each case takes seconds: Keras' layers and our code around them are the same."""


def kept(
    framework: str, precision: str, unroll: str, core: bool, only: Callable[[str], bool] = lambda _: True
) -> None:
    """Fail where a case failed, and where none of what was wanted is supported."""
    found = run_kit(f"keras_{framework}", precision, [unroll], core=core, only=lambda case: only(case.check))
    results = found[unroll]
    failed = [f"{result.check}: {result.message}" for result in results if result.status == "failed"]
    assert not failed, "\n".join(failed)
    assert any(result.status == "ok" for result in results)
    assert all(result.message for result in results if result.status == "unsupported")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_few_cases(framework: str) -> None:
    """Parity of each kind of layer, a clipped training, and what the program says of itself."""
    kept(framework, PRECISIONS[framework], "dynamic", True, FEW[framework].__contains__)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("unroll", ["dynamic", "static"])
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_core_kit(framework: str, unroll: str) -> None:
    for precision in {PRECISIONS[framework], "float32"}:
        kept(framework, precision, unroll, True)


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("unroll", ["dynamic", "static"])
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_whole_kit(framework: str, unroll: str) -> None:
    """Everything the kit holds."""
    kept(framework, PRECISIONS[framework], unroll, False)
