"""The processor, as Linux tells of it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchsuite.measure.provenance.cpu import cpu_facts

ZEN3 = """processor\t: 0
vendor_id\t: AuthenticAMD
cpu family\t: 25
model\t\t: 1
model name\t: AMD EPYC
flags\t\t: fpu sse sse2 avx fma avx2 sha_ni

processor\t: 1
model name\t: another
"""
ZEN4 = ZEN3.replace("model\t\t: 1", "model\t\t: 17").replace("avx2 ", "avx2 avx512f avx512dq ")
GRAVITON = """processor\t: 0
BogoMIPS\t: 2100.00
Features\t: fp asimd evtstrm sve svei8mm
CPU implementer\t: 0x41
CPU part\t: 0xd40
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc/cpuinfo")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ZEN3, ("AMD EPYC", "family 25 model 1", "AVX2")),
        (ZEN4, ("AMD EPYC", "family 25 model 17", "AVX-512")),
        (GRAVITON, (None, "implementer 0x41 part 0xd40", "SVE")),
        ("", (None, None, None)),
    ],
    ids=["zen3", "zen4", "graviton", "empty"],
)
def test_what_the_system_tells(tmp_path: Path, text: str, expected: tuple[str | None, ...]) -> None:
    told = tmp_path / "cpuinfo"
    told.write_text(text)
    found = cpu_facts(told)
    name, model, instructions = expected
    if name is not None:
        assert found["hardware.cpu"] == name
    assert (found.get("hardware.cpu_model"), found.get("hardware.instructions")) == (model, instructions)


def test_a_system_that_does_not_tell_is_named_by_python(tmp_path: Path) -> None:
    assert set(cpu_facts(tmp_path / "missing")) <= {"hardware.cpu"}
