"""Any cut covers each trial once, is the same whoever makes it, and is balanced within one trial."""

from __future__ import annotations

import random
from collections.abc import Sequence

from fixtures.planted import planted
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.running.matrix import Expansion, Skipped
from benchsuite.running.shards import Cut, Shard, cut_trials, take
from benchsuite.schema import Trial

TASKS, BACKENDS = ("adding", "copy", "digits"), ("jax", "numpy", "torch")


def trials_of(seeds: int) -> list[Trial]:
    return [
        planted(task=task, backend=backend, seed=seed).trial
        for task in TASKS
        for backend in BACKENDS
        for seed in range(seeds)
    ]


TRIALS = trials_of(4)
parts = st.lists(st.sampled_from(TRIALS), unique_by=lambda trial: trial.id, max_size=len(TRIALS))


@given(
    chosen=parts,
    count=st.integers(1, 40),
    weights=st.lists(st.integers(0, 10**9), min_size=len(TRIALS), max_size=len(TRIALS)),
    order=st.randoms(use_true_random=False),
)
def test_any_cut_is_a_partition_stable_and_balanced(
    chosen: list[Trial], count: int, weights: list[int], order: random.Random
) -> None:
    known = {trial.id: weight for trial, weight in zip(TRIALS, weights, strict=True)}

    def weigh(trial: Trial) -> int:
        return known[trial.id]

    cut = cut_trials(chosen, count, weigh)
    assert len(cut.parts) == count
    assert sorted(one for part in cut.parts for one in part) == sorted(trial.id for trial in chosen)
    shuffled = list(chosen)
    order.shuffle(shuffled)
    assert cut_trials(shuffled, count, weigh) == cut
    counted = [[max(1, known[one]) for one in part] for part in cut.parts]
    total, heaviest = sum(map(sum, counted)), max((max(part) for part in counted if part), default=0)
    assert all(sum(part) <= total / count + heaviest for part in counted)


@given(count=st.integers(1, 36))
def test_tasks_and_backends_stay_together(count: int) -> None:
    """Beside those that a cut goes through, every task and backend is in one part alone."""
    kinds = {trial.id: (trial.task, trial.backend) for trial in TRIALS}
    cut = cut_trials(TRIALS, count, lambda _: 1)
    pieces = sum(len({kinds[one] for one in part}) for part in cut.parts)
    assert pieces <= len(TASKS) * len(BACKENDS) + count - 1


def test_a_digest_is_of_the_parts_and_not_of_the_order_in_them() -> None:
    a, b = Cut((("1", "2"), ("3",))), Cut((("2", "1"), ("3",)))
    assert a.digest == b.digest
    assert a.digest != Cut((("1",), ("2", "3"))).digest


def test_the_parts_of_an_expansion_are_all_of_it() -> None:
    trials: Sequence[Trial] = TRIALS[:8]
    whole = Expansion(tuple(trials[:6]), tuple(Skipped(trial, "why") for trial in trials[6:]))
    cut = cut_trials(trials, 3, lambda _: 1)
    found = [take(whole, cut.part(Shard(index, 3))) for index in (1, 2, 3)]
    assert {trial.id for one in found for trial in one.trials} == {trial.id for trial in whole.trials}
    assert {skip.trial.id for one in found for skip in one.skipped} == {trial.id for trial in trials[6:]}
