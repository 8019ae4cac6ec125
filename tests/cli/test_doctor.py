"""`benchsuite doctor` and `benchsuite list plugins` say which plugin is broken, and the others go on."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from fixtures.example_site import run

BROKEN = """
from benchsuite import hookimpl
from benchsuite.contracts import TaskEntry

@hookimpl
def benchsuite_register_tasks():
    return [TaskEntry("x", print, "a task", {"made": ""}, ("made",), options={"x": 3})]
"""
SCRIPT = """
import json
from benchsuite.cli.doctor import _plugins
from benchsuite.cli.listing import LISTS
print(json.dumps([list(_plugins()), LISTS["plugins"](), [row["name"] for row in LISTS["tasks"]()]]))
"""


def test_an_entry_that_is_wrong_is_said_in_one_sentence(tmp_path: Path) -> None:
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (tmp_path / "broken.py").write_text(BROKEN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[benchsuite]\nbroken = broken\n")
    said = run([sys.executable, "-c", SCRIPT], tmp_path, tmp_path)
    findings, plugins, tasks = json.loads(said.splitlines()[-1])
    problem = "PluginError: task 'x': options['x'] is 3, must be of type Option, with a text as its key"
    assert ["plugin broken", "problem", f"broken 1.0: {problem}"] in findings
    assert [row["problem"] for row in plugins if row["name"] == "broken"] == [problem]
    assert "adding" in tasks
    assert "x" not in tasks
