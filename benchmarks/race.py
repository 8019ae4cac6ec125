"""Contestants side by side: each in a process of its own, one of them at work at a time, in rounds.

What disturbs the machine for longer than a round disturbs all of them, so ratios of medians hold where the
figures themselves do not. Times are CPU seconds of the contestant's process. Processes of one and the same code
differ by 2 to 4 per cent, for as long as they live: where their memory lies. Closer ones race in several.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchmarks.contestants import FRAMEWORKS
from benchmarks.shapes import Shape
from benchsuite.contracts import RaceSample
from benchsuite.plugins import registry
from benchsuite.running.executors.variables import worker_variables
from benchsuite.running.races.rotation import Turn, rotate
from benchsuite.schema import Execution

ROUND_SECONDS = 0.15
ROUNDS = 9
SAME_LOSS = 1e-3
"""Relative difference of the first loss above which a contestant is not training the same model."""


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Ours and a worker's `variables`, without what holds one library's kernels back and not the others'."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    return kept | dict(variables)


@dataclass(frozen=True)
class Entry:
    """Who races on what, and under which allocator. `number`: of several processes of the same."""

    name: str
    shape: Shape
    allocator: str = "tuned"
    number: int = 0


class ContestantProcess:
    """One entry's process."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        framework = entry.name.partition(":")[0]
        backend = registry().backends[framework if framework in FRAMEWORKS else "numpy"]
        variables = worker_variables(backend, Execution(threads=1, allocator=entry.allocator))
        reading, writing = os.pipe()
        arguments = [entry.name, entry.shape.name, "1", entry.allocator, str(writing)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.contestant_process", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(writing,),
            env=_environment(variables),
            text=True,
        )
        os.close(writing)
        self._channel = os.fdopen(reading)
        self._calls: dict[str, int] = {}

    def start(self) -> dict[str, Any]:
        """What it says of itself: loss, seconds to start, notes; or `refused`, with the reason."""
        return self._answer()

    def lap(self, what: str) -> RaceSample:
        """Seconds a call, over as many calls as fill a round."""
        if what not in self._calls:
            self._ask(what, 1)  # the first one may compile
            once = min(self._ask(what, 1).wall for _ in range(2))
            self._calls[what] = max(1, round(ROUND_SECONDS / max(once, 1e-6)))
        return self._ask(what, self._calls[what])

    def _ask(self, what: str, count: int) -> RaceSample:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what} {count}\n")
        self._process.stdin.flush()
        answer = self._answer()
        return RaceSample(answer["wall"], answer["cpu"])

    def _answer(self) -> dict[str, Any]:
        line = self._channel.readline()
        if not line:
            _, said = self._process.communicate()
            raise RuntimeError(f"{self.entry.name} ended early: {said[-2000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()
        self._channel.close()


class Race:
    """A context manager: starts a process for every entry, and ends them all.

    refused  who could not take part, and why. Raises RuntimeError where one dies or trains another model.
    """

    def __init__(self, entries: Sequence[Entry], what: str = "step") -> None:
        self._entries, self._what = entries, what
        self._corners: list[ContestantProcess] = []
        self._cpu: dict[Entry, list[float]] = {}
        self.starts: dict[Entry, dict[str, Any]] = {}
        self.refused: dict[Entry, str] = {}

    def __enter__(self) -> Race:
        try:
            for entry in self._entries:
                self._start(entry)
            self._check_losses()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for corner in self._corners:
            corner.close()

    def _start(self, entry: Entry) -> None:
        corner = ContestantProcess(entry)
        said = corner.start()
        if "refused" in said:
            self.refused[entry] = said["refused"]
            corner.close()
            return
        self._corners.append(corner)
        self.starts[entry], self._cpu[entry] = said, []

    def _check_losses(self) -> None:
        for shape in {entry.shape for entry in self.starts}:
            found = {e: said["loss"] for e, said in self.starts.items() if e.shape == shape}
            losses = {entry: loss for entry, loss in found.items() if not np.isnan(loss)}
            expected = float(np.median(list(losses.values()))) if losses else 0.0
            for entry, loss in losses.items():
                if abs(loss - expected) > SAME_LOSS * abs(expected):
                    raise RuntimeError(
                        f"{entry.name} does not train the same {shape.name}: first loss {loss}, "
                        f"the others' {expected}"
                    )

    def run(self, rounds: int = ROUNDS) -> Race:
        """Time everybody in so many rounds."""
        racers = {str(place): partial(corner.lap, self._what) for place, corner in enumerate(self._corners)}
        for turn in rotate(racers, rounds, np.random.default_rng(0)):
            assert isinstance(turn, Turn)  # whoever dies ends the race
            self._cpu[self._corners[int(turn.racer)].entry].append(turn.lap.cpu)
        return self

    @property
    def entries(self) -> list[Entry]:
        """Who takes part."""
        return list(self._cpu)

    def seconds(self, entry: Entry) -> float:
        """Median CPU seconds a call."""
        return float(np.median(self._cpu[entry]))

    def ratio(self, slower: Entry, faster: Entry) -> float:
        """Median over the rounds of one's time over the other's: above 1 where `faster` is the faster one."""
        return float(np.median(np.array(self._cpu[slower]) / np.array(self._cpu[faster])))
