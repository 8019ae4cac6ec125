"""A contestant: one way to train one shape's model. Their names are framework:way; the suite's own ways are
framework:suite-UNROLL."""

from __future__ import annotations

import abc
import time
from collections.abc import Callable
from importlib import import_module

from benchmarks.shapes import Shape

FRAMEWORKS = {
    "numpy": "benchmarks.peers.numpy",
    "torch": "benchmarks.peers.torch",
    "tensorflow": "benchmarks.peers.tensorflow",
    "jax": "benchmarks.peers.jax",
}


def entry_name(contestant: str) -> str:
    """`torch:nn` as the name of a backend may be: `torch--nn`."""
    return contestant.replace(":", "--", 1)


def contestant_name(entry: str) -> str:
    """The inverse of entry_name()."""
    return entry.replace("--", ":", 1)


class Contestant(abc.ABC):
    """A model with its optimiser, built from the shape's own initial weights, its batch loaded beforehand."""

    notes: str = ""

    @abc.abstractmethod
    def step(self) -> None:
        """Forward, backward and Adam on the whole batch; may return before the work is done."""

    @abc.abstractmethod
    def loss(self) -> float:
        """Of the latest step, before its update: that of the first one says whether this is the same model."""

    @abc.abstractmethod
    def predict(self) -> None:
        """Class scores of the batch, as an array on the host."""

    def synchronize(self) -> None:  # noqa: B027 - eager code on a CPU has nothing to wait for
        """Return when all work is done."""

    def timed(self, what: str, count: int) -> tuple[float, float]:
        """Wall and CPU seconds of one call of `what` (step, predict), over `count` calls, then waited for."""
        call = getattr(self, what)
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(count):
            call()
        self.synchronize()
        return (time.perf_counter() - wall) / count, (time.process_time() - cpu) / count


Peers = dict[str, Callable[[Shape], Contestant]]
"""Way -> what builds it. Raises Unsupported, with the reason, where the way cannot run a shape."""


def peers(framework: str) -> Peers:
    """How users of a framework would write it. Imports the framework."""
    found: Peers = import_module(FRAMEWORKS[framework]).PEERS
    return found
