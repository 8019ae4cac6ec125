"""The union of journals, over any histories of any machines."""

from __future__ import annotations

from pathlib import Path

from fixtures.planted import planted
from fixtures.shards import BIG, SMALL, on
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.analysis.machines import Machine, machine_of
from benchsuite.errors import StoreError
from benchsuite.running.merge.source import Source
from benchsuite.running.merge.union import unite
from benchsuite.schema import Record

RECORDS = [
    on(facts, planted(0.1 * number, seed=seed), float(number)).model_copy(
        update={"attempt": f"{number:08x}", "series": [], "exhibits": [], "artifacts": {}}
    )
    for number, (facts, seed) in enumerate((facts, seed) for facts in (BIG, SMALL) for seed in (0, 0, 1))
]
histories = st.lists(
    st.lists(st.sampled_from(RECORDS), unique_by=lambda one: one.attempt, max_size=4), max_size=4
)


def source(name: str, records: list[Record]) -> Source:
    return Source(name, Path(name), {}, tuple(records), {})


@given(journals=histories)
def test_each_attempt_is_there_once_and_one_counts_for_each_trial_and_machine(
    journals: list[list[Record]],
) -> None:
    sources = [source(str(number), records) for number, records in enumerate(journals)]
    records, counting = unite(sources, "all", {}, Machine())
    assert {one.attempt for one in records} == {one.attempt for journal in journals for one in journal}
    assert len(records) == len({one.attempt for one in records})
    places = [
        (one.trial_id, machine_of(one.environment))
        for one in records
        if (one.trial_id, one.attempt) in counting
    ]
    assert len(places) == len(set(places))
    assert set(places) == {(one.trial_id, machine_of(one.environment)) for one in records}
    assert records[len(records) - len(places) :] == [
        one for one in records if (one.trial_id, one.attempt) in counting
    ]
    assert unite(sources[::-1], "all", {}, Machine()) == (records, counting)
    assert unite([source("all", records), *sources], "all", {}, Machine())[0] == records
    newest, same = unite(sources, "newest", {}, Machine())
    assert same == counting
    assert {one.attempt for one in newest} <= {one.attempt for one in records}
    try:
        agreed, _ = unite(sources, None, {}, Machine())
    except StoreError as error:
        assert "--keep newest" in str(error)  # noqa: PT017
    else:
        assert agreed == newest == records


@given(order=st.permutations(range(len(RECORDS))))
def test_records_come_in_the_order_that_was_asked_for(order: list[int]) -> None:
    single = [one for one in RECORDS if one.attempt in ("00000001", "00000002", "00000004", "00000005")]
    places = {one.trial_id: order[number] for number, one in enumerate(single[:2])}
    records, _ = unite([source("a", single)], None, places, Machine())
    assert [places[one.trial_id] for one in records] == sorted(places[one.trial_id] for one in records)
