"""Every operation of a cell in this backend, its value and its derivative: those of the reference, which are
NumPy's formulas differentiated by autograd."""

# ruff: noqa: ARG005

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from autograd import make_vjp
from autograd.builtins import tuple as boxed_tuple
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.errors import ContractError
from benchsuite.schema.cells import OPERATIONS
from benchsuite_numpy.kernels.graph import Graph
from benchsuite_numpy.kernels.replay import Memory, Replay, Weight, run
from benchsuite_numpy.kernels.workspace import Workspace
from benchsuite_numpy.operations import NUMPY_OPERATIONS
from benchsuite_numpy.reference.operations import REFERENCE_OPERATIONS

Code = Callable[..., Sequence[Any]]
"""(xp, arrays with rows ..., weights ...) -> arrays with rows, of one width."""


def replayed(
    code: Code, rows: list[np.ndarray], weights: list[np.ndarray], seeds: list[np.ndarray]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Values, and gradients by every array, from those of the values."""
    graph, dtype = Graph(), rows[0].dtype
    given = [graph.rows(each.shape[1]) for each in rows]
    gradients = [np.zeros_like(each) for each in weights]
    sources = [graph.weight(each.shape) for each in weights]
    outputs = code(NUMPY_OPERATIONS, *given, *sources)
    known = [
        Weight(source.value, array, gradient)
        for source, array, gradient in zip(sources, weights, gradients, strict=True)
    ]
    replay = Replay(Workspace(np, str(dtype)), graph, outputs, known, given)
    count, columns = len(rows[0]), replay.columns
    memory = Memory(
        *(
            np.full(count * columns[name], np.nan, dtype)
            if name != "truth"
            else np.zeros(count * columns[name], bool)
            for name in ("kept", "temporary", "truth", "gradient")
        )
    )
    values = [np.full((count, each.columns), np.nan, dtype) for each in replay.outputs]
    places = {each.value.index: array for each, array in zip(given, rows, strict=True)}
    places |= {each.index: array for each, array in zip(replay.outputs, values, strict=True)}
    by_rows = [np.zeros_like(each) for each in rows]
    backs = {each.value.index: array for each, array in zip(given, by_rows, strict=True)}
    backs |= {each.index: array.copy() for each, array in zip(replay.outputs, seeds, strict=True)}
    with np.errstate(all="ignore"):
        replay.prepare()
        forward, arrays = replay.bind_forward(count, places, memory)
        run(forward)
        replay.clear()
        run(replay.bind_backward(count, arrays, backs, memory))
        replay.finish()
    return values, [*by_rows, *gradients]


def expected(
    code: Code, arrays: list[np.ndarray], seeds: list[np.ndarray]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    with np.errstate(all="ignore"):
        back, values = make_vjp(lambda given: boxed_tuple(code(REFERENCE_OPERATIONS, *given)))(
            boxed_tuple(arrays)
        )
        return list(values), list(back(boxed_tuple(seeds)))


def compare(code: Code, rows: list[np.ndarray], weights: list[np.ndarray], outputs: int = 1) -> None:
    arrays = [*rows, *weights]
    with np.errstate(all="ignore"):
        shapes = [each.shape for each in code(REFERENCE_OPERATIONS, *arrays)]
    random = np.random.default_rng(8)
    seeds = [random.standard_normal(shape).astype(rows[0].dtype) for shape in shapes]
    assert len(seeds) == outputs
    (values, gradients), (right, slopes) = replayed(code, rows, weights, seeds), expected(code, arrays, seeds)
    exact: dict[str, Any] = (
        {"rtol": 1e-12, "atol": 1e-13} if rows[0].dtype == np.float64 else {"rtol": 2e-5, "atol": 2e-5}
    )
    for found, wanted in zip([*values, *gradients], [*right, *slopes], strict=True):
        assert found.dtype == rows[0].dtype
        np.testing.assert_allclose(found, wanted, **exact)


ONE: dict[str, Callable[[Any, Any], Any]] = {
    name: lambda xp, x, name=name: getattr(xp, name)(x)  # type: ignore[misc]
    for name in OPERATIONS.keys() - {"concat", "maximum", "minimum", "split", "where"}
}
POSITIVE = ("log", "log1p", "sqrt")
MANY: dict[str, Code] = {
    "add": lambda xp, x, y, b, W: [x + y + b + 2],
    "subtract": lambda xp, x, y, b, W: [1 - x - y - b],
    "multiply": lambda xp, x, y, b, W: [x * y * b * 3],
    "divide": lambda xp, x, y, b, W: [x / (2 + y * y) + 1 / (3 + b * b) * y],
    "power": lambda xp, x, y, b, W: [x**2 + y**3 + (1 + y * y) ** 0.5 + (1 + y * y) ** b],
    "negative": lambda xp, x, y, b, W: [-x, -b * y],
    "matmul": lambda xp, x, y, b, W: [x @ W + y @ (W @ W)],
    "concat": lambda xp, x, y, b, W: [xp.concat([x, y * b]), xp.concat([x, x])],
    "split": lambda xp, x, y, b, W: [xp.split(xp.concat([x, y]), 4)[1], xp.split(x, 2)[0]],
    "maximum": lambda xp, x, y, b, W: [xp.maximum(x, y), xp.maximum(x, 0.3), xp.maximum(y, b)],
    "minimum": lambda xp, x, y, b, W: [xp.minimum(x, y), xp.minimum(x, 0.3), xp.minimum(y, b)],
    "where": lambda xp, x, y, b, W: [
        xp.where(x > y, x * x, y),
        xp.where(x <= 0.1, 0.0, x),
        xp.where(y < b, b, 1.0),
    ],
    "comparisons": lambda xp, x, y, b, W: [xp.where(x >= y, x, b) * xp.where(b > 0, y, x)],
    "weights alone": lambda xp, x, y, b, W: [
        x * xp.exp(-xp.exp(b)) + xp.sum(b * b) * xp.mean(b) * y + y @ (W @ W)
    ],
    "of parts": lambda xp, x, y, b, W: [xp.split(x, 2)[0] * xp.split(b, 2)[1]],
    "an input as it is": lambda xp, x, y, b, W: [x, x, y * 1.0],
    "rows against a column": lambda xp, x, y, b, W: [
        xp.sum(x) * y + xp.mean(y * b) - xp.sum(y) / (1 + x * x)
    ],
    "a norm": lambda xp, x, y, b, W: [
        (x - xp.mean(x)) / xp.sqrt(xp.mean((x - xp.mean(x)) ** 2) + 1e-5) * b + y
    ],
}


def drawn(dtype: str = "float64", rows: int = 5) -> tuple[list[np.ndarray], list[np.ndarray]]:
    random = np.random.default_rng(2)
    shapes = [(rows, 4), (rows, 4), (4,), (4, 4)]
    x, y, b, W = (random.standard_normal(shape).astype(dtype) for shape in shapes)
    return [x, y], [b, W]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted(ONE))
def test_operations_of_one_array(name: str, dtype: str) -> None:
    (x, _), (b, _) = drawn(dtype)
    if name in POSITIVE:
        x, b = np.abs(x) + 0.1, np.abs(b) + 0.1
    compare(lambda xp, x, b: [ONE[name](xp, x) * 1.0 + 0.0 * x, ONE[name](xp, b) * x], [x], [b], 2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", MANY)
def test_operations_of_several_arrays(name: str, dtype: str) -> None:
    rows, weights = drawn(dtype)
    compare(MANY[name], rows, weights, len(MANY[name](REFERENCE_OPERATIONS, *rows, *weights)))


@pytest.mark.parametrize(
    "name", ["sigmoid", "softplus", "log_sigmoid", "tanh", "relu", "expm1", "exp", "log1p"]
)
def test_large_and_small_numbers(name: str) -> None:
    x = np.array([[-800.0, -40.0, -1e-12, 0.0, 1e-12, 40.0, 700.0]])
    if name == "log1p":
        x = np.abs(x)
    compare(lambda xp, x: [getattr(xp, name)(x)], [x], [])


def test_minus_infinity_needs_no_branch() -> None:
    x, m = np.array([[0.5, -2.0]]), np.full((1, 2), -np.inf)
    code: Code = lambda xp, x, m: [xp.exp(xp.log_sigmoid(x) + m - xp.maximum(x, m)), xp.maximum(x, m)]  # noqa: E731
    compare(code, [x, m], [], 2)


UNARY = ["abs", "cos", "exp", "log_sigmoid", "relu", "sigmoid", "sin", "softplus", "tanh", "mean", "sum"]
BINARY = ["add", "subtract", "multiply", "maximum", "minimum", "where", "matmul", "rejoin"]


@given(
    steps=st.lists(
        st.tuples(st.sampled_from([*UNARY, *BINARY]), st.integers(0, 99), st.integers(0, 99)),
        min_size=1,
        max_size=14,
    ),
    outputs=st.integers(1, 3),
    rows=st.integers(1, 4),
)
def test_any_program(steps: list[tuple[str, int, int]], outputs: int, rows: int) -> None:
    """Values that are used several times, not at all, in place, in parts, or by the weights alone."""

    def code(xp: Any, x: Any, y: Any, b: Any, W: Any) -> list[Any]:
        known = [x, y, b * 1.0]
        for name, i, j in steps:
            left, right = known[i % len(known)], known[j % len(known)]
            if name in UNARY:
                found = getattr(xp, name)(left * 0.5)
            elif name == "where":
                found = xp.where(left > right, left, right)
            elif name == "matmul":
                found = (left + 0.0 * x) @ W * 0.3
            elif name == "rejoin":
                a, c = xp.split(left + 0.0 * x, 2)
                found = xp.concat([c, a * xp.split(right + 0.0 * x, 2)[0]])
            elif name in ("maximum", "minimum"):
                found = getattr(xp, name)(left, right)
            else:
                found = {"add": left + right, "subtract": left - right, "multiply": left * right * 0.3}[name]
            known.append(found)
        return [each + 0.0 * x for each in known[-outputs:]]

    (x, y), weights = drawn(rows=rows)
    compare(code, [x, y], weights, outputs)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (lambda xp, x, w: [x @ x], "the right side of @ must be a matrix of weights"),
        (lambda xp, x, w: [x @ xp.split(w, 2)[0] @ w], "@ of arrays of the shapes"),
        (lambda xp, x, w: [x + np.ones(4)], "an operation was given ndarray"),
        (lambda xp, x, w: [xp.split(x, 3)[0]], "4 columns cannot be cut into 3 equal parts"),
        (lambda xp, x, w: [xp.where(x, x, x)], "must be a comparison's result"),
        (lambda xp, x, w: [x if x > 0 else -x], "cannot branch on an array's numbers"),
        (lambda xp, x, w: [xp.concat([x, w])], "must be equal but for their last axes"),
        (lambda xp, x, w: [x + xp.split(x, 2)[0]], r"add of arrays of the shapes \(N, 4\), \(N, 2\)"),
        (lambda xp, x, w: [xp.tanh(1.0)], "xp.tanh was given float"),
        (lambda xp, x, w: [xp.erf(x)], "the operation 'erf', which not every backend has"),
    ],
)
def test_what_a_cell_may_not_do_is_named(code: Code, message: str) -> None:
    graph = Graph()
    with pytest.raises(ContractError, match=message):
        code(NUMPY_OPERATIONS, graph.rows(4), graph.weight((4, 4)))
