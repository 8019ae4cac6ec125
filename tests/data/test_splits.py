from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.data import fixed_order, rows_apart, stratified_split
from benchsuite.errors import RequestError


def test_the_order_is_the_same_for_ever() -> None:
    assert fixed_order(10, 0).tolist() == [2, 8, 4, 9, 1, 6, 7, 3, 0, 5]
    assert fixed_order(10, 0).dtype == np.int64


@given(st.lists(st.integers(0, 4), min_size=1, max_size=200), st.integers(0, 2**32 - 1))
def test_parts_hold_every_row_once_in_order(labels: list[int], seed: int) -> None:
    parts = stratified_split(np.array(labels), (0.8, 0.1, 0.1), seed)
    assert sorted(np.concatenate(parts).tolist()) == list(range(len(labels)))
    assert all(np.all(np.diff(part) > 0) for part in parts)


def test_every_class_is_divided_by_the_shares() -> None:
    labels = np.repeat([0, 1, 2], [100, 200, 50])
    train, validation, test = stratified_split(labels, (0.8, 0.1, 0.1), 3)
    assert np.bincount(labels[train]).tolist() == [80, 160, 40]
    assert np.bincount(labels[validation]).tolist() == [10, 20, 5]
    assert np.bincount(labels[test]).tolist() == [10, 20, 5]


def test_another_seed_gives_another_split() -> None:
    labels = np.zeros(100, int)
    assert (
        stratified_split(labels, (0.5, 0.5), 0)[0].tolist()
        != stratified_split(labels, (0.5, 0.5), 1)[0].tolist()
    )


def bits(width: int) -> Callable[[np.random.RandomState, int], np.ndarray]:
    return lambda random, rows: random.randint(2, size=(rows, width))


@given(st.integers(1, 60), st.integers(6, 10), st.integers(0, 2**32 - 1))
def test_rows_apart_are_in_one_part_only(count: int, width: int, seed: int) -> None:
    """Where the rows that exist are fewer than those drawn, too."""
    parts = [rows_apart(bits(width), count, part, seed) for part in range(3)]
    assert all(part.shape == (count, width) and part.dtype == np.int32 for part in parts)
    found = [{row.tobytes() for row in part} for part in parts]
    assert len(found[0] | found[1] | found[2]) == sum(map(len, found))


def test_rows_apart_hold_14_1_and_1_of_16_rows_and_do_not_prefer_any_value() -> None:
    every = np.arange(2**16, dtype=np.int32)[:, None]
    for part, share in enumerate((14 / 16, 1 / 16, 1 / 16)):
        in_order = rows_apart(lambda _random, _rows: every, 2000, part, 0)
        assert 2000 / in_order[-1, 0] == pytest.approx(share, rel=0.1)
    drawn = rows_apart(bits(40), 4000, 1, 0)
    np.testing.assert_allclose(drawn.mean(axis=0), 0.5, atol=0.04)


def test_rows_apart_are_the_same_for_ever() -> None:
    assert rows_apart(bits(12), 2, 0, 7).tolist() == [
        [0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1],
        [1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1],
    ]


def test_too_few_different_rows_are_refused() -> None:
    with pytest.raises(RequestError, match="too few different sequences: of 10,000 drawn only 0 of 20"):
        rows_apart(bits(1), 20, 2, 0)
