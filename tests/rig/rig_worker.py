"""A worker whose session misbehaves as each trial's options ask: `python -m rig_worker BACKEND FD`.

options: do (what the trial does), seconds (for those that take time), log (a file that gets a line each time
a trial is done). It stands in for the session alone: process, channel and supervision are the real ones.
"""

from __future__ import annotations

import ctypes
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchsuite.contracts import Examined, Lap, Progress, Ready, Survey
from benchsuite.spec import Record, Series, Status, Trial
from benchsuite.timing.cores import cores_of
from benchsuite.worker.__main__ import serve

FINGERPRINT = "rig-1"


class RigSession:
    """Does what a trial's option `do` says."""

    def __init__(self, backend: str) -> None:
        self.backend = backend
        self.served = 0

    def survey(self) -> Survey:
        if self.backend == "rig_crash":
            crash()
        if self.backend == "rig_absent":
            return Survey(self.backend, "needs rig-framework", {}, {}, sys.executable)
        return Survey(self.backend, "", {"cpu": "a rig"}, {"rig": "1.0"}, sys.executable)

    def examine(self, trials: Sequence[Trial]) -> list[Examined]:
        if self.backend == "rig_crash":
            crash()
        return [self._examine(trial) for trial in trials]

    def _examine(self, trial: Trial) -> Examined:
        if trial.options.get("do") == "unsupported":
            return Examined(trial, "the rig has no such thing", "")
        return Examined(trial, None, os.environ.get("RIG_FINGERPRINT", FINGERPRINT))

    def run(self, trial: Trial, report: Callable[[Progress], None]) -> Record:
        started = time.time()
        self.served += 1
        what = str(trial.options.get("do", "ok"))
        seconds = float(trial.options.get("seconds", 0.0))
        report(Progress(trial, "train", 1, 2, math.nan, 0.5))
        status, reason, series = (
            Status.OK,
            "",
            [Series(name="train/loss", axis="step", x=[1, 2], y=[2.0, 1.0])],
        )
        if what == "sleep":
            time.sleep(seconds)
        elif what == "segfault":
            print("last words", flush=True)
            crash()
        elif what == "exit":
            sys.stdout.write("leaving")
            sys.exit(3)
        elif what == "abort":
            os.abort()
        elif what == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        elif what == "hang":
            subprocess.Popen(["sleep", "600"])
            while True:
                time.sleep(1)
        elif what == "raise":
            raise ValueError("a defect of the session \udcff")
        elif what == "fail":
            print("about to fail")
            status, reason = Status.FAILED, "RuntimeError: no"
        elif what == "shout":
            for _ in range(20_000):
                print('{"answer":"record","trial_id":"false"} garbage ' * 4)
            os.write(1, b"\xff\xfe\x00 not text\n")
        elif what == "read":
            sys.stdin.read()
        elif what == "garbage":
            os.write(int(sys.argv[2]), b"not json\n")
        elif what == "other":
            trial = trial.model_copy(update={"seed": trial.seed + 1000})
            trial.__dict__.pop("id", None)
        elif what == "close":
            os.close(int(sys.argv[2]))
            time.sleep(600)
        elif what == "orphan":
            # a child that keeps the channel open after its parent's death
            if os.fork() == 0:
                time.sleep(600)
            os.kill(os.getpid(), signal.SIGKILL)
        elif what == "long":
            steps = [float(step) for step in range(30_000)]
            values = [math.inf, -math.inf, math.nan, *(step / 3 for step in steps[3:])]
            series = [Series(name="train/loss", axis="step", x=steps, y=values)]
        if log := trial.options.get("log"):
            with Path(str(log)).open("a") as file:
                file.write(f"{trial.id} {os.getpid()}\n")
        return Record(
            trial=trial,
            status=status,
            reason=reason,
            scalars={
                "rig/process": os.getpid(),
                "rig/served": self.served,
                "rig/threads": float(os.environ["OMP_NUM_THREADS"]),
                "rig/cores": float(len(cores_of())),
                "test/accuracy": 0.5 + trial.seed / 100,
                "train/loss": math.nan,
                "train/worst": math.inf,
            },
            verdicts={"parity": "ok"},
            kernel="rig",
            primary="accuracy",
            environment={
                "variable.GLIBC_TUNABLES": os.environ.get("GLIBC_TUNABLES", ""),
                "rig.cores": str(sorted(cores_of())),
            },
            fingerprint=os.environ.get("RIG_FINGERPRINT", FINGERPRINT),
            started=started,
            finished=time.time(),
            series=series,
        )

    def ready(self, trial: Trial, what: str, report: Callable[[Progress], None]) -> Ready:
        """Races as `do` says: `fail` never starts, `segfault` and `exit` die in their third lap."""
        report(Progress(trial, "build"))
        self.racing, self.laps = trial, 0
        problem = "breaks parity" if trial.options.get("do") == "fail" else ""
        return Ready(problem, 2, 4, 1e-3, True, "rig", {"rig.what": what})

    def lap(self, calls: int) -> Lap:
        what = str(self.racing.options.get("do", "ok"))
        self.laps += 1
        if self.laps == 3:
            if what == "segfault":
                crash()
            if what == "hang":
                time.sleep(600)
            if what == "refuse":
                return Lap(math.nan, math.nan, problem="not again")
        seconds = float(self.racing.options.get("seconds", 1e-3)) * (1 + 0.01 * math.sin(7 * self.laps))
        if log := self.racing.options.get("log"):
            with Path(str(log)).open("a") as file:
                file.write(f"{self.racing.backend} {calls} {sorted(cores_of())}\n")
        return Lap(seconds, seconds / 2)


def crash() -> None:
    """Die of a real segmentation fault."""
    ctypes.string_at(0)


if __name__ == "__main__":
    serve(RigSession(sys.argv[1]), int(sys.argv[2]))
