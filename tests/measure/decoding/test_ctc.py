"""CTC's two decodings against every path, and against a beam that prunes nothing but prefixes."""

from __future__ import annotations

import itertools
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchsuite.measure.decoding import best_path, prefix_beam

SEEDS = st.integers(0, 10_000)


def logits(seed: int, time: int, classes: int, spread: float = 1.5) -> np.ndarray:
    """(1, T, C): one row."""
    return spread * np.random.default_rng(seed).standard_normal((1, time, classes))


def probabilities(scores: np.ndarray) -> np.ndarray:
    """(T, C) of one row's logits."""
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: np.ndarray = exponentials / exponentials.sum(axis=1, keepdims=True)
    return shares


def collapsed(path: tuple[int, ...]) -> tuple[int, ...]:
    """Repeats joined, then blanks taken out."""
    return tuple(symbol for symbol, _ in itertools.groupby(path) if symbol)


def labellings(p: np.ndarray) -> dict[tuple[int, ...], float]:
    """Every labelling's probability: the sum over all its paths."""
    found: defaultdict[tuple[int, ...], float] = defaultdict(float)
    for path in itertools.product(range(p.shape[1]), repeat=len(p)):
        found[collapsed(path)] += float(np.prod(p[np.arange(len(p)), path]))
    return found


def plain_prefix_beam(p: np.ndarray, width: int) -> tuple[int, ...]:
    """Hannun et al. 2014, algorithm 1, in probabilities: every prefix of the beam grows by every class."""
    beam: dict[tuple[int, ...], tuple[float, float]] = {(): (1.0, 0.0)}
    for step in p:
        after: defaultdict[tuple[int, ...], list[float]] = defaultdict(lambda: [0.0, 0.0])
        for prefix, (blank, label) in beam.items():
            after[prefix][0] += (blank + label) * step[0]
            for symbol in range(1, len(step)):
                if prefix and symbol == prefix[-1]:
                    after[prefix][1] += label * step[symbol]
                    after[(*prefix, symbol)][1] += blank * step[symbol]
                else:
                    after[(*prefix, symbol)][1] += (blank + label) * step[symbol]
        ranked = sorted(after.items(), key=lambda item: -sum(item[1]))[:width]
        beam = {prefix: (pair[0], pair[1]) for prefix, pair in ranked}
    return max(beam, key=lambda prefix: sum(beam[prefix]))


def labels(row: np.ndarray) -> tuple[int, ...]:
    """A row's labels, which stand before its zeros."""
    count = np.count_nonzero(row)
    assert not row[count:].any()
    return tuple(row[:count].tolist())


def peaked(path: list[int], classes: int = 4) -> np.ndarray:
    return 9.0 * np.eye(classes)[path]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ([1, 1, 2], (1, 2)),
        ([1, 0, 1], (1, 1)),
        ([0, 0, 0], ()),
        ([3, 3, 0, 3, 2, 2, 0], (3, 3, 2)),
        ([2], (2,)),
    ],
)
def test_a_sure_path_is_read_by_both(path: list[int], expected: tuple[int, ...]) -> None:
    scores, lengths = peaked(path)[None], np.array([len(path)])
    for found in (best_path(scores, lengths), *(prefix_beam(scores, lengths, width) for width in (1, 2, 8))):
        assert found.shape == (1, len(path))
        assert found.dtype == np.int32
        assert labels(found[0]) == expected


@settings(deadline=None, max_examples=50)
@given(SEEDS, st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_best_path_collapses_each_row_within_its_length(seed: int, lengths: list[int]) -> None:
    scores = np.random.default_rng(seed).standard_normal((len(lengths), 6, 3))
    found = best_path(scores, np.array(lengths))
    for row, length in enumerate(lengths):
        assert labels(found[row]) == collapsed(tuple(scores[row, :length].argmax(axis=1).tolist()))


@settings(deadline=None, max_examples=60)
@given(SEEDS, st.integers(1, 5), st.integers(2, 3))
def test_a_wide_prefix_beam_finds_the_likeliest_labelling(seed: int, time: int, classes: int) -> None:
    scores = logits(seed, time, classes)
    expected = labellings(probabilities(scores[0]))
    found = labels(prefix_beam(scores, np.array([time]), 100)[0])
    assert expected[found] == pytest.approx(max(expected.values()), rel=1e-12)


@settings(deadline=None, max_examples=80)
@given(SEEDS, st.integers(1, 9), st.integers(2, 6), st.integers(1, 4))
def test_leaving_out_unlikely_classes_changes_nothing(seed: int, time: int, classes: int, width: int) -> None:
    """Also where a prefix and its continuation are both in the beam, and the step's class is unlikely."""
    scores = logits(seed, time, classes, spread=1.0)
    expected = plain_prefix_beam(probabilities(scores[0]), width)
    assert labels(prefix_beam(scores, np.array([time]), width)[0]) == expected


def test_an_unlikely_class_still_adds_to_a_prefix_that_is_there() -> None:
    """(3,) is ahead of () only by its second path, blank then 3; three classes are likelier than 3 there."""
    scores = np.array([[[1.7, 1.101, -2.398, 1.203, -0.496], [1.105, 0.806, -1.093, 0.008, 1.109]]])
    assert labels(prefix_beam(scores, np.array([2]), 2)[0]) == (3,)
    assert plain_prefix_beam(probabilities(scores[0]), 2) == (3,)


def test_many_paths_outweigh_the_best_one() -> None:
    """Graves et al. 2006, section 3.2: the best path is all blanks, the likeliest labelling is not empty."""
    scores = np.log(np.array([[[0.6, 0.4], [0.6, 0.4]]]))
    assert labels(best_path(scores, np.array([2]))[0]) == ()
    assert labels(prefix_beam(scores, np.array([2]), 4)[0]) == (1,)


def test_rows_are_decoded_alone() -> None:
    scores, lengths = np.random.default_rng(4).standard_normal((5, 7, 4)), np.array([7, 1, 3, 6, 2])
    together = prefix_beam(scores, lengths, 3)
    for row, length in enumerate(lengths):
        alone = prefix_beam(scores[row : row + 1, :length], lengths[row : row + 1], 3)
        assert labels(alone[0]) == labels(together[row])


def test_classes_without_a_chance_and_long_rows() -> None:
    """Log probabilities of -inf, and products far below the smallest float."""
    path = [1, 0, 2] * 400
    scores = np.where(np.eye(4)[path] > 0, 0.0, -np.inf)[None]
    found = prefix_beam(scores, np.array([len(path)]), 3)
    assert labels(found[0]) == (1, 2) * 400
    flat = prefix_beam(np.zeros((1, 3000, 3), np.float32), np.array([3000]), 2)
    assert flat.shape == (1, 3000)
