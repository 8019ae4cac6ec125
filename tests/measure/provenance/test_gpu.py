"""GPUs are named as the driver's own program names them; where there is none, nothing is said."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchsuite.measure.provenance.gpu import gpu_facts

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="stands a shell script in for the program")


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo 'NVIDIA H100 80GB HBM3, 570.86.15'",
         {"hardware.gpu": "NVIDIA H100 80GB HBM3", "hardware.gpu_driver": "570.86.15"}),
        ("echo 'NVIDIA A100, 1.2'; echo 'NVIDIA A100, 1.2'; echo 'NVIDIA T4, 1.2'",
         {"hardware.gpu": "2 x NVIDIA A100, NVIDIA T4", "hardware.gpu_driver": "1.2"}),
        ("echo 'No devices were found'", {}),
        ("echo 'could not talk to the driver, sorry'; exit 9", {}),
    ],
    ids=["one", "several", "none", "no driver"],
)  # fmt: skip
def test_what_the_program_prints_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, expected: dict[str, str]
) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpu_facts() == expected


def test_without_the_program_there_is_nothing_to_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpu_facts() == {}
