"""What the author of these cells tests: the kit, and that they are what their papers say. Run it where the
plugin is installed."""

from __future__ import annotations

import numpy as np
from benchsuite_example_cells.leaky_rnn import LEAKY_RNN
from benchsuite_example_cells.mgu import MGU

import benchsuite
from benchsuite.contracts import Batch
from benchsuite.plugins import registry
from benchsuite.pytest_plugin.kits import CellKit
from benchsuite.schema import Dense, Execution, Features, ModelSpec, Recipe, Recurrent, parameter_shapes


class TestLeakyRnn(CellKit):
    entry = LEAKY_RNN
    backends = ("numpy", "torch")


class TestMgu(CellKit):
    entry = MGU
    backends = ("numpy", "torch")


def test_the_plugin_is_found() -> None:
    for name in ("leaky_rnn", "mgu"):
        owner = registry().owners[f"cell:{name}"]
        assert (owner.name, owner.distribution, owner.version) == (
            "example_cells",
            "benchsuite-example-cells",
            "1.0.0",
        )
        assert not owner.problem


def outputs(cell: str, weights: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """h (T, H) of one row x (T, I), in float64 by the NumPy backend."""
    backend = benchsuite.load_backend("numpy")
    hidden = len(weights["b"]) // (2 if cell == "mgu" else 1)
    model = ModelSpec(Features(x.shape[1]), Recurrent(cell, hidden), Dense(1), "squared")
    given = {f"rnn.l0.fwd.{name}": values for name, values in weights.items()}
    whole = {name: given.get(name, np.ones(shape)) for name, shape in parameter_shapes(model).items()}
    program = backend.build(model, whole, Recipe(), Execution(precision="float64"))
    placed = program.place(Batch(x[None], np.array([len(x)], np.int32)))
    return program.outputs(placed)["rnn.l0.fwd"][0]


def test_a_leaky_unit_without_weights_decays_at_its_rate() -> None:
    weights = {"W": np.zeros((1, 2)), "R": np.zeros((2, 2)), "b": np.ones(2), "l": np.array([-1.0, 2.0])}
    rate = 1 / (1 + np.exp(-weights["l"]))
    steps = np.arange(1, 6)[:, None]
    expected = np.tanh(1.0) * (1 - (1 - rate) ** steps)
    np.testing.assert_allclose(outputs("leaky_rnn", weights, np.zeros((5, 1))), expected, rtol=1e-12)


def test_mgu_is_a_loop_of_its_equations() -> None:
    random = np.random.default_rng(0)
    shapes = {"Wx": (2, 6), "b": (6,), "Rf": (3, 3), "Rc": (3, 3)}
    w = {name: random.normal(size=shape) for name, shape in shapes.items()}
    x, h, expected = random.normal(size=(4, 2)), np.zeros(3), []
    for row in x:
        gate, candidate = np.split(row @ w["Wx"] + w["b"], 2)
        f = 1 / (1 + np.exp(-(gate + h @ w["Rf"])))
        h = (1 - f) * h + f * np.tanh(candidate + (f * h) @ w["Rc"])
        expected.append(h)
    np.testing.assert_allclose(outputs("mgu", w, x), expected, rtol=1e-12)
