"""A backend that lives in another interpreter is known here by its entry alone; what is missing is said."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest
from fixtures.example_site import run
from fixtures.sources import ROOT

PLUGIN = """
from benchsuite import hookimpl
from benchsuite.contracts import BackendEntry

def load():
    import faraway_framework
    return faraway_framework.backend()

@hookimpl
def benchsuite_register_backends():
    return [BackendEntry("faraway", load, "in another interpreter", ("faraway-framework",), None)]
"""
FRAMEWORK = """
def backend():
    from benchsuite_numpy.backend import NumpyBackend
    return NumpyBackend()
"""


def distribution(folder: Path, name: str, source: str, points: str = "") -> Path:
    """A distribution of one module, as installers leave it."""
    module = name.replace("-", "_")
    info = folder / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    (folder / f"{module}.py").write_text(source)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(points)
    return folder


def interpreter(file: Path, *folders: Path) -> Path:
    """A program that is this Python with `folders` installed and nothing of the caller's."""
    path = os.pathsep.join(
        [*map(str, folders), *(str(ROOT / name) for name in ("", "backends", "tasks", "cells"))]
    )
    file.write_text(f'#!/bin/sh\nPYTHONPATH="{path}" exec "{sys.executable}" "$@"\n')
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


@pytest.mark.skipif(sys.platform == "win32", reason="the interpreters are shell scripts")
def test_the_entry_alone_is_needed_here(tmp_path: Path) -> None:
    plugin = distribution(tmp_path / "plugin", "faraway", PLUGIN, "[benchsuite]\nfaraway = faraway\n")
    framework = distribution(tmp_path / "framework", "faraway-framework", FRAMEWORK)
    whole = interpreter(tmp_path / "whole", plugin, framework)
    bare = interpreter(tmp_path / "bare", framework)
    script = f"""
import json
from benchsuite.contracts import RunOptions
from benchsuite.plugins import registry
from benchsuite.running.matrix import load_matrix, select
found = registry()
trials = select(load_matrix("smoke"), found, {{}}, ["backend=faraway"]).trials
answers = []
for pythons in [(), (("faraway", {str(whole)!r}),), (("faraway", {str(bare)!r}),)]:
    with found.executor("local").load(RunOptions(pythons=pythons)) as runner:
        answers += [[one.reason, one.broken] for one in runner.check_support(trials)]
print(json.dumps(answers))
"""
    here, there, lacking = json.loads(run([sys.executable, "-c", script], tmp_path, plugin).splitlines()[-1])
    assert "faraway-framework, not installed here" in here[0]
    assert there == [None, False]
    assert "unknown backend of this worker's Python 'faraway'" in lacking[0]
    assert "needs its plugin too, with its framework" in lacking[0]
    assert not here[1]
    assert not lacking[1]
