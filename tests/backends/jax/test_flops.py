"""Products counted analytically are those of the program that jax traces, and most of what XLA counts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

jax = pytest.importorskip("jax")

from fixtures.flop_cases import FlopCase, flop_cases  # noqa: E402
from jax.extend.core import jaxprs_in_params  # noqa: E402
from jax.interpreters import partial_eval  # noqa: E402

from benchsuite.measure.flops import inference_flops, training_flops  # noqa: E402
from benchsuite.schema import BUILTIN_CELLS, Dense, Execution, Features, ModelSpec, Recipe, Recurrent  # noqa: E402
from benchsuite_jax import optimisers  # noqa: E402
from benchsuite_jax.backend import JaxBackend  # noqa: E402
from benchsuite_jax.program import JaxProgram  # noqa: E402

pytestmark = pytest.mark.usefixtures("single_precision")

CASES = flop_cases()


def built(case: FlopCase, unroll: str, recipe: Recipe) -> JaxProgram:
    execution = Execution.model_validate({"unroll": unroll})
    return JaxBackend().build(case.model, case.parameters(), recipe, execution)


def products(jaxpr: Any, times: int = 1) -> float:
    """Operations of all products of a jaxpr, those inside loops as often as they are run."""
    total = 0.0
    for equation in jaxpr.eqns:
        assert equation.primitive.name not in ("while", "cond"), "how often it is run is not written in it"
        if equation.primitive.name == "dot_general":
            (inner, _), _ = equation.params["dimension_numbers"]
            left, (made,) = equation.invars[0].aval.shape, equation.outvars
            total += times * 2.0 * math.prod(made.aval.shape) * math.prod(left[axis] for axis in inner)
        often = times * equation.params["length"] if equation.primitive.name == "scan" else times
        total += sum(products(inside, often) for inside in jaxprs_in_params(equation.params))
    return total


def traced(function: Callable[..., Any], *arguments: Any) -> Any:
    """Its jaxpr without what nobody reads: gradients by the data and by a first state that is zero."""
    whole = jax.make_jaxpr(function)(*arguments).jaxpr
    return partial_eval.dce_jaxpr(whole, [True] * len(whole.outvars))[0]


@pytest.mark.parametrize("unroll", ["dynamic", "static"])
@pytest.mark.parametrize("case", [one for one in CASES if one.name != "cnn"], ids=lambda case: case.name)
def test_products_counted_are_the_products_traced(case: FlopCase, unroll: str) -> None:
    """To the last one. Generated out, no gradient by a first state that is zero is worked out; a scan takes it
    along. Additive attention's scores are made once more on the way back, to save their memory."""
    recipe = Recipe()
    program = built(case, unroll, recipe)
    batch = program.place(case.batch)
    arguments = program._parameters, program._moments, None, batch.feed
    predict = traced(program._predict, arguments[0], *arguments[2:])
    step = traced(program._step, *arguments, optimisers.bias_corrections(recipe, 1, "float32"), None)
    assert products(predict) == inference_flops(case.model, case.batch)
    saved = case.by_zero_states if unroll == "static" else 0.0
    expected = training_flops(case.model, case.batch) - saved + case.scored
    assert products(step) == expected


@pytest.mark.parametrize("cell", BUILTIN_CELLS)
def test_xla_counts_the_products_and_little_else(cell: str) -> None:
    """XLA counts the body of a loop once, so steps are written out; it counts a gate's additions and products
    of numbers as well, about a thirtieth of those of matrices at this size."""
    model = ModelSpec(Features(32), Recurrent(cell, 64), Dense(4), "cross_entropy")
    case = FlopCase(cell, model, rows=16)
    program = built(case, "static", Recipe(optimiser="sgd"))
    placed = program.place(case.batch)
    program.predict(placed)
    program.step(placed)
    compiled = {key[0]: run for key, run in program._executables.compiled.items()}
    for kind, expected in (("predict", inference_flops), ("step", training_flops)):
        counted = compiled[kind].cost_analysis()["flops"]
        saved = case.by_zero_states if kind == "step" else 0.0
        assert 1.0 <= counted / (expected(model, case.batch) - saved) < 1.1
