"""Runs the conformance kit on a backend, in a process of its own, with its precision set before the framework
is imported, as its workers do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter

from benchsuite.plugins import registry
from benchsuite.spec import Execution

SUPPORTED = {
    "numpy": {"static", "dynamic"},
    "torch": {"static", "dynamic", "fused"},
    "tensorflow": {"static", "dynamic"},
    "jax": {"static", "dynamic"},
}
"""Unrolls that must work on a CPU; the others must say why they do not."""


def run_kit(backend: str, precision: str, unroll: str, *flags: str) -> list[dict[str, str]]:
    entry = registry().backend(backend)
    execution = Execution.model_validate({"precision": precision, "unroll": unroll})
    command = [sys.executable, "-m", "benchsuite.conformance", backend, precision, unroll, *flags]
    environment = os.environ | dict(entry.environment(execution))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"check"')]
    assert lines, done.stderr[-2000:]
    assert done.returncode in (0, 1), done.stderr[-2000:]
    return lines


def hold(backend: str, unroll: str, lines: list[dict[str, str]]) -> None:
    failed = [f"{line['check']}: {line['message']}" for line in lines if line["status"] == "failed"]
    assert not failed, "\n".join(failed)
    counts = Counter(line["status"] for line in lines)
    if unroll in SUPPORTED[backend]:
        assert counts["ok"] > 0.9 * len(lines), counts
    else:
        assert counts["unsupported"] >= counts["ok"], counts
    assert all(line["message"] for line in lines if line["status"] == "unsupported")
