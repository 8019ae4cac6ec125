import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.data import fixed_order, stratified_split


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
