"""Which cores are chosen: none twice, physical ones first, quiet ones first."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.measure.timing.cores import cores_of
from benchsuite.running.executors import topology
from benchsuite.running.executors.topology import (
    choose,
    on_one_physical_core,
    parse_gomp,
    preferred,
    read_topology,
)


def test_hardware_threads_of_one_core_are_used_last() -> None:
    siblings = {0: "0,4", 1: "1,5", 2: "2,6", 3: "3,7", 4: "0,4", 5: "1,5", 6: "2,6", 7: "3,7"}
    assert preferred(siblings, {}) == [0, 1, 2, 3, 4, 5, 6, 7]
    assert preferred({core: siblings[core] for core in (1, 5, 6, 7)}, {}) == [1, 6, 7, 5]


def test_busy_cores_are_used_last_and_with_them_their_siblings() -> None:
    siblings = {0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"}
    assert preferred(siblings, {2: 0.9}) == [1, 0, 3, 2]
    assert preferred(siblings, {0: 0.03, 1: 0.01}) == [0, 1, 2, 3]


def test_the_topology_is_read_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for core, text in {0: "0,2", 1: "1", 2: "0,2"}.items():
        folder = tmp_path / f"cpu{core}" / "topology"
        folder.mkdir(parents=True)
        (folder / "thread_siblings_list").write_text(f"{text}\n")
    monkeypatch.delenv("GOMP_CPU_AFFINITY", raising=False)
    monkeypatch.setattr(topology, "TOPOLOGY", tmp_path)
    monkeypatch.setattr(topology, "cores_of", lambda: frozenset({0, 1, 2, 9}))
    monkeypatch.setattr(topology, "_load", lambda cores: dict.fromkeys(cores, 0.0))
    monkeypatch.setattr(topology, "allowed_processors", lambda: float("inf"))
    found = read_topology()
    assert (found.order, found.groups, found.allowed, found.whole) == ((0, 1, 9, 2), 3, 4, 3)
    monkeypatch.setattr(topology, "allowed_processors", lambda: 1.9)
    assert (read_topology().allowed, read_topology().whole) == (1, 1)
    monkeypatch.setenv("GOMP_CPU_AFFINITY", "1-2 17")
    assert read_topology().order == (1, 2)
    monkeypatch.setenv("GOMP_CPU_AFFINITY", "50")  # none of those that may be used: it says nothing
    assert read_topology().order == (0, 1, 9, 2)
    monkeypatch.setattr(topology, "cores_of", frozenset)
    assert read_topology().order == ()


@pytest.mark.skipif(len(cores_of()) < 2, reason="needs Linux and two cores")
def test_an_affinity_is_respected() -> None:
    own = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(own)})
    try:
        assert read_topology().order == (max(own),)
    finally:
        os.sched_setaffinity(0, own)


@pytest.mark.parametrize(
    ("text", "cores"),
    [
        ("0 3 1-2 4-15:2", {0, 3, 1, 2, 4, 6, 8, 10, 12, 14}),
        ("1,2", {1, 2}),
        (" 7 ", {7}),
        *((text, set()) for text in ("", "all", "3-1", "1-4:0", "-1", "1-", "0x3", "999999")),
    ],
)
def test_the_cores_of_an_openmp_binding(text: str, cores: set[int]) -> None:
    assert parse_gomp(text) == cores


@given(st.text(max_size=30))
def test_no_text_of_a_binding_is_an_error(text: str) -> None:
    assert isinstance(parse_gomp(text), frozenset)


@st.composite
def machines(draw: st.DrawFn) -> tuple[list[int], dict[int, str]]:
    """Cores in any order, with up to four hardware threads by physical core."""
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    physical: dict[int, str] = {}
    for name, size in enumerate(sizes):
        physical |= dict.fromkeys(range(len(physical), len(physical) + size), str(name))
    return draw(st.permutations(list(physical))), physical


@given(machines(), st.integers(0, 6), st.sets(st.integers(0, 20)), st.booleans())
def test_what_is_chosen_is_free_and_shares_a_physical_core_only_where_it_may(
    machine: tuple[list[int], dict[int, str]], threads: int, busy: set[int], share: bool
) -> None:
    order, physical = machine
    chosen = choose(threads, order, physical, busy, share)
    assert not set(chosen) & busy
    assert len(set(chosen)) == len(chosen)
    assert len(chosen) in (0, threads)
    whole = set(physical.values()) - {physical[core] for core in busy if core in physical}
    if threads and threads <= len(whole):  # it is avoidable
        assert chosen
        assert not on_one_physical_core(chosen, physical, busy)
    elif chosen:
        assert share
        assert on_one_physical_core(chosen, physical, busy)
    elif threads:
        assert not share or len(set(order) - busy) < threads


@given(machines(), st.integers(1, 3))
def test_trials_that_come_one_after_the_other_get_whole_physical_cores_first(
    machine: tuple[list[int], dict[int, str]], threads: int
) -> None:
    order, physical = machine
    busy: set[int] = set()
    while chosen := choose(threads, order, physical, busy, share=False):
        busy |= set(chosen)
    assert len(busy) == len(set(physical.values())) // threads * threads
    assert len({physical[core] for core in busy}) == len(busy)
