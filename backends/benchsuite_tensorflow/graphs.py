"""Graphs: one tf.function trace per purpose and batch shape, counted, and asked what it runs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import tensorflow as tf

from benchsuite_tensorflow.cells import Tensor

LOOPS = {"While", "StatelessWhile"}


class Graphs:
    """Concrete functions by purpose (`step`, `predict`, `gradients`, a decoding's `start` and `advance`) and
    argument shapes."""

    def __init__(self) -> None:
        self._traced: dict[tuple[Any, ...], Any] = {}
        self.traces: Counter[str] = Counter()
        self.seconds = 0.0

    def get(
        self,
        purpose: str,
        function: Callable[..., Any],
        arguments: Sequence[Tensor],
        opened: Sequence[int | None],
        variant: Hashable = None,
    ) -> Any:
        """The trace of `function` that fits `arguments`, made now if there is none yet.

        opened   for each argument the axis that one trace serves every length of, or None
        variant  what else `function` depends on
        """
        shapes = tuple(
            tuple(None if axis == free else size for axis, size in enumerate(argument.shape))
            for argument, free in zip(arguments, opened, strict=True)
        )
        key = (purpose, variant, *shapes)
        if key not in self._traced:
            started = time.perf_counter()
            specs = [tf.TensorSpec(s, a.dtype) for s, a in zip(shapes, arguments, strict=True)]
            self._traced[key] = tf.function(function, autograph=False).get_concrete_function(*specs)
            self.traces[purpose] += 1
            self.seconds += time.perf_counter() - started
        return self._traced[key]

    @property
    def any(self) -> Any:
        """A traced step, prediction or backward pass, the first of these that there is; or None."""
        for purpose in ("step", "predict", "gradients"):
            for key, graph in self._traced.items():
                if key[0] == purpose:
                    return graph
        return None


def operations(traced: Any) -> set[str]:
    """Types of all operations of a concrete function, those of the functions it calls included."""
    found = {operation.type for operation in traced.graph.get_operations()}
    library = traced.graph.as_graph_def().library.function
    return found | {node.op for function in library for node in function.node_def}


def kernel_of(traced: Any, looping: bool) -> str:
    """`cudnn`, `while_loop` or `unrolled`, by the operations of the graph; `conv2d` where nothing recurs.

    looping  whether a loop beside a fused kernel is a recurrence too (and not CTC's): both are named then
    """
    found = operations(traced)
    loops = bool(found & LOOPS)
    if any(kind.startswith("CudnnRNN") for kind in found):
        return "cudnn+while_loop" if loops and looping else "cudnn"
    if loops:
        return "while_loop"
    return "conv2d" if "Conv2D" in found else "unrolled"
