"""Parameters as one vector and back."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts import flattened, unflattened

SHAPES = st.dictionaries(
    st.text("abc", min_size=1, max_size=3),
    st.lists(st.integers(0, 4), max_size=3).map(tuple),
    max_size=4,
)


@given(SHAPES)
def test_there_and_back(shapes: dict[str, tuple[int, ...]]) -> None:
    random = np.random.default_rng(0)
    arrays = {name: random.normal(size=shape) for name, shape in shapes.items()}
    vector = flattened(dict(reversed(arrays.items())), shapes, "float64")
    assert vector.shape == (sum(array.size for array in arrays.values()),)
    back = unflattened(vector, shapes)
    assert list(back) == list(shapes)
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array)


def test_the_vector_is_a_copy_and_its_parts_are_views() -> None:
    weights = {"W": np.ones((2, 2)), "b": np.zeros(2)}
    vector = flattened(weights, {"W": (2, 2), "b": (2,)}, "float32")
    weights["W"][...] = 9
    assert vector.tolist() == [1, 1, 1, 1, 0, 0]
    assert vector.dtype == "float32"
    unflattened(vector, {"W": (2, 2), "b": (2,)})["b"][...] = 7
    assert vector.tolist() == [1, 1, 1, 1, 7, 7]
