"""The peephole LSTM against ONNX's operator LSTM with its input P.

The numbers were computed with onnx 1.23: VECTORS by `onnx.reference.ReferenceEvaluator` in float64 for the
model of one LSTM node (inputs X, W, R, B, initial_h, initial_c, P), PUBLISHED by the operator's own node
test `test_lstm_with_peepholes`. ONNX's gates are in the order i, o, f, c, and its P is [P_i, P_o, P_f]; its
biases are two, for the input's and the state's product.
"""

from __future__ import annotations

import numpy as np
from fixtures.modern_layers import run_layer
from hypothesis import given, settings
from hypothesis import strategies as st

VECTORS = {
    "X": [[[-0.85, 0.56], [-0.12, 0.45]], [[0.96, 0.08], [0.0, -0.86]], [[-0.46, -0.0], [0.36, 0.61]]],
    "W": [
        [-0.24, -0.87], [-0.42, 0.82], [-0.57, -0.1], [0.86, -0.95],
        [0.2, 0.9], [-0.54, 0.1], [0.82, -0.73], [0.05, 0.5],
    ],
    "R": [
        [0.34, -0.06], [-0.59, -0.02], [-0.26, -0.05], [-0.27, 0.68],
        [0.54, -0.37], [0.15, -0.45], [-0.09, -0.29], [0.31, -0.26],
    ],
    "B": [
        -0.08, 0.44, -0.17, 0.81, -0.64, 0.48, -0.16, -0.15,
        0.27, 0.05, -0.17, -1.0, -0.82, 0.42, 0.05, 0.39,
    ],
    "P": [0.91, 0.37, -0.89, -0.38, 0.19, -0.53],
    "initial_h": [[0.93, 0.89], [0.7, -0.06]],
    "initial_c": [[0.68, -0.74], [-0.38, -0.07]],
    "Y": [
        [[-0.21682165324550348, -0.08185169583124846], [-0.15179244696211175, 0.07794985581040695]],
        [[0.03464969104126472, -0.030832165619740087], [0.10223354889291172, 0.051581324143569904]],
        [[-0.1297396292375482, 0.03900217182764854], [-0.01468610770836866, 0.1380111721830281]],
    ],
    "Y_c": [[-0.2480059424311282, 0.11493633410855315], [-0.0414291917066926, 0.41411128922441626]],
}  # fmt: skip
PUBLISHED = [0.3750690956395994, 0.6801309380121388]
"""Y_h of each row, in float64; its three units are equal."""


def from_onnx(W: np.ndarray, R: np.ndarray, B: np.ndarray, P: np.ndarray) -> dict[str, np.ndarray]:
    """The cell's parameters from the operator's of one direction: W (4 H, I), R (4 H, H), B (8 H), P (3 H)."""
    H = R.shape[1]

    def ordered(blocks: np.ndarray) -> np.ndarray:
        i, o, f, c = np.split(blocks, 4)
        return np.concatenate([i, f, c, o])

    p_i, p_o, p_f = np.split(P, 3)
    return {
        "Wx": ordered(W).T,
        "Wh": ordered(R).T,
        "b": ordered(B[: 4 * H] + B[4 * H :]),
        "p": np.concatenate([p_i, p_f, p_o]),
    }


def operator_lstm(
    X: np.ndarray, W: np.ndarray, R: np.ndarray, B: np.ndarray, P: np.ndarray, h: np.ndarray, c: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Y (T, B, H) and Y_c by the equations of the operator's text, its defaults for f, g and h."""
    H = R.shape[1]

    def sigmoid(v: np.ndarray) -> np.ndarray:
        found: np.ndarray = 1 / (1 + np.exp(-v))
        return found

    Wi, Wo, Wf, Wc = np.split(W, 4)
    Ri, Ro, Rf, Rc = np.split(R, 4)
    Wbi, Wbo, Wbf, Wbc = np.split(B[: 4 * H], 4)
    Rbi, Rbo, Rbf, Rbc = np.split(B[4 * H :], 4)
    Pi, Po, Pf = np.split(P, 3)
    Y = []
    for Xt in X:
        it = sigmoid(Xt @ Wi.T + h @ Ri.T + Pi * c + Wbi + Rbi)
        ft = sigmoid(Xt @ Wf.T + h @ Rf.T + Pf * c + Wbf + Rbf)
        ct = np.tanh(Xt @ Wc.T + h @ Rc.T + Wbc + Rbc)
        c = ft * c + it * ct
        ot = sigmoid(Xt @ Wo.T + h @ Ro.T + Po * c + Wbo + Rbo)
        h = ot * np.tanh(c)
        Y.append(h)
    return np.array(Y), c


def test_the_vectors_of_onnx_are_met_to_twelve_digits() -> None:
    given = {name: np.array(values) for name, values in VECTORS.items()}
    weights = from_onnx(given["W"], given["R"], given["B"], given["P"])
    state = given["initial_h"], given["initial_c"]
    found, (_, c) = run_layer("lstm_peephole", weights, given["X"].transpose(1, 0, 2), 2, state)
    np.testing.assert_allclose(found.transpose(1, 0, 2), given["Y"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(c, given["Y_c"], rtol=0, atol=1e-12)


def test_the_published_node_test_is_met() -> None:
    """X (1, 2, 4) holds 1 to 8, every weight and every peephole is 0.1, H = 3."""
    weights = from_onnx(np.full((12, 4), 0.1), np.full((12, 3), 0.1), np.zeros(24), np.full(9, 0.1))
    x = np.arange(1.0, 9.0).reshape(2, 1, 4)
    found, _ = run_layer("lstm_peephole", weights, x, 3)
    np.testing.assert_allclose(found[:, 0], np.outer(PUBLISHED, np.ones(3)), rtol=0, atol=1e-12)


@settings(max_examples=20)
@given(seed=st.integers(0, 999), inputs=st.integers(1, 3), hidden=st.integers(1, 4), steps=st.integers(1, 6))
def test_the_cell_is_the_operator(seed: int, inputs: int, hidden: int, steps: int) -> None:
    random = np.random.default_rng(seed)
    W, R = random.normal(size=(4 * hidden, inputs)), random.normal(size=(4 * hidden, hidden))
    B, P = random.normal(size=8 * hidden), random.normal(size=3 * hidden)
    X, start = random.normal(size=(steps, 2, inputs)), random.normal(size=(2, 2, hidden))
    expected, end = operator_lstm(X, W, R, B, P, *start)
    found, (_, c) = run_layer(
        "lstm_peephole", from_onnx(W, R, B, P), X.transpose(1, 0, 2), hidden, tuple(start)
    )
    np.testing.assert_allclose(found.transpose(1, 0, 2), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(c, end, rtol=0, atol=1e-12)
