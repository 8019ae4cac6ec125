"""What the tests of executors, studies and trackers share: a worker that misbehaves on demand."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from benchsuite.contracts import BackendEntry, RunOptions
from benchsuite.executors.local import LocalExecutor
from benchsuite.spec import Execution, Trial

FOLDER = Path(__file__).parent

OWNER = os.environ.setdefault("RIG_OWNER", str(os.getpid()))
"""Inherited by every worker of this test process: others may run beside it."""


def _load() -> Any:
    raise AssertionError("the parent must never load a backend")


BACKENDS = {
    name: BackendEntry(name, _load, "a rig", (), None, environment=lambda _: {"PYTHONPATH": _path()})
    for name in ("rig", "rig2", "rig_absent", "rig_crash")
}


def _path() -> str:
    return os.pathsep.join([str(FOLDER), *filter(None, [os.environ.get("PYTHONPATH")])])


def rig_trial(
    do: str = "ok", seed: int = 0, backend: str = "rig", threads: int = 1, device: str = "cpu", **options: Any
) -> Trial:
    """A trial that does what `do` says in a rig worker."""
    return Trial(
        task="rig",
        source="none",
        options={"do": do, **options},
        cell="rnn",
        architecture="plain",
        backend=backend,
        execution=Execution(threads=threads, device=device),
        seed=seed,
    )


def rig_executor(**options: Any) -> LocalExecutor:
    """The local executor over rig workers; `options` are RunOptions'."""
    return LocalExecutor(RunOptions(**options), BACKENDS, "rig_worker")


def workers() -> list[psutil.Process]:
    """The rig workers that this test process started, also through a process that is gone."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        command = process.info["cmdline"] or []
        if "rig_worker" in command and process.info["status"] != psutil.STATUS_ZOMBIE:
            with contextlib.suppress(psutil.Error):
                if process.environ().get("RIG_OWNER") == OWNER:
                    found.append(process)
    return found


def wait_until(true: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether `true` becomes so in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.02)
    return true()
