"""One contestant in its own process: `python -m benchmarks.contestant_process NAME SHAPE THREADS ALLOCATOR FD`.

Commands come on standard input, one a line: `step N`, `predict N`. Each is answered by a line of JSON on the
descriptor FD: wall and CPU seconds a call.
"""

from __future__ import annotations

import json
import os
import sys
import time

from benchmarks.contestants import Contestant, peers
from benchmarks.matmul_bound import MatmulBound
from benchmarks.shapes import SHAPES, Shape
from benchmarks.suite import SuiteContestant
from benchmarks.unsupported import Unsupported
from benchsuite.schema import Execution


def build(name: str, shape: Shape, execution: Execution) -> Contestant:
    if name == "floor":
        return MatmulBound(shape)
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
        except Unsupported as reason:
            channel.write(json.dumps({"refused": str(reason)}) + "\n")
            return
        loss, start = contestant.loss(), time.perf_counter() - begin
        channel.write(json.dumps({"loss": loss, "start": start, "notes": contestant.notes}) + "\n")
        for line in sys.stdin:
            what, count = line.split()
            wall, cpu = contestant.timed(what, int(count))
            contestant.loss()  # what has piled up is read outside the timed region
            channel.write(json.dumps({"wall": wall, "cpu": cpu}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
