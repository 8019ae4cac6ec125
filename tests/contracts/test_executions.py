"""The ways that an execution leaves open to a backend."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from fixtures.numpy_cases import model

from benchsuite.contracts import CheckedBackend, ways, why_unsupported
from benchsuite.errors import UnsupportedError
from benchsuite.schema import BEST_OF, BEST_UNROLL, Execution, ModelSpec, Recipe, names, parse_choices
from benchsuite_numpy.reference import ReferenceBackend

UNROLLS = ("static", "dynamic", "fused")


class Chooser(ReferenceBackend):
    """Has three unrolls, and two choices in the loops."""

    def supports(self, _: ModelSpec, __: Recipe, execution: Execution) -> str | None:
        return None if execution.unroll in UNROLLS else f"no unroll {execution.unroll}"

    def choices(self, _: ModelSpec, __: Recipe, execution: Execution) -> Mapping[str, tuple[str, ...]]:
        if execution.unroll == "fused":
            return {}
        return {"products": ("blas", "onednn"), "tanh": ("plain", "expm1")}


def found(**execution: str) -> list[tuple[str, str]]:
    asked = Execution.model_validate(execution)
    return [(way.unroll, way.choices) for way in ways(Chooser(), model(), Recipe(), asked)]


def test_every_unroll_and_choice_is_a_way_and_the_default_is_the_first() -> None:
    everything = found(unroll=BEST_UNROLL)
    assert everything[0] == ("dynamic", "products=blas tanh=plain")
    assert len(everything) == len(set(everything)) == 4 + 1
    assert {unroll for unroll, _ in everything} == {"dynamic", "fused"}


def test_the_best_is_of_what_pays_for_its_compilation() -> None:
    assert BEST_OF[0] == "dynamic"
    assert set(BEST_OF) == set(names.UNROLLS) - {"static", names.COMPILED_UNROLL}


def test_what_is_named_stays_as_it_is() -> None:
    assert found(unroll="static", choices="tanh=expm1") == [
        ("static", "products=blas tanh=expm1"),
        ("static", "products=onednn tanh=expm1"),
    ]
    assert found(unroll="fused") == [("fused", "")]
    assert {unroll for unroll, _ in found(unroll=BEST_UNROLL, choices="tanh=plain")} == {"dynamic"}


@pytest.mark.parametrize("unroll", [BEST_UNROLL, *UNROLLS])
def test_every_way_is_complete_and_supported(unroll: str) -> None:
    for way in ways(Chooser(), model(), Recipe(), Execution.model_validate({"unroll": unroll})):
        assert way.unroll != BEST_UNROLL
        assert set(parse_choices(way.choices)) == set(Chooser().choices(model(), Recipe(), way))
        assert why_unsupported(Chooser(), model(), Recipe(), way) is None


@pytest.mark.parametrize(
    ("execution", "message"),
    [
        ({"choices": "product=blas"}, "no choice 'product' here; it has products, tanh"),
        ({"choices": "products=mkl"}, "products is blas or onednn, not 'mkl'"),
        ({"unroll": "fused", "choices": "products=blas"}, "no choice 'products' here; it has none"),
        ({"unroll": "scan"}, "has no affine step"),
        ({"unroll": BEST_UNROLL, "choices": "products=mkl"}, "products is blas or onednn, not 'mkl'"),
    ],
)
def test_what_cannot_be_chosen_says_why(execution: dict[str, str], message: str) -> None:
    asked = Execution.model_validate(execution)
    assert message in str(why_unsupported(Chooser(), model(), Recipe(), asked))
    assert ways(Chooser(), model(), Recipe(), asked) == []


def test_best_is_what_any_unroll_can_and_else_the_reason_of_dynamic() -> None:
    class Declines(ReferenceBackend):
        def supports(self, _: ModelSpec, __: Recipe, execution: Execution) -> str | None:
            return f"no {execution.unroll}"

    best = Execution(unroll="best")
    assert why_unsupported(Chooser(), model(), Recipe(), best) is None
    assert why_unsupported(Declines(), model(), Recipe(), best) == "no dynamic"


def test_a_checked_backend_builds_nothing_under_best() -> None:
    with pytest.raises(UnsupportedError, match="name an unroll"):
        CheckedBackend(Chooser()).build(model(), {}, Recipe(), Execution(unroll="best"))
