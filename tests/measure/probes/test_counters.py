"""Counters of energy, from a tree laid out as Linux lays out powercap."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from benchsuite.measure.probes.counters import counters, gpu_counter, rapl_counters


def domain(powercap: Path, place: str, name: str, microjoules: int, wraps: int = 262_143_328_850) -> Path:
    folder = powercap / place
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "energy_uj").write_text(f"{microjoules}\n")
    (folder / "max_energy_range_uj").write_text(f"{wraps}\n")
    return folder / "energy_uj"


@pytest.fixture
def powercap(tmp_path: Path) -> Path:
    """Two packages, one with its cores and memory beside it, the platform, and the first package once more."""
    (tmp_path / "intel-rapl").mkdir()
    domain(tmp_path, "intel-rapl:0", "package-0", 5_000_000)
    domain(tmp_path, "intel-rapl:0:0", "core", 3_000_000)
    domain(tmp_path, "intel-rapl:0:1", "dram", 1_000_000)
    domain(tmp_path, "intel-rapl:1", "package-1", 7_000_000)
    domain(tmp_path, "intel-rapl:2", "psys", 20_000_000)
    domain(tmp_path, "intel-rapl-mmio:0", "package-0", 5_000_000)
    return tmp_path


def test_packages_and_memory_are_counted_once(powercap: Path) -> None:
    found = rapl_counters(powercap)
    assert [(one.part, one.name) for one in found] == [
        ("cpu", "package-0"), ("memory", "dram"), ("cpu", "package-1"),
    ]  # fmt: skip
    assert [one.read() for one in found] == pytest.approx([5.0, 1.0, 7.0])
    assert found[0].wraps == pytest.approx(262143.32885)


def test_without_counters_there_is_a_reason_and_no_figure(tmp_path: Path) -> None:
    found, problems = counters("cpu", tmp_path / "absent")
    assert found == []
    assert problems == [f"cpu: no RAPL domain in {tmp_path / 'absent'}"]


def test_a_counter_that_may_not_be_read_is_named(powercap: Path) -> None:
    (powercap / "intel-rapl:1" / "energy_uj").unlink()
    found, (problem,) = counters("cpu", powercap)
    assert found == []
    assert problem.startswith(f"cpu: {powercap / 'intel-rapl:1' / 'energy_uj'} cannot be read: ")


@pytest.mark.parametrize(
    ("device", "visible", "expected"),
    [
        ("gpu", "", "index 0"),
        ("gpu:1", "", "index 1"),
        ("gpu:1", "4,6", "index 6"),
        ("gpu", "GPU-8932f937", "uuid GPU-8932f937"),
    ],
)
def test_a_gpu_is_found_by_the_number_that_the_driver_gives_it(
    device: str, visible: str, expected: str
) -> None:
    """A library of the calls that are made; nvidia-ml-py finds none of its own without a driver."""
    library = SimpleNamespace(
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByIndex=lambda place: f"index {place}",
        nvmlDeviceGetHandleByUUID=lambda name: f"uuid {name}",
        nvmlDeviceGetTotalEnergyConsumption=lambda handle: {expected: 2500}[handle],
    )
    found = gpu_counter(library, device, visible)
    assert (found.part, found.wraps) == ("gpu", None)
    assert found.read() == pytest.approx(2.5)


def test_a_gpu_that_cannot_be_asked_is_named(powercap: Path) -> None:
    pytest.importorskip("pynvml")
    found, problems = counters("gpu:99", powercap)
    assert len(found) == 3
    assert len(problems) == 1
    assert problems[0].startswith("gpu: ")
