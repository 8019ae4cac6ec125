"""Products of a cell's step: counted by hand for cells of each kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fixtures.cells import EXAMPLE_CELLS, entry, example_cells, registered
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts import Batch
from benchsuite.errors import ContractError
from benchsuite.measure.flops import inference_flops, training_flops
from benchsuite.measure.recorded.products import CellProducts, cell_products
from benchsuite.schema import Dense, Features, ModelSpec, Recurrent
from benchsuite.schema.cells import Cell, CellParameter, glorot

pytestmark = pytest.mark.usefixtures("example_cells")
__all__ = ["example_cells"]

sizes = st.integers(1, 7)


@given(inputs=sizes, hidden=st.integers(8, 12))
def test_products_are_those_of_a_count_by_hand(inputs: int, hidden: int) -> None:
    i, h = inputs, hidden
    expected = {
        "decay": CellProducts(((2 * i, h),), (), ((i, h), (i, h))),
        "rotation": CellProducts(((i, 2 * h), (2 * h, h)), (), ((i, 2 * h),)),
        "steadied": CellProducts(((i + h, 3 * h),), (), ((i, 3 * h),)),
        "shown": CellProducts(((2 * i + h, h),), (), ((i, h), (i, h))),
        "opening": CellProducts(((i, h),), (), ((i, h),)),
        "lstm_generic": CellProducts(((i + h, 4 * h),), (), ((i, 4 * h),)),
        "gru": CellProducts(((i + h, 3 * h),), (), ((i, 3 * h),)),
    }
    assert {name: cell_products(name, i, h) for name in expected} == expected
    assert EXAMPLE_CELLS.keys() <= expected.keys()


class Factored(Cell):
    """The recurrent matrix is A @ B: a product of parameters, once for all rows and steps."""

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        shapes = {"W": (inputs, hidden), "A": (hidden, 2), "B": (2, hidden)}
        return {name: CellParameter(shape, glorot) for name, shape in shapes.items()}

    def step(self, xp: Any, w: Any, u: Any, h: Any, state: Any) -> Any:
        return (xp.tanh(u @ w["W"] + h @ (w["A"] @ w["B"])),)


def test_a_product_of_parameters_is_counted_once() -> None:
    with registered(entry("factored", Factored)):
        assert cell_products("factored", 3, 4).fixed == ((4, 2, 4),)
        model = ModelSpec(Features(3), Recurrent("factored", 4), Dense(2), "cross_entropy")
        batch = Batch(np.zeros((2, 5, 3)), np.array([5, 3], np.int32), np.zeros(2, np.int32))
        of_inputs, others = 8 * 3 * 4, 8 * 4 * 4 + 4 * 2 * 4 + 2 * 4 * 2
        assert inference_flops(model, batch) == 2 * (of_inputs + others)
        assert training_flops(model, batch) == 2 * (2 * of_inputs + 3 * others)


class Broken(Factored):
    def step(self, xp: Any, w: Any, u: Any, h: Any, state: Any) -> Any:
        return (h.tanh(),)


def test_a_cell_that_cannot_be_counted_is_named() -> None:
    with (
        registered(entry("broken", Broken)),
        pytest.raises(ContractError, match=r"cell 'broken': step\(\): uses \.tanh of an array"),
    ):
        cell_products("broken", 3, 4)
