"""Two ways to repeat a step over time: nodes laid out one after the other, or one tf.while_loop.

`Steps` is a sequence of T tensors in the loop's own form: a list, or a TensorArray. Neither copies a step.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from benchsuite_tensorflow.cells import Tensor

Steps = Any
Carry = list[Tensor]
Body = Callable[[Carry, list[Tensor]], tuple[Carry, list[Tensor]]]
"""(values carried from step to step, this step's inputs) -> (carried values, what the step emits)."""


class Loop(abc.ABC):
    """Repeats a body over the leading axis of its inputs."""

    @abc.abstractmethod
    def unpack(self, x: Tensor) -> Steps:
        """The steps of x (T, ...)."""

    @abc.abstractmethod
    def pack(self, steps: Steps) -> Tensor:
        """(T, ...) from T steps."""

    @abc.abstractmethod
    def run(
        self, body: Body, carry: Carry, inputs: Sequence[Steps], emits: Sequence[list[int]], backwards: bool
    ) -> tuple[Carry, list[Steps]]:
        """Run `body` for t = 0 .. T-1, or T-1 .. 0; what step t emits, of shapes `emits`, stands at t."""


class UnrolledLoop(Loop):
    """A graph of fixed length: T copies of the body."""

    def unpack(self, x: Tensor) -> list[Tensor]:
        return list(tf.unstack(x))

    def pack(self, steps: Steps) -> Tensor:
        return tf.stack(steps)

    def run(
        self,
        body: Body,
        carry: Carry,
        inputs: Sequence[Steps],
        emits: Sequence[list[int]],
        backwards: bool,
    ) -> tuple[Carry, list[Steps]]:
        time = len(inputs[0])
        found: list[list[Tensor]] = [[None] * time for _ in emits]
        for t in reversed(range(time)) if backwards else range(time):
            carry, emitted = body(carry, [steps[t] for steps in inputs])
            for steps, value in zip(found, emitted, strict=True):
                steps[t] = value
        return carry, found


class WhileLoop(Loop):
    """One body, repeated as often as the batch has steps; the graph serves every length."""

    def unpack(self, x: Tensor) -> tf.TensorArray:
        steps = tf.TensorArray(x.dtype, tf.shape(x)[0], element_shape=x.shape[1:], clear_after_read=False)
        return steps.unstack(x)

    def pack(self, steps: Steps) -> Tensor:
        return steps.stack()

    def run(
        self,
        body: Body,
        carry: Carry,
        inputs: Sequence[Steps],
        emits: Sequence[list[int]],
        backwards: bool,
    ) -> tuple[Carry, list[Steps]]:
        time, dtype, count = inputs[0].size(), carry[0].dtype, len(carry)
        found = [tf.TensorArray(dtype, time, element_shape=s, clear_after_read=False) for s in emits]

        def one(k: Tensor, *state: Any) -> tuple[Any, ...]:
            t = time - 1 - k if backwards else k
            after, emitted = body(list(state[:count]), [steps.read(t) for steps in inputs])
            written = [steps.write(t, value) for steps, value in zip(state[count:], emitted, strict=True)]
            return (k + 1, *after, *written)

        done = tf.while_loop(lambda k, *_: k < time, one, (tf.constant(0), *carry, *found))
        return list(done[1 : 1 + count]), list(done[1 + count :])


LOOPS: dict[str, Loop] = {"static": UnrolledLoop(), "dynamic": WhileLoop()}
