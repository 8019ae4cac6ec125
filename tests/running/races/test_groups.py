"""Heats: those who run one model race each other, whatever else a study holds."""

from __future__ import annotations

from collections.abc import Callable

from fixtures.records import record

from benchsuite.running.races import race_groups
from benchsuite.running.races.workers import MOST_RACERS
from benchsuite.schema import Record, Status, Trial

BACKENDS = ("numpy", "torch", "jax")


def runs(**fields: object) -> list[Record]:
    return [record(backend=backend, **fields) for backend in BACKENDS]  # type: ignore[arg-type]


def test_ways_to_run_one_model_race_and_models_do_not() -> None:
    fused = record(backend="torch", execution={"unroll": "fused"})
    found, alone = race_groups([*runs(), fused, *runs(cell="gru"), record(cell="rnn")])
    assert [group.name for group in found] == ["digits/tiny lstm plain", "digits/tiny gru plain"]
    assert set(found[0].racers) == {"numpy dynamic", "torch dynamic", "jax dynamic", "torch fused"}
    assert alone == 1


def test_what_makes_another_model_is_told() -> None:
    found, _ = race_groups([*runs(size={"hidden": 8}), *runs(size={"hidden": 16})])
    assert [group.name for group in found] == [
        "digits/tiny lstm plain hidden=8",
        "digits/tiny lstm plain hidden=16",
    ]
    found, _ = race_groups([*runs(), *runs(execution={"precision": "float64"})])
    assert len(found) == 2


def test_what_else_tells_racers_apart_is_in_their_names() -> None:
    ways = [{"threads": 1}, {"threads": 2}, {"allocator": "default"}]
    (group,), _ = race_groups([record(execution=way) for way in ways])
    assert set(group.racers) == {
        "numpy dynamic threads=1 allocator=tuned",
        "numpy dynamic threads=2 allocator=tuned",
        "numpy dynamic threads=1 allocator=default",
    }


def test_one_seed_races_unless_all_are_asked_for() -> None:
    several = [record(seed=0), *runs(seed=1), *runs(seed=2)]
    (group,), _ = race_groups(several)
    assert {trial.seed for trial in group.racers.values()} == {1}
    every, alone = race_groups(several, every_seed=True)
    assert [group.name for group in every] == [
        "digits/tiny lstm plain seed=1",
        "digits/tiny lstm plain seed=2",
    ]
    assert alone == 1


def test_only_ranked_records_race() -> None:
    bad = [record(None, Status.FAILED, backend="torch"), record(parity="breach", backend="jax")]
    assert race_groups([record(), *bad]) == ([], 1)
    assert race_groups([]) == ([], 0)


def test_the_fastest_race_where_there_are_too_many() -> None:
    many = [
        record(backend=f"b{place}", scalars={"speed/step_median_seconds": 1.0 + place})
        for place in reversed(range(MOST_RACERS + 2))
    ]
    (group,), _ = race_groups(many)
    assert list(group.racers) == [f"b{place} dynamic" for place in range(MOST_RACERS)]
    assert [trial.backend for trial in group.left] == [f"b{MOST_RACERS}", f"b{MOST_RACERS + 1}"]


def test_a_trial_that_several_machines_ran_does_not_race_itself() -> None:
    def on(machine: str, known: Record) -> Record:
        return known.model_copy(update={"environment": {"hardware.cpu": machine}})

    alone = record(backend="numpy")
    assert race_groups([on("a", alone), on("b", alone)]) == ([], 1)
    two = [on(machine, record(backend=backend)) for machine in ("a", "b") for backend in ("numpy", "torch")]
    (group,), _ = race_groups(two)
    assert len(group.racers) == 2


def with_fields(**fields: object) -> Callable[[Trial], list[Trial]]:
    """What `--set` does: each trial with other fields of its execution or recipe."""
    return lambda trial: [
        trial.model_copy(
            update={name: {**getattr(trial, name).model_dump(), **values} for name, values in fields.items()}  # type: ignore[dict-item]
        )
    ]


def test_what_is_changed_in_all_racers_is_in_the_name_of_the_race() -> None:
    (group,), _ = race_groups(runs(), changed=with_fields(recipe={"batch_size": 8}, execution={"threads": 2}))
    assert group.name == "digits/tiny lstm plain threads=2 batch_size=8"
    assert set(group.racers) == {"numpy dynamic", "torch dynamic", "jax dynamic"}
    assert {trial.recipe.batch_size for trial in group.racers.values()} == {8}


def test_what_is_changed_in_some_is_in_their_names() -> None:
    def either(trial: Trial) -> list[Trial]:
        return [trial, *with_fields(execution={"choices": "tanh=plain"})(trial)]

    (group,), alone = race_groups([record(backend="torch")], changed=either)
    assert alone == 0
    assert group.name == "digits/tiny lstm plain"
    assert set(group.racers) == {"torch dynamic choices=", "torch dynamic choices=tanh=plain"}


def test_two_that_become_one_race_once() -> None:
    two = [
        record(execution={"threads": number}, backend=backend) for number in (1, 2) for backend in BACKENDS
    ]
    (group,), _ = race_groups(two, changed=with_fields(execution={"threads": 2}))
    assert len(group.racers) == len(BACKENDS)


def test_racers_that_are_measured_otherwise_have_names_of_their_own() -> None:
    (group,), _ = race_groups([record(protocol={"calibration": way}) for way in ("measured", "none")])
    assert set(group.racers) == {"numpy dynamic calibration=measured", "numpy dynamic calibration=none"}
