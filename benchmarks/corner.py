"""`python -m benchmarks.corner CONTESTANT SHAPE THREADS ALLOCATOR FD`: one contestant in a process of its own.

Commands come on standard input, one a line: `step N`, `predict N`. Each is answered by a line of JSON on the
descriptor FD: wall and CPU seconds a call.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable

from benchmarks.contestants import Contestant, peers
from benchmarks.shapes import SHAPES, Shape
from benchmarks.suite import SuiteContestant
from benchsuite.spec import Execution


def build(name: str, shape: Shape, execution: Execution) -> Contestant:
    framework, _, way = name.partition(":")
    if way.startswith("suite-"):
        unroll = way.removeprefix("suite-")
        return SuiteContestant(framework, execution.model_copy(update={"unroll": unroll}), shape)
    return peers(framework)[way](shape)


def main(arguments: list[str]) -> None:
    name, shape, threads, allocator, descriptor = arguments
    execution = Execution(threads=int(threads), allocator=allocator)
    with os.fdopen(int(descriptor), "w", buffering=1) as channel:
        begin = time.perf_counter()
        try:
            contestant = build(name, SHAPES[shape], execution)
            contestant.step()
            contestant.synchronize()
        except NotImplementedError as reason:
            channel.write(json.dumps({"refused": str(reason)}) + "\n")
            return
        loss, start = contestant.loss(), time.perf_counter() - begin
        channel.write(json.dumps({"loss": loss, "start": start, "notes": contestant.notes}) + "\n")
        for line in sys.stdin:
            what, count = line.split()
            wall, cpu = _timed(getattr(contestant, what), contestant.synchronize, int(count))
            channel.write(json.dumps({"wall": wall, "cpu": cpu}) + "\n")
            contestant.loss()  # what has piled up is read outside the timed region


def _timed(call: Callable[[], None], synchronize: Callable[[], None], count: int) -> tuple[float, float]:
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(count):
        call()
    synchronize()
    return (time.perf_counter() - wall) / count, (time.process_time() - cpu) / count


if __name__ == "__main__":
    main(sys.argv[1:])
