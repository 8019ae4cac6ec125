"""Every check of the kit sees the faults that it is there for, and the other checks do not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import threadpoolctl
from fixtures.broken import BrokenBackend
from fixtures.faults import contract
from fixtures.faults.table import FAULTS, PROBES, TIMED, failures
from fixtures.two_threads import seen_while_two_cores_are_free

from benchsuite.measure.conformance.suite import suite
from benchsuite.measure.timing.cores import cores_of
from benchsuite_numpy.reference import ReferenceBackend


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpoolctl.threadpool_limits(1), np.errstate(all="ignore"):
        yield


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_seen_by_its_own_checks_alone(name: str) -> None:
    fault = FAULTS[name]
    items = fault.items()
    found, expected = failures(fault.backend(), items, fault.precision), fault.expected(items)
    assert expected
    assert found.keys() == expected, found
    checks = {item.partition("[")[0] for item in expected}
    assert len(checks) == 1 or fault.why, "a fault that several checks see says why"


def test_threads_beyond_those_asked_for_are_seen() -> None:
    if len(cores_of()) < 2:
        pytest.skip("needs Linux and two cores")
    item = next(item for item in suite(core=True) if item.name.startswith("threads"))
    backend = BrokenBackend(contract.TwoThreads)
    assert seen_while_two_cores_are_free(lambda: bool(failures(backend, [item])))


def test_memory_that_grows_is_seen_in_a_process_with_much_free_memory() -> None:
    bytearray(16 << 20)  # glibc takes what is smaller from its heap once this was freed
    freed = [bytearray(100_000) for _ in range(1000)]
    _top_of_the_heap = bytearray(100_000)
    del freed
    fault = FAULTS["memory that grows"]
    items = fault.items()
    assert failures(fault.backend(), items, fault.precision).keys() == fault.expected(items)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_seen_in_the_whole_core_kit(name: str) -> None:
    fault = FAULTS[name]
    core = suite(core=True)
    found = failures(fault.backend(), core, fault.precision)
    if fault.timed and not found:  # what is timed may be hidden by other processes
        found = failures(fault.backend(), core, fault.precision)
    assert found, "no check of the core sees it"
    names = {item.name for item in core}
    assert fault.expected([item for item in fault.items() if item.name in names]) <= found.keys()
    own = {item.partition("[")[0] for item in fault.expected(fault.items())}
    others = {item.partition("[")[0] for item in found} - own
    assert not others or fault.why, found


def test_the_reference_has_no_fault() -> None:
    assert failures(ReferenceBackend(), [item for item in suite() if item.name in (*PROBES, *TIMED)]) == {}


def test_every_check_has_a_fault_that_it_sees() -> None:
    seen = {item.partition("[")[0] for fault in FAULTS.values() for item in fault.expected(fault.items())}
    checks = {item.name.partition("[")[0] for item in suite()}
    assert checks - seen == {"threads"}
    assert {name.partition("[")[0] for name in (*PROBES, *TIMED)} == checks
    names = {item.name for item in suite()}
    assert {*PROBES, *TIMED} <= names
