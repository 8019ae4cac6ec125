"""The processor of this machine: its name, what tells it from others of that name, and its vector instructions.

A name alone does not tell processors apart: virtual machines often hide it, so that a Zen 3 and a Zen 4 are
both called `AMD EPYC`, and only one of them has AVX-512.
"""

from __future__ import annotations

import platform
import sys
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")

X86 = (("avx512f", "AVX-512"), ("avx2", "AVX2"), ("avx", "AVX"), ("sse2", "SSE2"))
ARM = (("sve2", "SVE2"), ("sve", "SVE"), ("asimd", "NEON"))
"""Linux's names of instruction sets and those that are shown, the widest first."""


def cpu_facts(cpuinfo: Path = CPUINFO) -> dict[str, str]:
    """`hardware.cpu` (`AMD EPYC`), `hardware.cpu_model` (`family 25 model 1`) and
    `hardware.instructions` (`AVX2`). Where the system is not Linux, the first alone.

    :param cpuinfo: what Linux says of the processors.
    """
    is_linux = sys.platform == "linux" and cpuinfo.exists()
    told = _first_processor(cpuinfo.read_text("utf-8", errors="replace")) if is_linux else {}
    facts = {
        "hardware.cpu": told.get("model name", platform.processor()),
        "hardware.cpu_model": _model(told),
        "hardware.instructions": _instructions(told.get("flags", "") or told.get("Features", "")),
    }
    return {name: value for name, value in facts.items() if value}


def _first_processor(text: str) -> dict[str, str]:
    lines = [line.partition(":") for line in text.partition("\n\n")[0].splitlines()]
    return {name.strip(): value.strip() for name, _, value in lines}


def _model(told: dict[str, str]) -> str:
    if "cpu family" in told:
        return f"family {told['cpu family']} model {told.get('model', '?')}"
    if "CPU implementer" in told:
        return f"implementer {told['CPU implementer']} part {told.get('CPU part', '?')}"
    return ""


def _instructions(flags: str) -> str:
    known = set(flags.split())
    return next((name for flag, name in (*X86, *ARM) if flag in known), "")
