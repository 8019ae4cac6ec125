"""Heats: those who run one model race each other, whatever else a study holds."""

from __future__ import annotations

from fixtures.records import record

from benchsuite.running.races import race_groups
from benchsuite.running.races.workers import MOST_RACERS
from benchsuite.schema import Record, Status

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
