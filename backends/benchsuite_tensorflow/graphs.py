"""Graphs: one tf.function trace per purpose and batch shape, counted, and asked what it runs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from benchsuite_tensorflow.cells import Tensor

LOOPS = {"While", "StatelessWhile"}


class Graphs:
    """Concrete functions by purpose (`step`, `predict`, `gradients`) and argument shapes.

    free_time  whether one trace serves every padded length: the leading axis of the arguments named in
               `timed` is then left open.
    """

    def __init__(self, free_time: bool) -> None:
        self._free_time = free_time
        self._traced: dict[tuple[Any, ...], Any] = {}
        self.traces: Counter[str] = Counter()
        self.seconds = 0.0

    def get(
        self,
        purpose: str,
        function: Callable[..., Any],
        arguments: Sequence[Tensor],
        timed: Sequence[bool],
    ) -> Any:
        """The trace of `function` that fits `arguments`, made now if there is none yet."""
        shapes = tuple(
            (None, *argument.shape[1:]) if free and self._free_time else tuple(argument.shape)
            for argument, free in zip(arguments, timed, strict=True)
        )
        key = (purpose, *shapes)
        if key not in self._traced:
            started = time.perf_counter()
            specs = [tf.TensorSpec(s, a.dtype) for s, a in zip(shapes, arguments, strict=True)]
            self._traced[key] = tf.function(function, autograph=False).get_concrete_function(*specs)
            self.traces[purpose] += 1
            self.seconds += time.perf_counter() - started
        return self._traced[key]

    @property
    def any(self) -> Any:
        """A traced step, or failing that any trace; None before the first."""
        steps = [graph for key, graph in self._traced.items() if key[0] == "step"]
        return next(iter(steps or self._traced.values()), None)


def operations(traced: Any) -> set[str]:
    """Types of all operations of a concrete function, those of the functions it calls included."""
    found = {operation.type for operation in traced.graph.get_operations()}
    library = traced.graph.as_graph_def().library.function
    return found | {node.op for function in library for node in function.node_def}


def kernel_of(traced: Any) -> str:
    """`cudnn`, `while_loop` or `unrolled`, by the operations of the graph; `conv2d` where nothing recurs."""
    found = operations(traced)
    if any(kind.startswith("CudnnRNN") for kind in found):
        return "cudnn"
    if found & LOOPS:
        return "while_loop"
    return "conv2d" if "Conv2D" in found else "unrolled"
