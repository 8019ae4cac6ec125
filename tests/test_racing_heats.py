"""Heats: those who run one model race each other, whatever else a study holds."""

from __future__ import annotations

from records import record

from benchsuite.executors.racing import MOST_RACERS
from benchsuite.racing import heats
from benchsuite.spec import Record, Status

BACKENDS = ("numpy", "torch", "jax")


def runs(**fields: object) -> list[Record]:
    return [record(backend=backend, **fields) for backend in BACKENDS]  # type: ignore[arg-type]


def test_ways_to_run_one_model_race_and_models_do_not() -> None:
    fused = record(backend="torch", execution={"unroll": "fused"})
    found, alone = heats([*runs(), fused, *runs(cell="gru"), record(cell="rnn")])
    assert [heat.name for heat in found] == ["digits/tiny lstm plain", "digits/tiny gru plain"]
    assert set(found[0].racers) == {"numpy dynamic", "torch dynamic", "jax dynamic", "torch fused"}
    assert alone == 1


def test_what_makes_another_model_is_told() -> None:
    found, _ = heats([*runs(size={"hidden": 8}), *runs(size={"hidden": 16})])
    assert [heat.name for heat in found] == [
        "digits/tiny lstm plain hidden=8",
        "digits/tiny lstm plain hidden=16",
    ]
    found, _ = heats([*runs(), *runs(execution={"precision": "float64"})])
    assert len(found) == 2


def test_what_else_tells_racers_apart_is_in_their_names() -> None:
    ways = [{"threads": 1}, {"threads": 2}, {"allocator": "default"}]
    (heat,), _ = heats([record(execution=way) for way in ways])
    assert set(heat.racers) == {
        "numpy dynamic threads=1 allocator=tuned",
        "numpy dynamic threads=2 allocator=tuned",
        "numpy dynamic threads=1 allocator=default",
    }


def test_one_seed_races_unless_all_are_asked_for() -> None:
    several = [record(seed=0), *runs(seed=1), *runs(seed=2)]
    (heat,), _ = heats(several)
    assert {trial.seed for trial in heat.racers.values()} == {1}
    every, alone = heats(several, every_seed=True)
    assert [heat.name for heat in every] == ["digits/tiny lstm plain seed=1", "digits/tiny lstm plain seed=2"]
    assert alone == 1


def test_only_ranked_records_race() -> None:
    bad = [record(None, Status.FAILED, backend="torch"), record(parity="breach", backend="jax")]
    assert heats([record(), *bad]) == ([], 1)
    assert heats([]) == ([], 0)


def test_the_fastest_race_where_there_are_too_many() -> None:
    many = [
        record(backend=f"b{place}", scalars={"speed/step_median_seconds": float(place)})
        for place in reversed(range(MOST_RACERS + 2))
    ]
    (heat,), _ = heats(many)
    assert list(heat.racers) == [f"b{place} dynamic" for place in range(MOST_RACERS)]
    assert [trial.backend for trial in heat.left] == [f"b{MOST_RACERS}", f"b{MOST_RACERS + 1}"]
