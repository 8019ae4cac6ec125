"""`benchsuite check` as a user types it, on plugins that are well, hang, die or have nothing to check."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures.command import call

PLUGIN = """
import ctypes, time

from benchsuite import hookimpl
from benchsuite.contracts import BackendEntry, CellEntry, TaskEntry


def hangs():
    time.sleep(600)


def dies():
    ctypes.string_at(0)


def raises():
    raise RuntimeError("not today")


ENDS = {"hangs": hangs, "dies": dies, "raises": raises}


@hookimpl
def benchsuite_register_backends():
    return [BackendEntry(name, load, "for tests", (), None) for name, load in ENDS.items()]


@hookimpl
def benchsuite_register_cells():
    return [CellEntry(f"{name}_too", load, "for tests", "nowhere", ()) for name, load in ENDS.items()]


@hookimpl
def benchsuite_register_tasks():
    sources = {"a": "a", "b": "b"}
    tasks = [TaskEntry(name, load, "for tests", sources, ("a", "b")) for name, load in ENDS.items()]
    return [*tasks, TaskEntry("downloads", raises, "for tests", {"far": "far away"}, ())]
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the plugin as an installed distribution."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "unwell.py").write_text(PLUGIN, encoding="utf-8")
    info = folder / "unwell-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: unwell\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[benchsuite]\nunwell = unwell\n")
    return folder


def check(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-m", "benchsuite", "check", *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_task_that_is_well() -> None:
    assert call("check", "task", "sentiment").stdout == "ok      sentiment generated\n"


def test_a_backend_that_is_well() -> None:
    rows = json.loads(call("check", "backend", "numpy", "--unroll", "dynamic", "--core", "--json").stdout)
    assert len(rows) > 20
    assert {(row["status"], row["unroll"], row["precision"]) for row in rows} == {
        ("ok", "dynamic", "float64")
    }


def test_a_cell_that_is_well() -> None:
    given = ["--backend", "numpy", "--unroll", "dynamic,scan", "--precision", "float64", "--json"]
    rows = json.loads(call("check", "cell", "gru", *given).stdout)
    assert {row["status"] for row in rows if "backend" not in row} == {"ok"}
    assert {row["check"] for row in rows if "backend" not in row} > {"operations", "affine", "long_lags"}
    there = {(row["unroll"], row["status"]) for row in rows if row.get("backend") == "numpy"}
    assert there == {("dynamic", "ok"), ("scan", "unsupported")}
    (reason,) = {row["message"] for row in rows if row["status"] == "unsupported"}
    assert "cell 'gru' has no affine step" in reason


@pytest.mark.parametrize(
    ("name", "said"),
    [("hangs_too", "took longer than 5 s"), ("dies_too", "SIGSEGV"), ("raises_too", "not today")],
)
def test_a_cell_that_hangs_dies_or_raises_ends_with_one(site: Path, name: str, said: str) -> None:
    done = check(site, "cell", name, "--backend", "numpy", "--precision", "float64", "--timeout", "5")
    assert done.returncode == 1
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("kind", ["backend", "task"])
@pytest.mark.parametrize(
    ("name", "said"), [("hangs", "took longer than 5 s"), ("dies", "SIGSEGV"), ("raises", "not today")]
)
def test_who_hangs_dies_or_raises_ends_with_one(site: Path, kind: str, name: str, said: str) -> None:
    done = check(site, kind, name, "--timeout", "5")
    assert done.returncode == 1
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if kind == "task":
        assert f"failed  {name} a: " in done.stdout
        assert (f"failed  {name} b: " in done.stdout) == (name == "raises")


def test_a_case_that_takes_too_long_is_named(site: Path) -> None:
    done = check(site, "task", "hangs", "--timeout", "5", "--json")
    (row,) = json.loads(done.stdout)
    assert (row["check"], row["status"]) == ("hangs a", "failed")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["backend", "numpy", "--unroll", "fused"], 1, "nothing of numpy was checked: no case is supported"),
        (["backend", "numpy", "--device", "gpu"], 2, "unknown device of numpy 'gpu'"),
        (
            ["task", "downloads"],
            2,
            "every source of downloads needs a download: name some with --source (far)",
        ),
        (["backend", "torhc"], 2, "unknown backend 'torhc'; did you mean 'torch'"),
        (["backend", "numpy", "--precision", "float23"], 2, "unknown precision"),
        (["backend", "numpy", "--unroll", "dynamc"], 2, "unknown unroll 'dynamc'"),
        (["task", "sentimnt"], 2, "did you mean 'sentiment'"),
        (["cell", "grru"], 2, "unknown cell 'grru'; did you mean 'gru'"),
        (["cell", "gru", "--backend", "torhc"], 2, "unknown backend 'torhc'; did you mean 'torch'"),
        (["cell", "gru", "--unroll", "scann"], 2, "unknown unroll 'scann'; did you mean 'scan'"),
        (["cell", "gru", "--precision", "double"], 2, "unknown precision 'double'"),
        (["task", "sentiment", "--source", "sst3"], 2, "did you mean 'sst2'"),
    ],
)
def test_nothing_checked_is_never_well(site: Path, arguments: list[str], code: int, said: str) -> None:
    done = check(site, *arguments)
    assert done.returncode == code
    assert said in done.stderr
