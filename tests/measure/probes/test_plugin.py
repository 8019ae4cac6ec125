"""Probes: entered and left around a phase; peak memory belongs to the phase that allocated it."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from fixtures.tiny import trial

from benchsuite.contracts import Phase, Probe
from benchsuite.contracts.probe import PHASES
from benchsuite.measure.probes.memory import CLEAR, PeakMemory
from benchsuite.plugins import registry

BIG = 200 * 2**20
SLACK = 60 * 2**20


def allocate(size: int) -> float:
    """Touch every page of `size` bytes and give them back."""
    return float(np.ones(size // 8).sum())


class Diary(Probe):
    """Notes what it is told."""

    def __init__(self, name: str, diary: list[str]) -> None:
        self.name, self.diary = name, diary

    def enter(self, phase: str) -> None:
        self.diary.append(f"{self.name} enters {phase}")

    def leave(self, phase: str) -> None:
        self.diary.append(f"{self.name} leaves {phase}")

    def scalars(self) -> dict[str, float]:
        return {}


def test_probes_are_nested_like_brackets() -> None:
    diary: list[str] = []
    with Phase([Diary("a", diary), Diary("b", diary)], "train"):
        diary.append("work")
    assert diary == ["a enters train", "b enters train", "work", "b leaves train", "a leaves train"]


def test_a_phase_that_fails_is_left_all_the_same() -> None:
    diary: list[str] = []
    with pytest.raises(ZeroDivisionError), Phase([Diary("a", diary)], "time"):
        raise ZeroDivisionError
    assert diary == ["a enters time", "a leaves time"]


exact = pytest.mark.skipif(
    sys.platform != "linux" or not CLEAR.exists(), reason="only Linux resets the high-water mark"
)


@exact
def test_memory_is_charged_to_the_phase_that_took_it() -> None:
    """200 MB before the phases, and 200 MB in one of them: only the latter shows, and only there."""
    allocate(BIG)
    probe = PeakMemory()
    for phase in PHASES:
        with Phase([probe], phase):
            if phase == "train":
                allocate(BIG)
    found = probe.scalars()
    build, train, after = (found[f"memory/{phase}_peak_bytes"] for phase in ("build", "train", "time"))
    assert BIG - SLACK < train - build < BIG + SLACK
    assert after < build + SLACK
    assert found["memory/peak_bytes"] == train
    assert BIG - SLACK < found["memory/train_extra_bytes"] < BIG + SLACK


@exact
def test_what_is_allocated_between_phases_is_nobodys_peak() -> None:
    probe = PeakMemory()
    with Phase([probe], "build"):
        pass
    allocate(BIG)
    with Phase([probe], "train"):
        pass
    found = probe.scalars()
    assert found["memory/train_peak_bytes"] < found["memory/build_peak_bytes"] + SLACK


def test_without_the_kernels_help_the_figure_has_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "elsewhere")
    probe = PeakMemory()
    kept = []
    with Phase([probe], "train"):
        kept.append(np.ones(BIG // 8))
    found = probe.scalars()
    assert set(found) == {"memory/train_resident_bytes", "memory/resident_bytes", "memory/train_extra_bytes"}
    assert found["memory/train_extra_bytes"] > BIG - SLACK


def test_a_trial_that_never_trained_has_no_figure_for_it() -> None:
    probe = PeakMemory()
    with Phase([probe], "load"):
        pass
    assert probe.scalars() == {}


def test_the_probe_is_found_like_a_plugins() -> None:
    found = [probe for probes in registry().hook.benchsuite_probes(trial=trial()) for probe in probes]
    assert any(isinstance(probe, PeakMemory) for probe in found)
