"""Products counted analytically are those of the graph, and what TensorFlow's own profiler counts."""

from __future__ import annotations

import math
from typing import Any

import pytest

tf = pytest.importorskip("tensorflow")

from fixtures.flop_cases import ROWS, WRITTEN, FlopCase, flop_cases  # noqa: E402
from tensorflow.python.profiler.model_analyzer import profile  # noqa: E402
from tensorflow.python.profiler.option_builder import ProfileOptionBuilder  # noqa: E402

from benchsuite.measure.flops import forward_products, inference_flops, training_flops  # noqa: E402
from benchsuite.schema import Convolutional, Execution, Recipe  # noqa: E402
from benchsuite_tensorflow.backend import TensorFlowBackend  # noqa: E402

CASES = flop_cases()
PRODUCTS = ("MatMul", "Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter")


def graphs(case: FlopCase) -> dict[str, Any]:
    """The graphs of predict and step, in which every step of the recurrence is written out."""
    program = TensorFlowBackend().build(
        case.model, case.parameters(), Recipe(optimiser="sgd"), Execution(unroll="static")
    )
    placed = program.place(case.batch)
    program.predict(placed)
    program.step(placed)
    return {key[0]: traced.graph for key, traced in program._graphs._traced.items()}


def profiled(graph: Any) -> float:
    """What the profiler counts for products."""
    options = ProfileOptionBuilder(ProfileOptionBuilder.float_operation()).with_empty_output().build()
    waiting, total = [profile(graph, options=options, cmd="op")], 0.0
    while waiting:
        node = waiting.pop()
        waiting += node.children
        total += node.float_ops if node.name in PRODUCTS else 0
    return total


def multiplied(graph: Any, tokens: int) -> float:
    """Operations of all products of matrices; an axis that the graph leaves open is that of `tokens`."""
    total = 0.0
    for operation in graph.get_operations():
        assert "While" not in operation.type, "how often it is run is not written in it"
        if operation.type in ("MatMul", "BatchMatMulV2"):
            left, made = ([size or tokens for size in one.shape] for one in
                          (operation.inputs[0], operation.outputs[0]))  # fmt: skip
            turned = operation.get_attr("transpose_a" if operation.type == "MatMul" else "adj_x")
            total += 2.0 * math.prod(made) * left[-2 if turned else -1]
    return total


@pytest.mark.parametrize(
    "case",
    [one for one in CASES if one.model.decoder is None],
    ids=lambda case: case.name,
)
def test_products_counted_are_the_products_that_the_profiler_counts(case: FlopCase) -> None:
    """To the last one. A convolution's gradient by its picture stands in the graph, though no one reads it and
    it is never run."""
    traced, body = graphs(case), case.model.body
    assert profiled(traced["predict"]) == inference_flops(case.model, case.batch)
    unread = forward_products(case.model, case.batch)[0].flops if isinstance(body, Convolutional) else 0.0
    assert profiled(traced["step"]) == training_flops(case.model, case.batch) + unread


@pytest.mark.parametrize("case", [one for one in CASES if one.model.decoder], ids=lambda case: case.name)
def test_products_counted_are_the_products_of_a_decoders_graph(case: FlopCase) -> None:
    """The profiler passes over shapes that are open, and reads a batched product without its transposition.
    Under additive attention the outer product with v is one of numbers here, and queries are made once more on
    the way back."""
    traced, tokens, decoder = graphs(case), ROWS * WRITTEN, case.model.decoder
    assert decoder is not None
    queries = 2.0 * tokens * decoder.body.hidden**2 if decoder.attention == "additive" else 0.0
    assert multiplied(traced["predict"], tokens) == inference_flops(case.model, case.batch)
    expected = training_flops(case.model, case.batch) - case.scored
    assert multiplied(traced["step"], tokens) == expected + queries
