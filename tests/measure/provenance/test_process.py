"""Facts of a process: where it may run, in the words of Linux."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.measure.provenance.process import format_cores, process_facts


@given(st.sets(st.integers(0, 40)))
def test_cores_are_written_as_linux_does(cores: set[int]) -> None:
    text = format_cores(cores)
    read: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        read |= set(range(int(first), int(last or first) + 1))
    assert read == cores
    assert format_cores({0, 1, 2, 5}) == "0-2,5"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says")
def test_the_cores_of_this_process() -> None:
    assert process_facts() == {"process.affinity": format_cores(os.sched_getaffinity(0))}
