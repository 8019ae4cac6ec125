"""One choice per machine, backend and size class, whoever made it first."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from benchsuite.measure.calibration import kept_choices
from benchsuite.measure.calibration.kept import CALIBRATION_VARIABLE, MACHINE_FILE, find, keep

MACHINE = {"hardware.cpu": "a processor", "torch": "2"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CALIBRATION_VARIABLE, str(tmp_path / "kept"))
    return tmp_path / "kept"


def test_what_is_kept_is_found_again_on_this_machine_alone() -> None:
    made = keep(MACHINE, "torch", "small", "fused", {"dynamic": 2.0, "fused": 1.0})
    assert find(MACHINE, "torch", "small") == made
    assert find(MACHINE, "torch", "large") is None
    assert find(MACHINE, "jax", "small") is None
    assert find(MACHINE | {"torch": "3"}, "torch", "small") is None
    assert kept_choices() == [made]


def test_the_first_choice_stays_until_a_newer_one_is_asked_for() -> None:
    first = keep(MACHINE, "torch", "small", "fused", {})
    assert keep(MACHINE, "torch", "small", "dynamic", {}) == first
    newer = keep(MACHINE, "torch", "small", "dynamic", {}, since=first.made + 1)
    assert newer.chosen == "dynamic"
    assert find(MACHINE, "torch", "small") == newer


def test_processes_that_choose_at_the_same_time_end_with_one_choice() -> None:
    barrier, chosen = threading.Barrier(8), []

    def choose(name: str) -> None:
        barrier.wait()
        chosen.append(keep(MACHINE, "torch", "small", name, {}).chosen)

    threads = [threading.Thread(target=choose, args=(f"way{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(chosen) == 8
    assert len(set(chosen)) == 1
    assert len(kept_choices()) == 1


@pytest.mark.parametrize("content", ["", "{", '{"backend": 1}', '{"chosen": "x"}'])
def test_a_damaged_file_is_measured_again(content: str, folder: Path) -> None:
    keep(MACHINE, "torch", "small", "fused", {})
    (file,) = (path for path in folder.glob("*/*.json") if path.name != MACHINE_FILE)
    file.write_text(content)
    assert find(MACHINE, "torch", "small") is None
    assert kept_choices() == []
    assert keep(MACHINE, "torch", "small", "dynamic", {}).chosen == "dynamic"
    assert [one.chosen for one in kept_choices()] == ["dynamic"]


def test_a_folder_that_cannot_be_written_keeps_nothing_and_chooses_all_the_same(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv(CALIBRATION_VARIABLE, str(blocked))
    assert keep(MACHINE, "torch", "small", "fused", {}).chosen == "fused"
    assert kept_choices() == []
    assert not folder.exists()
