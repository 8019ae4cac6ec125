"""The command line as a process: what it imports, how it is interrupted, what a broken plugin does to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

FRAMEWORKS = {"torch", "tensorflow", "keras", "jax", "jaxlib", "mlflow", "cupy"}
HEAVY = {"numpy", "scipy", "pandas", "pyarrow", "sklearn", "statsmodels", "pydantic"}

IMPORTED = """
import sys
sys.argv = ["benchsuite", *sys.argv[1:]]
from benchsuite.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
print("IMPORTED", *sorted(name for name in sys.modules if "." not in name))
"""


def imported(*arguments: str) -> set[str]:
    """Top-level modules that a command has imported when it ends."""
    command = [sys.executable, "-c", IMPORTED, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.rpartition("IMPORTED")[2].split())


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    assert imported(*arguments) & (FRAMEWORKS | HEAVY) == set()


def test_help_of_a_command_imports_no_more_than_typer_does() -> None:
    assert imported("run", "--help") & (FRAMEWORKS | HEAVY - {"pydantic"}) == set()


@pytest.mark.parametrize("kind", ["tasks", "backends", "matrices"])
def test_list_imports_no_framework_and_no_data_library(kind: str) -> None:
    found = imported("list", kind)
    assert "benchsuite_torch" in found
    assert found & (FRAMEWORKS | {"scipy", "pandas", "sklearn", "statsmodels"}) == set()


def command(*arguments: str, **variables: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "benchsuite", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **variables},
    )


def test_an_interrupted_run_keeps_what_it_has_and_goes_on(tmp_path: Path) -> None:
    seeds = 4
    run = ["run", "smoke", "--backend", "numpy", "--set", "seed=0,1,2,3", "--tracking-uri", "none"]
    run += ["--results", str(tmp_path)]
    with command(*run) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(2)]
        process.send_signal(signal.SIGINT)
        rest, error = process.communicate(timeout=60)
    assert lines[1].startswith("[1/4] ok")
    assert process.returncode == 130, error
    assert "interrupted" in error
    assert "Traceback" not in error + rest
    kept = len((tmp_path / "smoke" / "records.jsonl").read_text().splitlines())
    assert 1 <= kept < seeds
    with command(*run) as process:
        out, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    assert f"{seeds - kept} trial{'s' if seeds - kept > 1 else ''} to run, {kept} recorded already" in out
    assert len((tmp_path / "smoke" / "records.jsonl").read_text().splitlines()) == seeds


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (
            ["list", "matrices"],
            0,
            "warning: plugin faulty of faulty-plugin 1.2 is broken and left out: ModuleNotFound",
        ),
        (
            ["run", "smoke", "--seed", "7"],
            2,
            "warning: plugin faulty of faulty-plugin is left out: ModuleNotFoundError",
        ),
    ],
)
def test_a_broken_plugin_is_named_once_with_its_distribution_and_left_out(
    tmp_path: Path, arguments: list[str], code: int, text: str
) -> None:
    info = tmp_path / "faulty_plugin-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty-plugin\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[benchsuite]\nfaulty = faulty_plugin\n")
    (tmp_path / "faulty_plugin.py").write_text("import nothing_of_this_name\n")
    with command(*arguments, PYTHONPATH=str(tmp_path)) as process:
        _, error = process.communicate(timeout=60)
    assert process.returncode == code
    assert error.count("faulty-plugin") == 1
    assert error.startswith(text)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with the study `smoke`; named by --results alone."""
    folder = tmp_path_factory.mktemp("results")
    arguments = ["run", "smoke", "--backend", "numpy", "--set", "recipe.limit=64", "--tracking-uri", "none"]
    with command(*arguments, "--results", str(folder)) as process:
        said, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    assert f"benchsuite show {folder / 'smoke'};" in said
    return folder


def test_a_terminal_without_the_signs_shows_the_rest(results: Path) -> None:
    with command("show", "smoke", "--results", str(results), PYTHONIOENCODING="ascii") as process:
        said, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (0, "")
    assert "accuracy ?" in said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is always full")
@pytest.mark.parametrize("arguments", [["show"], ["export", "-f", "csv"]])
def test_output_that_cannot_be_written_is_an_error_and_no_traceback(
    results: Path, arguments: list[str]
) -> None:
    line = [sys.executable, "-m", "benchsuite", *arguments, "smoke", "--results", str(results)]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert done.returncode in (1, 2)
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_a_reader_that_has_enough_is_no_error(results: Path, form: str) -> None:
    with command("export", "smoke", "-f", form, "--results", str(results)) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        error = process.stderr.read()
    assert error == ""


INTERRUPTED_START = """
import sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == "benchsuite.cli.app":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupt())
from benchsuite.cli import main
main()
"""


def test_an_interrupt_while_the_command_line_is_imported_ends_it_quietly() -> None:
    line = [sys.executable, "-c", INTERRUPTED_START]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (130, "")


DROPPED = """
import time
from benchsuite.cli.interrupts import keep_interrupts
class Finalised:
    def __del__(self):
        raise KeyboardInterrupt
keep_interrupts()
try:
    Finalised()
    time.sleep(600)
except KeyboardInterrupt:
    print("heard")
"""


def test_an_interrupt_that_a_finaliser_swallows_is_heard_by_whoever_waits() -> None:
    line = [sys.executable, "-c", DROPPED]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("heard\n", "")
