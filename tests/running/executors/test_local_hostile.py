"""A backend that does what no backend should, in a matrix of healthy trials: it costs its own trials alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures.command import call
from fixtures.hostile_backend.benchsuite_hostile import FAULTS, FIRST, SLEEP_VARIABLE
from fixtures.scripted import sleepers, wait_until

from benchsuite.analysis.validity import is_ranked, problem_reason
from benchsuite.running.study import StoredStudy
from benchsuite.schema import Record
from benchsuite.schema.texts import MOST_REASON, MOST_WORD, NO_REASON

HERE = Path(__file__).parents[2]
SLEEP = 600.0 + os.getpid() / 1e6
TIMEOUT = 25
MATRIX = f"""
name = "hostile"
[defaults]
recipe.epochs = 1
recipe.steps = 2
recipe.batch_size = 8
options.length = 12
options.examples = 64
protocol.rounds = 1
protocol.round_seconds = 0.001
protocol.warmup_seconds = 0.001
[axes]
task = "temporal_order"
source = "generated"
cell = "rnn"
architecture = "plain"
backend = ["numpy", "hostile", "hostile_environment"]
size.hidden = {list(range(FIRST, FIRST + len(FAULTS)))}
"""

ENDINGS = {
    "segfault": ("failed", "crash", "SIGSEGV"),
    "hold_interpreter": ("timeout", "timeout", f"took longer than {TIMEOUT} s"),
    "leave": ("failed", "exit", "exited with code 7"),
    "raise_exit": ("failed", "exit", "exited with code 9"),
    "raise_interrupt": ("killed", "interrupted", "SIGINT"),
    "shout": ("ok", "", ""),
    "scribble": ("failed", "lost", "answer is malformed"),
    "close_everything": ("failed", "lost", "closed its channel"),
    "close_input": ("ok", "", ""),
    "beget": ("ok", "", ""),
    "beget_and_die": ("failed", "crash", "SIGSEGV"),
    "devour": ("killed", "memory", "--memory allows"),
    "surrogate": ("failed", "exception", "RuntimeError: a lone ?"),
    "essay": ("failed", "exception", "RuntimeError: line"),
    "unspeakable": ("failed", "exception", "its text cannot be had"),
    "blank": ("skipped", "", NO_REASON),
    "deep": ("failed", "exception", "at the end of a long chain"),
    "more_columns": ("failed", "exception", "another shape than the reference"),
    "reversed_classes": ("ok", "", "breaks parity"),
    "half_precision": ("failed", "exception", "predict() gave float16"),
    "complex": ("failed", "exception", "predict() gave complex64"),
    "no_array": ("failed", "exception", "predict() gave list"),
    "nothing": ("failed", "exception", "predict() gave NoneType"),
    "huge": ("failed", "exception", "another shape than the reference"),
    "kernel_surrogate": ("ok", "", ""),
    "kernel_long": ("ok", "", ""),
    "kernel_number": ("failed", "exception", "kernel() gave int"),
    "memory_words": ("failed", "exception", "'much'"),
    "notes_surrogate": ("ok", "", ""),
    "parameters_nothing": ("failed", "exception", "NoneType"),
    "drain_nothing": ("failed", "exception", "NoneType"),
}
"""Fault -> status, cause, and what the reason says."""

FEW = ("segfault", "close_everything", "shout", "surrogate", "blank", "more_columns", "kernel_long", "beget")


def test_every_fault_is_told_how_it_ends() -> None:
    assert set(ENDINGS) == set(FAULTS)


@pytest.mark.parametrize("faults", [FEW, pytest.param(FAULTS, marks=pytest.mark.slow)], ids=["few", "all"])
def test_each_fault_costs_its_own_trial_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, faults: tuple[str, ...]
) -> None:
    widths = [FIRST + FAULTS.index(fault) for fault in faults]
    study = run(tmp_path, widths)
    found = {(one.trial.backend, one.trial.size.hidden): one for one in study.records}
    assert len(found) == len(study.records) == 3 * len(widths)
    for fault, width in zip(faults, widths, strict=True):
        assert is_healthy(found["numpy", width]), fault
        assert ending(found["hostile", width]) == ENDINGS[fault][:2], fault
        assert ENDINGS[fault][2] in found["hostile", width].reason, fault
        assert is_told(found["hostile", width]), fault
        assert "environment() gave int" in found["hostile_environment", width].reason
    assert wait_until(lambda: not sleepers(SLEEP))
    size = (study.folder / "records.jsonl").stat().st_size
    assert size < 40_000 * len(found)
    monkeypatch.setenv("BENCHSUITE_RESULTS", str(tmp_path))
    for reader in (["show", "hostile"], ["show", "hostile", "--trials"], ["export", "hostile", "-f", "csv"]):
        assert len(call(*reader).stdout) < 20_000 + 5_000 * len(found)


def run(results: Path, widths: list[int]) -> StoredStudy:
    """The matrix of these widths, run by the command line with the plugin installed."""
    matrix = results / "hostile.toml"
    matrix.write_text(MATRIX)
    words = ["--set", f"size.hidden={widths}", "--timeout", str(TIMEOUT), "--memory", "600MiB"]
    command = [sys.executable, "-m", "benchsuite", "run", str(matrix), *words]
    paths = [str(HERE / "fixtures" / "hostile_backend"), *sys.path]
    done = subprocess.run(
        [*command, "--results", str(results), "--tracking-uri", "none"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), SLEEP_VARIABLE: str(SLEEP)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    return StoredStudy.load(results / "hostile")


def is_healthy(record: Record) -> bool:
    return record.status == "ok" and record.verdicts["parity"] == "ok"


def ending(record: Record) -> tuple[str, str]:
    return str(record.status), record.cause


def is_told(record: Record) -> bool:
    """Whether a record that is not as it should be says so in a short line, and no other one is refused."""
    words = problem_reason(record)
    short = len(words) <= MOST_REASON and len(record.kernel) <= MOST_WORD
    return short and (is_ranked(record) or bool(words.strip()))
