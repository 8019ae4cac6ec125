"""Corners: one machine as others would be, by what its libraries are told about the processor.

Each corner runs in a process of its own, with what it calibrates and compiles in a folder of its own. The
variables choose kernels and change no clock: how much data a real processor of that kind moves per cycle is not
imitated.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchsuite.measure.provenance.cpu import cpu_facts

CORNER = "BENCHMARKS_CORNER"
"""Set in the processes of a corner, to its name."""

CORNERS: dict[str, dict[str, str]] = {
    "default": {},
    "avx2": {
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
        "ATEN_CPU_CAPABILITY": "avx2",
    },
    "avx512": {
        "ONEDNN_MAX_CPU_ISA": "AVX512_CORE",
        "MKL_ENABLE_INSTRUCTIONS": "AVX512",
        "OPENBLAS_CORETYPE": "SkylakeX",
        "XLA_FLAGS": "--xla_cpu_max_isa=AVX512",
        "ATEN_CPU_CAPABILITY": "avx512",
    },
}
"""Name -> environment variables."""

NEEDS = {"avx2": ("AVX2", "AVX-512"), "avx512": ("AVX-512",)}
"""Corner -> the widest instructions of processors that can be it. On others the libraries would end by an
illegal instruction."""

Entered = Mapping[str, object]
"""A goal as goals.write() stores it."""


def chosen(text: str) -> list[str]:
    """The corners of `avx2,avx512`, or of `all`: those this processor can be. Raises ValueError for another
    name, and for a corner that this processor cannot be."""
    if text == "all":
        return [name for name in CORNERS if not lacking(name)]
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in CORNERS]
    if unknown:
        raise ValueError(f"--isa: no corner {', '.join(unknown)}; there are {', '.join(CORNERS)}, and all")
    for name in names:
        if lacking(name):
            raise ValueError(f"--isa {name}: this processor has no {lacking(name)}; leave it out")
    return names


def lacking(name: str) -> str:
    """What the corner needs and this processor lacks; "" where it can be, or where the system does not tell."""
    widest = cpu_facts().get("hardware.instructions")
    able = NEEDS.get(name, ())
    return "" if not able or widest is None or widest in able else able[0]


def run(names: Sequence[str], arguments: Sequence[str], goals_json: Path | None = None) -> int:
    """pytest with `arguments` in each corner, then one table of all. `goals_json`: where the goals of each are
    stored, by corner. 1 where a goal is missed in one of them, 2 where a session gave no goals."""
    found: dict[str, list[Entered]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            print(f"\n{name}: {' '.join(f'{key}={text}' for key, text in CORNERS[name].items())}", flush=True)
            found[name] = _goals(name, arguments, Path(folder) / name)
    print("\n".join(["", *table(found)]))
    for name in CORNERS:
        if lacking(name):
            print(f"not raced: {name}, as this processor has no {lacking(name)}")
    if goals_json is not None:
        goals_json.write_text(json.dumps(found, indent=2), "utf-8")
    if not all(found.values()):
        return 2
    return int(any(not goal["held"] for goals in found.values() for goal in goals))


def _goals(corner: str, arguments: Sequence[str], folder: Path) -> list[Entered]:
    folder.mkdir()
    goals = folder / "goals.json"
    variables = {
        **os.environ,
        **CORNERS[corner],
        CORNER: corner,
        "BENCHSUITE_CALIBRATION": str(folder / "calibration"),
        "TORCHINDUCTOR_CACHE_DIR": str(folder / "inductor"),
    }
    command = [sys.executable, "-m", "pytest", *arguments, "--goals-json", str(goals)]
    subprocess.run(command, env=variables, check=False)
    return json.loads(goals.read_text("utf-8")) if goals.exists() else []


def table(found: Mapping[str, Sequence[Entered]]) -> list[str]:
    """One line a goal, a column a corner; `!` beside what was missed, and how many goals each corner held."""
    reached = {name: {str(goal["name"]): goal for goal in goals} for name, goals in found.items()}
    rows = [["goal", "asked", *found]]
    for goal in dict.fromkeys(name for by_name in reached.values() for name in by_name):
        own = [by_name.get(goal) for by_name in reached.values()]
        asked = next(_asked(one) for one in own if one is not None)
        rows.append([goal, asked, *(_cell(one) for one in own)])
    held = [f"{sum(bool(goal['held']) for goal in goals)} of {len(goals)}" for goals in found.values()]
    rows.append(["held", "", *held])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            text.rjust(width) if column else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _asked(goal: Entered) -> str:
    least = goal["at_least"] is not None
    bound = goal["at_least"] if least else goal["at_most"]
    return f"{'≥' if least else '≤'} {bound:.4g} {goal['unit']}".rstrip()


def _cell(goal: Entered | None) -> str:
    if goal is None:
        return "–"
    value = "none" if goal["reached"] is None else f"{goal['reached']:.4g}"
    return value if goal["held"] else f"! {value}"
