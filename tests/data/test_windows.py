import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.data import window_starts, window_targets


@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 12), st.integers(1, 12))
def test_forecasts_stay_in_their_split_and_inputs_in_the_series(
    first: int, rows: int, window: int, horizon: int
) -> None:
    stop = first + rows
    starts = window_starts(first, stop, window, horizon)
    assert np.all(starts >= 0)
    assert np.all(starts + window >= first)
    assert np.all(starts + window + horizon <= stop)
    assert len(starts) == max(0, stop - horizon - max(first, window) + 1)


def test_the_count_is_that_of_the_informer_protocol() -> None:
    ends = (8640, 11520, 14400)
    counts = [len(window_starts(first, stop, 96, 24)) for first, stop in zip((0, *ends), ends, strict=False)]
    assert counts == [8521, 2857, 2857]


@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 3))
def test_targets_are_the_rows_after_the_window(window: int, horizon: int, channels: int) -> None:
    values = np.arange(20 * channels, dtype=np.float64).reshape(20, channels)
    starts = window_starts(0, 20, window, horizon)
    targets = window_targets(values, starts, window, horizon)
    assert targets.shape == (len(starts), horizon * channels)
    for start, row in zip(starts, targets, strict=True):
        assert row.tolist() == values[start + window : start + window + horizon].reshape(-1).tolist()
