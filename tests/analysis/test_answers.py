"""Which model is best, and what cannot be told from it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from fixtures.records import record
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.analysis.answers import Answer, answer, fastest_steps, pareto, seeds_needed
from benchsuite.analysis.ranking import Ranking, rankings
from benchsuite.schema import Record


def ranking(records: list[Record]) -> Ranking:
    (found,) = rankings(records)
    return found


def told(found: Ranking) -> Answer:
    made = answer(found)
    assert made is not None
    return made


def seeds(cell: str, values: list[float], **fields: object) -> list[Record]:
    return [record(value, cell=cell, seed=seed, **fields) for seed, value in enumerate(values)]  # type: ignore[arg-type]


def test_a_planted_difference_is_found_and_noise_is_not() -> None:
    lstm = [0.950, 0.952, 0.948, 0.951, 0.949, 0.953, 0.947, 0.950]
    gru = [0.953, 0.949, 0.950, 0.948, 0.951, 0.949, 0.949, 0.950]
    rnn = [value - 0.05 + 0.001 * (-1) ** at for at, value in enumerate(lstm)]
    records = [*seeds("lstm", lstm), *seeds("gru", gru), *seeds("rnn", rnn)]
    found = told(ranking(records))
    assert found.best.name == "lstm plain"
    assert [one.model.name for one in found.alike] == ["gru plain"]
    assert [model.name for model in found.worse] == ["rnn plain"]
    assert found.untested == ()
    assert found.seeds == 8


def test_pairs_of_seeds_show_what_intervals_hide() -> None:
    """Seeds move both models together: their intervals overlap, their differences do not."""
    common = [0.90, 0.92, 0.94, 0.96, 0.98]
    records = [
        *seeds("lstm", common),
        *seeds("gru", [value - 0.004 - 0.0001 * at for at, value in enumerate(common)]),
    ]
    assert [model.name for model in told(ranking(records)).worse] == ["gru plain"]


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_seeds_are_not_tested(count: int) -> None:
    found = told(ranking([*seeds("lstm", [0.9] * count), *seeds("gru", [0.8] * count)]))
    assert [model.name for model in found.untested] == ["gru plain"]
    assert not found.alike
    assert not found.worse


def test_a_metric_that_is_no_number_is_no_answer() -> None:
    assert answer(ranking([record(math.nan)])) is None
    found = told(ranking([*seeds("lstm", [math.nan]), *seeds("gru", [0.5])]))
    assert found.best.name == "gru plain"
    assert found.next_best is None


def test_false_alarms_are_as_rare_as_they_should_be() -> None:
    """200 rankings of four equal models with five seeds: in few of them is the best called better than another.
    It is chosen by the values that it is tested on: without the correction for all pairs it would be more."""
    random = np.random.default_rng(1)
    alarms = 0
    for _ in range(200):
        records = [
            one
            for cell, architecture in (
                ("lstm", "plain"),
                ("gru", "plain"),
                ("rnn", "plain"),
                ("lstm", "bidirectional"),
            )
            for one in seeds(cell, list(0.9 + 0.01 * random.normal(size=5)), architecture=architecture)
        ]
        alarms += bool(told(ranking(records)).worse)
    assert alarms <= 10


def test_who_is_fastest_and_by_how_much() -> None:
    records = [
        record(0.9, backend=name, scalars={"speed/sequences_per_second": speed})
        for name, speed in (("numpy", 100.0), ("torch", 250.0), ("jax", 200.0))
    ]
    model = ranking(records).models[0]
    found = fastest_steps(model)
    assert found is not None
    assert found.second is not None
    assert (found.first.trial.backend, found.second.trial.backend, found.ratio) == ("torch", "jax", 1.25)


def test_a_speed_that_may_not_be_believed_is_none() -> None:
    one = record(0.9)
    lazy = one.model_copy(update={"verdicts": {**one.verdicts, "speed": "unsynchronised"}})
    model = ranking([lazy]).models[0]
    assert fastest_steps(model) is None
    rough = one.model_copy(update={"verdicts": {**one.verdicts, "speed": "unstable"}})
    rough_model = ranking([rough]).models[0]
    assert rough_model.is_unsteady(rough_model.fastest)


def test_the_best_baseline_is_by_the_metric_s_direction() -> None:
    found = ranking(
        [record(0.9).model_copy(update={"baselines": {"a": {"accuracy": 0.1}, "b": {"accuracy": 0.3}}})]
    )
    assert found.best_baseline == ("b", 0.3)
    assert found.better(0.9, 0.3)


points = st.lists(st.tuples(st.floats(1, 100), st.floats(0, 1)), min_size=1, max_size=30)


@given(points, st.booleans())
def test_the_front_is_what_nothing_beats_in_both(
    given_points: list[tuple[float, float]], higher: bool
) -> None:
    front = {given_points[at] for at in pareto(given_points, higher)}

    def beats(a: tuple[float, float], b: tuple[float, float]) -> bool:
        as_good = a[0] >= b[0] and (a[1] >= b[1] if higher else a[1] <= b[1])
        return as_good and a != b

    for one in given_points:
        assert (one in front) == (not any(beats(other, one) for other in given_points))


@given(mean=st.floats(0.01, 5.0), spread=st.floats(0.05, 1.0))
def test_the_seeds_that_would_tell_are_those_of_scipys_quantiles(mean: float, spread: float) -> None:
    from scipy import stats

    pairs = [(0.0, mean - spread), (0.0, mean), (0.0, mean + spread)]

    def is_enough(n: int) -> bool:
        t = stats.t.ppf(0.975, n - 1) + stats.t.ppf(0.8, n - 1)
        return bool(n >= (t * spread / mean) ** 2 * (1 - 1e-9))

    needed = seeds_needed(pairs)
    if needed is None:
        assert not is_enough(999)
    else:
        assert is_enough(needed)
        assert needed == 3 or not is_enough(needed - 1)


def test_answers_import_no_scipy() -> None:
    import subprocess
    import sys

    script = "import sys, benchsuite.analysis.answers; assert 'scipy' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)
