"""A step of each cell as most NumPy packages have it: a matrix and a bias for every gate, over [h, x] joined.

So do numpy-ml and EpyNN for a batch, and nicodjimenez/lstm for one row. The gradient of x is worked out, too,
as in a package, where a layer hands it down whatever lies below. numpy-ml's activations give their slope at the
sum they were given, so its lstm multiplies for its gates again on the way back: AGAIN; the others keep them.
"""

from __future__ import annotations

import numpy as np

from benchmarks.peers.numpy_cells import (
    Arrays,
    Cell,
    State,
    bias_gradient,
    rnn_backward,
    rnn_forward,
    sigmoid,
    weight_gradient,
)


def _gates(given: Arrays, names: str) -> Arrays:
    """Wx, Wh, b of all gates in one -> Wi, bi, Wf, bf ... of one gate each, over [h, x]."""
    columns = [np.split(given[name], len(names), axis=-1) for name in ("Wx", "Wh", "b")]
    own = {name: array for name, array in given.items() if name not in ("Wx", "Wh", "b")}
    for gate, x, h, b in zip(names, *columns, strict=True):
        own[f"W{gate}"], own[f"b{gate}"] = np.concatenate([h, x]), b.copy()
    return own


def lstm_parameters(given: Arrays) -> Arrays:
    return _gates(given, "ifgo")


def gru_parameters(given: Arrays) -> Arrays:
    """r and z over [h, x]; n, whose two sums meet after the reset, keeps a matrix for each."""
    x, h, bx, bh = (np.split(given[name], 3, axis=-1) for name in ("Wx", "Wh", "bx", "bh"))
    own = {name: array for name, array in given.items() if name.startswith("out.")}
    for place, gate in enumerate("rz"):
        own[f"W{gate}"] = np.concatenate([h[place], x[place]])
        own[f"b{gate}"] = bx[place] + bh[place]
    return own | {"Wxn": x[2].copy(), "bxn": bx[2].copy(), "Whn": h[2].copy(), "bhn": bh[2].copy()}


def lstm_forward(p: Arrays, x: np.ndarray, state: State) -> tuple[State, State]:
    h, c = state
    joined = np.concatenate([h, x], axis=-1)
    i = sigmoid(joined @ p["Wi"] + p["bi"])
    f = sigmoid(joined @ p["Wf"] + p["bf"])
    g = np.tanh(joined @ p["Wg"] + p["bg"])
    o = sigmoid(joined @ p["Wo"] + p["bo"])
    after = f * c + i * g
    return (o * np.tanh(after), after), (joined, c, i, f, g, o, after)


def lstm_backward_again(p: Arrays, cache: State, d_state: State, gradients: Arrays) -> State:
    joined, c, *_, after = cache
    i, f, g, o = (joined @ p[f"W{gate}"] + p[f"b{gate}"] for gate in "ifgo")
    return lstm_backward(
        p, (joined, c, sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o), after), d_state, gradients
    )


def lstm_backward(p: Arrays, cache: State, d_state: State, gradients: Arrays) -> State:
    joined, c, i, f, g, o, after = cache
    dh, dc = d_state
    squashed = np.tanh(after)
    dc = dc + dh * o * (1 - squashed**2)
    found = {
        "i": dc * g * i * (1 - i),
        "f": dc * c * f * (1 - f),
        "g": dc * i * (1 - g**2),
        "o": dh * squashed * o * (1 - o),
    }
    for gate, d in found.items():
        _add(gradients, gate, joined, d)
    d_joined = sum(d @ p[f"W{gate}"].T for gate, d in found.items())
    return d_joined[..., : dh.shape[-1]], dc * f


def gru_forward(p: Arrays, x: np.ndarray, state: State) -> tuple[State, State]:
    (h,) = state
    joined = np.concatenate([h, x], axis=-1)
    r = sigmoid(joined @ p["Wr"] + p["br"])
    z = sigmoid(joined @ p["Wz"] + p["bz"])
    hn = h @ p["Whn"] + p["bhn"]
    n = np.tanh(x @ p["Wxn"] + p["bxn"] + r * hn)
    return ((1 - z) * n + z * h,), (joined, x, h, r, z, n, hn)


def gru_backward(p: Arrays, cache: State, d_state: State, gradients: Arrays) -> State:
    joined, x, h, r, z, n, hn = cache
    (dh,) = d_state
    dn = dh * (1 - z) * (1 - n**2)
    found = {"r": dn * hn * r * (1 - r), "z": dh * (h - n) * z * (1 - z)}
    for gate, d in found.items():
        _add(gradients, gate, joined, d)
    _add(gradients, "xn", x, dn)
    _add(gradients, "hn", h, dn * r)
    d_joined = sum(d @ p[f"W{gate}"].T for gate, d in found.items())
    return (dh * z + d_joined[..., : dh.shape[-1]] + (dn * r) @ p["Whn"].T,)


def _add(gradients: Arrays, gate: str, entering: np.ndarray, d: np.ndarray) -> None:
    gradients[f"W{gate}"] += weight_gradient(entering, d)
    gradients[f"b{gate}"] += bias_gradient(d)


GATEWISE = {
    "rnn": Cell(1, rnn_forward, rnn_backward),
    "lstm": Cell(2, lstm_forward, lstm_backward, lstm_parameters),
    "gru": Cell(1, gru_forward, gru_backward, gru_parameters),
}
AGAIN = GATEWISE | {"lstm": Cell(2, lstm_forward, lstm_backward_again, lstm_parameters)}
