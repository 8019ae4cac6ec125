"""Which calls of a program its framework compiled or traced in. Keras does not tell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from benchsuite.contracts import Compilation, CompilationTimer
from benchsuite_keras.model import Network
from benchsuite_keras.placement import Placed
from benchsuite_keras.runtime import Framework


class Compilations:
    """Of one network. A call that compiles is told as a whole, its run included: Keras does both in one.

    made  in order, as Program.compilations() has them
    """

    def __init__(self, framework: Framework, network: Network) -> None:
        self._network, self._compiles = network, framework.COMPILES
        self._met: set[tuple[object, ...]] = set()
        self.made: list[Compilation] = []

    @contextmanager
    def during(self, function: str, placed: Placed) -> Iterator[None]:
        """Tell what `function` compiles when it is called inside with `placed`.

        Where a framework compiles, it calls the network's Python code while it traces, and never else. XLA
        compiles for every shape, also where TensorFlow needs no new trace: it has one for any length after the
        second.
        """
        calls, timer = self._network.calls, CompilationTimer()
        yield
        known = (function, placed.shape, "mask" in placed.inputs)
        met = known in self._met
        self._met.add(known)
        traced = self._network.calls > calls
        if self._compiles and (traced or (self._network.jit_compile and not met)):
            shape = "x".join(map(str, placed.inputs["sequences"].shape))
            self.made.append(timer.read(function, shape))
