"""Which machine a record is of, and which record of a trial counts there."""

from __future__ import annotations

from fixtures.planted import planted

from benchsuite.analysis.exclusions import exclusions
from benchsuite.analysis.machines import UNKNOWN_MACHINE, Machine, latest_by_machine, machine_of, machines_of
from benchsuite.analysis.ranking import rankings
from benchsuite.analysis.seeds import aggregate
from benchsuite.schema import Record, Status

BIG = {"hardware.cpu": "Big", "hardware.cores": "64"}
SMALL = {"hardware.cpu": "Small", "hardware.cores": "1"}


def on(facts: dict[str, str], record: Record) -> Record:
    return record.model_copy(update={"environment": facts})


def test_a_machine_is_named_by_its_hardware() -> None:
    assert machine_of({**BIG, "hardware.gpu": "H100", "python.version": "3"}).name == "Big, 64 cores, H100"
    assert machine_of(SMALL).name == "Small, 1 core"
    assert machine_of({}).name == UNKNOWN_MACHINE


def test_processors_of_one_name_are_told_apart() -> None:
    """As virtual machines hide it: a Zen 3 and a Zen 4."""
    hidden = {"hardware.cpu": "AMD EPYC", "hardware.cores": "2"}
    zen3 = {**hidden, "hardware.cpu_model": "family 25 model 1", "hardware.instructions": "AVX2"}
    zen4 = {**hidden, "hardware.cpu_model": "family 25 model 17", "hardware.instructions": "AVX-512"}
    assert machine_of(zen3).name == "AMD EPYC (family 25 model 1), 2 cores, AVX2"
    assert len({machine_of(facts) for facts in (hidden, zen3, zen4)}) == 3
    assert machine_of({**zen3, "hardware.cpu": "AMD EPYC 7763"}).name == "AMD EPYC 7763, 2 cores, AVX2"
    assert machine_of({"hardware.cpu_model": "family 6 model 1"}).name == "family 6 model 1"
    first, second = on(zen3, planted(0.1)), on(zen4, planted(0.2))
    assert len(rankings([first, second])) == 2


def test_a_record_that_does_not_say_it_is_of_its_study_s_machine() -> None:
    records = [on({}, planted()), on(BIG, planted(seed=1))]
    assert machines_of(records) == [machine_of(BIG)] * 2
    assert machines_of(records, machine_of(SMALL)) == [machine_of(SMALL), machine_of(BIG)]
    assert machines_of([on({}, planted())]) == [Machine()]


def test_records_of_one_machine_do_not_replace_those_of_another() -> None:
    first, other, again = on(BIG, planted(0.1)), on(SMALL, planted(0.2)), on(BIG, planted(0.3))
    assert list(latest_by_machine([first, other, again]).values()) == [again, other]


def test_records_of_two_machines_are_never_in_one_ranking() -> None:
    """Whatever each machine ran: models, seeds and backends of both, and speeds that only one of them has."""
    records = [
        on(facts, planted(value, cell=cell, backend=backend, seed=seed, step=step))
        for facts, step in ((BIG, 0.0001), (SMALL, 0.01))
        for cell, value in (("lstm", 0.9), ("gru", 0.8))
        for backend in ("numpy", "torch")
        for seed in (0, 1)
        if not (facts is BIG and backend == "torch")
    ]
    found = rankings(records)
    assert [ranking.machine.name for ranking in found] == ["Big, 64 cores", "Small, 1 core"]
    for ranking in found:
        inside = [record for model in ranking.models for run in model.runs for record in run.records]
        assert {machine_of(record.environment) for record in inside} == {ranking.machine}
    assert [len(found[0].models[0].runs), len(found[1].models[0].runs)] == [1, 2]
    assert {len(set(machines_of(one.records))) for one in aggregate(records)} == {1}


def test_what_failed_on_one_machine_takes_nothing_out_of_another_s_ranking() -> None:
    lost = on(SMALL, planted(status=Status.FAILED, reason="gone", seed=0))
    records = [on(BIG, planted(0.9, seed=seed)) for seed in (0, 1)] + [lost, on(SMALL, planted(0.8, seed=1))]
    big, small = rankings(records)
    assert len(big.models) == 1
    assert small.models == ()
    assert [one.kind for one in exclusions(records)][:1] == ["failed"]
