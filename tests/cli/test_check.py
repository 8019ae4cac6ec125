"""`benchsuite check` as a user types it, on plugins that are well, hang, die or have nothing to check."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures.command import call
from fixtures.scripted import wait_until

PLUGIN = """
import ctypes, time

from benchsuite import hookimpl
from benchsuite.contracts import BackendEntry, CellEntry, DataFile, TaskEntry
from benchsuite.data import fetch


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
    return [*tasks, TaskEntry("downloads", Far, "for tests", {"far": "far away"}, (), files=(FAR,))]


FAR = DataFile("far.bin", "https://example.invalid/far.bin", "0" * 64, 1, "none")


class Far:
    def load(self, source, options):
        return fetch(FAR)
"""
WRONG = """
from benchsuite import hookimpl
from benchsuite.contracts import BackendEntry
from benchsuite_numpy.reference import ReferenceBackend, ReferenceProgram


class WrongProgram(ReferenceProgram):
    layers = 1

    def gradients(self, placed):
        found = super().gradients(placed)  # the forget gate's recurrent weights
        for name, values in found.parameters.items():
            if name.endswith(".Wh") and values.shape[1] == 4 * len(values):
                values[:, len(values) : 2 * len(values)] *= 1.1
        return found

    def drain(self):
        return self.forgotten() if self.layers > 1 else super().drain()

    def forgotten(self):
        raise KeyError("no losses")


class WrongBackend(ReferenceBackend):
    def supports(self, model, recipe, execution):
        return "nothing is fused here" if execution.unroll == "fused" else None

    def build(self, model, parameters, recipe, execution):
        program = WrongProgram(model, parameters, recipe, execution.dtype)
        program.layers = model.body.layers
        return program


@hookimpl
def benchsuite_register_backends():
    return [BackendEntry("wrong", WrongBackend, "for tests", (), None)]
"""


def installed(folder: Path, name: str, source: str) -> Path:
    """The folder with the plugin as an installed distribution."""
    (folder / f"{name}.py").write_text(source, encoding="utf-8")
    info = folder / f"{name}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[benchsuite]\n{name} = {name}\n")
    return folder


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with plugins that hang, die or raise, and one whose backend computes wrong numbers."""
    folder = installed(tmp_path_factory.mktemp("site"), "unwell", PLUGIN)
    return installed(folder, "wrong", WRONG)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results of unfinished checks, and data, are those of the test alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("BENCHSUITE_DATA", str(tmp_path / "data"))


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


def test_a_task_without_sources_is_checked_on_all_that_are_here() -> None:
    lines = call("check", "task", "sentiment").stdout.splitlines()
    assert "ok      sentiment generated" in lines
    assert any(line.startswith("absent  sentiment sst2: data file") for line in lines)
    assert any("`benchsuite data fetch sentiment` brings it" in line for line in lines)
    assert lines[-1] == "sentiment conforms: 1 ok, 3 absent"


def test_a_backend_that_is_well() -> None:
    given = ["--unroll", "dynamic", "--core", "--precision", "float64", "--json"]
    rows = json.loads(call("check", "backend", "numpy", *given).stdout)
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
    [("hangs_too", "took longer than 3 s"), ("dies_too", "SIGSEGV"), ("raises_too", "not today")],
)
def test_a_cell_that_hangs_dies_or_raises_ends_with_one(site: Path, name: str, said: str) -> None:
    done = check(site, "cell", name, "--backend", "numpy", "--precision", "float64", "--timeout", "3")
    assert done.returncode == 1
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("kind", ["backend", "task"])
@pytest.mark.parametrize(
    ("name", "said"), [("hangs", "took longer than 3 s"), ("dies", "SIGSEGV"), ("raises", "not today")]
)
def test_who_hangs_dies_or_raises_ends_with_one(site: Path, kind: str, name: str, said: str) -> None:
    done = check(site, kind, name, "--timeout", "3")
    assert done.returncode == 1
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if kind == "task":
        assert f"failed  {name} a: " in done.stdout
        assert f"failed  {name} b: " in done.stdout
        assert done.stdout.splitlines()[-1] == f"{name} does NOT conform: 2 of 2 failed"
    if kind == "task" and name == "raises":
        line = 1 + PLUGIN.splitlines().index(RAISES)
        assert f"unwell.py:{line} in raises" in done.stdout


RAISES = '    raise RuntimeError("not today")'


def test_a_failure_says_where_it_begins_and_how_to_run_it_again(site: Path) -> None:
    cases = "gradients[lstm-plain],gradients[gru-plain],training[train-sgd-value]"
    given = ["--case", cases, "--unroll", "dynamic,fused", "--precision", "float64", "--verbose"]
    done = check(site, "backend", "wrong", *given)
    assert done.returncode == 1, done.stderr
    lines = [line.strip() for line in done.stdout.splitlines()]
    first = next(line for line in lines if line.startswith("failed  gradients[lstm-plain] dynamic, float64"))
    assert re.search(
        r"gradient/rnn.l0.fwd.Wh breaks parity: error .*; at \[\d, \d+\] .* found, .* expected", first
    )
    assert any(
        line.startswith("begins at  the gradient by rnn.l0.fwd.Wh (gate f), at [0, 1]") for line in lines
    )
    assert any(line.startswith("smallest  2 rows, 2 steps, 1 unit: ") for line in lines)
    gradients, drain = (1 + WRONG.splitlines().index(line) for line in (GRADIENTS, DRAIN))
    places = [line.partition("wrong.py:")[2] for line in lines if line.startswith("in  ")]
    assert places == [f"{gradients} in WrongProgram.gradients", f"{drain} in forgotten"]
    assert any(
        line.startswith("failed  training[train-sgd-value] dynamic, float64: KeyError") for line in lines
    )
    assert any(line.startswith("| Traceback") for line in lines)
    again = next(line for line in lines if line.startswith("again  "))
    assert shlex.split(again)[1:] == [
        *("benchsuite", "check", "backend", "wrong", "--precision", "float64", "--unroll", "dynamic"),
        *("--case", "gradients[lstm-plain]"),
    ]
    assert lines[-2].startswith("unsupported  3 cases (fused): ")
    assert lines[-1] == "wrong does NOT conform: 2 of 6 failed, 3 unsupported"


GRADIENTS = "    def gradients(self, placed):"
DRAIN = '        raise KeyError("no losses")'


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_an_interrupted_check_says_what_it_found_and_goes_on(
    site: Path, tmp_path: Path, number: signal.Signals
) -> None:
    given = ["backend", "numpy", "--unroll", "dynamic", "--precision", "float64", "--case", "carry,training"]
    given += ["--results", str(tmp_path / "kept")]
    process = subprocess.Popen(
        [sys.executable, "-m", "benchsuite", "check", *given],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    def kept() -> int:
        return sum(len(file.read_text().split("\n\n")) for file in (tmp_path / "kept").glob("*.jsonl"))

    assert wait_until(lambda: kept() > 3, 60)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert re.search(r"numpy is not checked to the end: \d+ ok, \d+ not checked$", out.strip())
    (line,) = (line for line in err.splitlines() if line.startswith("interrupted"))
    command = shlex.split(line.partition("goes on: ")[2])
    assert command[:4] == ["benchsuite", "check", "backend", "numpy"]
    done = check(site, *command[2:], "--json")
    rows = json.loads(done.stdout)
    assert done.returncode == 0
    assert {row["status"] for row in rows} == {"ok"}
    assert len({row["check"] for row in rows}) == len(rows)
    assert re.search(r"\d+ of \d+ cases of numpy in float64 are kept .*; --fresh begins anew", done.stderr)
    assert re.search(r"numpy conforms: \d+ ok, \d+ of them from the run before", done.stderr)
    assert not list((tmp_path / "kept").iterdir())


def test_fail_fast_ends_at_the_first_failure(site: Path) -> None:
    done = check(
        site, "backend", "wrong", "--case", "gradients[lstm-*]", "--unroll", "dynamic", "--fail-fast"
    )
    assert done.returncode == 1
    assert done.stdout.count("failed  ") == 1
    assert re.search(r"wrong does NOT conform: 1 of 1 failed, \d+ not checked", done.stdout.splitlines()[-1])


def test_cases_can_be_listed() -> None:
    listed = call("check", "backend", "numpy", "--list-cases", "--case", "packed,log[cn?]").stdout.split()
    assert "log[cnn]" in listed
    assert {name.partition("[")[0] for name in listed} == {"packed", "log"}


def test_a_case_that_takes_too_long_is_named(site: Path) -> None:
    done = check(site, "task", "hangs", "--source", "b", "--timeout", "3", "--json")
    rows = json.loads(done.stdout)
    assert [(row["check"], row["status"]) for row in rows] == [("hangs b", "failed")]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["backend", "numpy", "--unroll", "fused"], 1, "nothing of numpy was checked: no case is supported"),
        (["backend", "numpy", "--device", "gpu"], 2, "unknown device of numpy 'gpu'"),
        (
            ["task", "downloads"],
            1,
            "nothing of downloads was checked: its data are not on this machine",
        ),
        (["backend", "numpy", "--case", "gradient[rnn-plan]"], 2, "did you mean 'gradients[rnn-plain]'"),
        (["backend", "numpy", "--case", "x*", "--list-cases"], 2, "no case is called 'x*'"),
        (["cell", "gru", "--case", "declaration", "--backend", "numpy"], 2, "did you mean 'declarations'"),
        (["backend", "numpy", "--python", "numpy=true"], 2, "true is no Python"),
        (["backend", "numpy", "--precision", ","], 2, "--precision names nothing"),
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
    assert said in done.stderr + done.stdout
    assert code == 1 or done.stderr.count("error: ") == 1
    assert "Traceback" not in done.stderr
