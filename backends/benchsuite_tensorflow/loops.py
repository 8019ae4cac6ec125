"""Two ways to repeat a step over time: copies of its nodes one after the other, or one tf.while_loop.

`Steps` is a sequence of T tensors in the loop's own form: a list, or a TensorArray. Neither copies a step.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from benchsuite.errors import ContractError, unknown_name
from benchsuite_tensorflow.cells import Tensor

Steps = Any
Carry = list[Tensor]
Body = Callable[[Carry, list[Tensor]], tuple[Carry, list[Tensor]]]
"""(values carried from step to step, this step's inputs) -> (carried values, what the step emits)."""

STEPS_PER_ROUND = 4
"""Of a kernel's while loop: each round has a cost of its own, some microseconds for every value that is
carried. Four steps per round take 5 to 15 % off a training step where steps are small; eight gain no more."""


class Loop(abc.ABC):
    """Repeats a body over the leading axis of its inputs."""

    unroll: str

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
        """Run `body` for t = 0 .. T-1, or `backwards` for T-1 .. 0: the last carried values, and the steps of
        each emitted tensor, of shapes `emits`."""


class UnrolledLoop(Loop):
    """A graph of fixed length: T copies of the body."""

    unroll = "static"

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
    """Rounds of some steps, and a loop of single ones for what is left: the graph serves every length. In a
    graph of one length, what is left stands behind the loop, which takes less time to trace."""

    unroll = "dynamic"

    def __init__(self, steps_per_round: int = STEPS_PER_ROUND) -> None:
        self._steps_per_round = steps_per_round

    def unpack(self, x: Tensor) -> tf.TensorArray:
        time = x.shape[0]  # None in a graph that serves every length: it asks at each call
        if time is None:
            time = tf.shape(x)[0]
        steps = tf.TensorArray(x.dtype, time, element_shape=x.shape[1:], clear_after_read=False)
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
        one_length = tf.get_static_value(time)  # None in a graph that serves every length
        found = [tf.TensorArray(dtype, time, element_shape=s, clear_after_read=False) for s in emits]

        def round_of(size: int) -> Callable[..., tuple[Any, ...]]:
            def steps_of(k: Tensor, *state: Any) -> tuple[Any, ...]:
                values, arrays = list(state[:count]), list(state[count:])
                for after in [k + ahead for ahead in range(size)]:
                    t = time - 1 - after if backwards else after
                    values, emitted = body(values, [steps.read(t) for steps in inputs])
                    arrays = [steps.write(t, value) for steps, value in zip(arrays, emitted, strict=True)]
                return (k + size, *values, *arrays)

            return steps_of

        done: tuple[Any, ...] = (tf.constant(0), *carry, *found)
        size = self._steps_per_round
        in_rounds = size > 1 and (one_length is None or one_length >= size)
        if in_rounds:
            done = tf.while_loop(lambda k, *_: k <= time - size, round_of(size), done)
        if in_rounds and one_length is not None:
            done = round_of(int(one_length) % size)(*done)
        else:
            done = tf.while_loop(lambda k, *_: k < time, round_of(1), done)
        return list(done[1 : 1 + count]), list(done[1 + count :])


LOOPS: dict[str, Loop] = {loop.unroll: loop for loop in (UnrolledLoop(), WhileLoop())}

SINGLE_STEPS = WhileLoop(steps_per_round=1)
"""For a body that TensorFlow differentiates: more steps per round only take longer to trace."""


def loop_of(unroll: str) -> Loop:
    """The loop of an unroll; of `fused` and `scan` the one that runs what no kernel or scan does.

    Raises ContractError for a name that is no unroll's.
    """
    name = "dynamic" if unroll in ("fused", "scan") else unroll
    if name not in LOOPS:
        raise ContractError(unknown_name("unroll", unroll, [*LOOPS, "fused", "scan"]))
    return LOOPS[name]


def differentiated(loop: Loop) -> Loop:
    """The loop for a body that TensorFlow differentiates."""
    return SINGLE_STEPS if loop.unroll == "dynamic" else loop
