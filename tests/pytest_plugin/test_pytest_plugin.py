"""The pytest plugin in pytest runs of its own: what is collected, measured, skipped and refused."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import benchsuite.pytest_plugin as plugin
from benchsuite.running.matrix import FIELDS

pytest_plugins = ["pytester"]

MATRIX = """
[[include]]
task = "adding"
cell = ["rnn", "gru"]
architecture = "plain"
backend = "numpy"
options = { length = 8, examples = 64 }
size.hidden = 4
"""

OWN = """
import pytest

FIELDS = dict(
    task="adding", cell="gru", architecture="plain", backend="numpy",
    options__length=8, options__examples=64, size__hidden=4,
)

@pytest.mark.benchsuite(**FIELDS)
def test_racer(racer):
    assert racer.trial.options["length"] == 8
    assert racer.step() > 0
    assert racer.kernel.startswith("python_loop")

def test_unmarked(trial): ...

@pytest.mark.benchsuite(**(FIELDS | {"backend": "nump"}))
def test_unknown(trial): ...

@pytest.mark.benchsuite(**(FIELDS | {"seed": [0, 1]}))
def test_two(trial): ...

def test_study(study):
    found = study({"include": [{name.replace("__", "."): value for name, value in FIELDS.items()}]}, name="own")
    assert [record.status.value for record in found.records] == ["ok"]
"""


@pytest.fixture
def world(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """An empty project in an environment that has the plugin, whether or not it is installed with it."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # of the run that this test is in
    monkeypatch.setenv("PYTHONPATH", ":".join(path for path in sys.path if path))
    installed = any(point.value == plugin.__name__ for point in entry_points(group="pytest11"))
    given = "" if installed else f"-p {plugin.__name__} "
    pytester.makeini(f"[pytest]\naddopts = {given}-p no:cacheprovider\n")
    return pytester


def matrix(world: pytest.Pytester, text: str = MATRIX, name: str = "bench_small.toml") -> Path:
    path = world.path / name
    path.write_text(text)
    return path


def names(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if "::" in line]


def test_the_filters_are_those_of_a_matrix() -> None:
    assert tuple(FIELDS) == plugin.FILTERS


def test_nothing_heavy_is_imported_before_it_is_asked_for() -> None:
    code = (
        "import sys, pytest; before = set(sys.modules); import benchsuite.pytest_plugin; "
        "print(sorted(name for name in set(sys.modules) - before if '.' not in name))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(json.loads(done.stdout.replace("'", '"'))) <= {"benchsuite", "pluggy"}


@pytest.mark.parametrize(
    ("speed", "options"), [("speed", ()), ("speed_without_benchmark", ("-p", "no:benchmark"))]
)
def test_a_file_is_collected_as_items_of_its_trials(
    world: pytest.Pytester, speed: str, options: tuple[str, ...]
) -> None:
    matrix(world)
    found = names(world.runpytest_subprocess("--collect-only", "-q", *options))
    assert found == [
        f"bench_small.toml::{kind}[adding/{cell}/plain/numpy]"
        for kind in ("parity", speed)
        for cell in ("rnn", "gru")
    ]


def test_the_option_names_a_matrix_and_filters_narrow_it(world: pytest.Pytester) -> None:
    world.makepyfile("def test_mine(): ...")
    asked = ("--benchsuite", "smoke", "--benchsuite-backend", "numpy,torch", "--collect-only", "-q")
    alone = names(world.runpytest_subprocess(*asked))
    assert {name.partition("::")[0] for name in alone} == {"smoke"}
    assert all("/numpy" in name or "/torch" in name for name in alone)
    assert any("test_mine" in name for name in names(world.runpytest_subprocess(*asked, ".")))
    lacking = world.runpytest_subprocess("--benchsuite", "smoke", "--benchsuite-cell", "gru")
    add = "--benchsuite-set cell+=gru"
    lacking.stdout.fnmatch_lines([f"*has no cell 'gru', which is installed*: {add} --benchsuite-cell gru"])
    added = names(world.runpytest_subprocess(*asked, *add.split()))
    assert {name.split("/")[1] for name in added} == {"lstm", "gru"}


def test_parity_and_speed_pass_and_the_figures_are_the_workers_own(world: pytest.Pytester) -> None:
    matrix(world, MATRIX.replace('["rnn", "gru"]', '"gru"'))
    result = world.runpytest_subprocess("--benchmark-json=found.json", "bench_small.toml")
    result.assert_outcomes(passed=2)
    written = json.loads((world.path / "found.json").read_text())
    (one,) = written["benchmarks"]
    assert one["group"] == "adding/gru"
    extra = one["extra_info"]
    assert extra["parity"] == "ok"
    assert extra["kernel"].startswith("python_loop")
    assert len(extra["trial"]) == 16
    assert one["stats"]["median"] == pytest.approx(extra["cpu_seconds"])
    assert written["machine_info"]["benchsuite"]["python.version"]


def test_what_cannot_be_is_an_item_that_says_why(world: pytest.Pytester) -> None:
    matrix(
        world,
        MATRIX.replace("size.hidden = 4", 'size.hidden = 4\nunroll = "fused"').replace(
            '["rnn", "gru"]', '"gru"'
        ),
    )
    result = world.runpytest_subprocess("-rs", "bench_small.toml", "-k", "parity")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*fused*"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[include]]\ntask = 'addingg'", "unknown task 'addingg'"),
        ("[[include]\n", "bench_small.toml"),
    ],
)
def test_a_matrix_that_cannot_be_read_is_one_error(world: pytest.Pytester, text: str, said: str) -> None:
    matrix(world, text)
    result = world.runpytest_subprocess("bench_small.toml")
    assert result.ret == 2
    result.stdout.fnmatch_lines([f"*{said}*"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_an_unknown_matrix_is_one_error_with_the_known_ones(world: pytest.Pytester) -> None:
    result = world.runpytest_subprocess("--benchsuite", "nope")
    assert result.ret == 2
    result.stdout.fnmatch_lines(["*unknown matrix 'nope'*smoke*"])


def test_speed_is_refused_under_xdist_and_parity_is_not(world: pytest.Pytester) -> None:
    matrix(world, MATRIX.replace('["rnn", "gru"]', '"gru"'))
    result = world.runpytest_subprocess("-n", "1", "-rs", "bench_small.toml")
    result.assert_outcomes(passed=1, skipped=1)


def test_the_fixtures_of_ones_own_tests(world: pytest.Pytester) -> None:
    world.makepyfile(OWN)
    result = world.runpytest_subprocess()
    result.assert_outcomes(passed=2, errors=3)
    result.stdout.fnmatch_lines_random(
        ["*mark the test with @pytest.mark.benchsuite*", "*unknown backend 'nump'*", "*describes 2 trials*"]
    )


def test_a_program_off_parity_is_not_timed(world: pytest.Pytester) -> None:
    """A backend that computes with other weights than it was given."""
    info = world.path / "off-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: off\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[benchsuite]\noff = off_backend\n")
    (world.path / "off_backend.py").write_text(
        "from benchsuite import hookimpl\n"
        "from benchsuite.contracts import BackendEntry\n"
        "def load():\n"
        "    from benchsuite_numpy.backend import NumpyBackend\n"
        "    class Off(NumpyBackend):\n"
        "        def build(self, model, parameters, recipe, execution):\n"
        "            moved = {name: 1.01 * value for name, value in parameters.items()}\n"
        "            return super().build(model, moved, recipe, execution)\n"
        "    return Off()\n"
        "@hookimpl\n"
        "def benchsuite_register_backends():\n"
        "    return [BackendEntry('off', load, 'one per cent off', (), None)]\n"
    )
    world.syspathinsert()
    matrix(world, MATRIX.replace('"numpy"', '"off"').replace('["rnn", "gru"]', '"gru"'))
    result = world.runpytest_subprocess("bench_small.toml")
    result.assert_outcomes(failed=0, errors=2)
    result.stdout.fnmatch_lines(["*breaks parity*"])
