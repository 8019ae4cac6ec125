"""What a training step asks of NumPy, recorded and asked again: as it was, or with a leading axis of replicas.

A program that trained several seeds at once would make the same calls in the same order, on arrays with
one more axis in front. Its cost is then known without writing it: the calls are recorded in a real step, and
repeated on memory that is laid out alike, once for every replica. Assignments to slices are no calls, so that
they are not among them: what is found is the least that such a program could cost.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from benchsuite_numpy import runtime
from benchsuite_numpy.kernels import products

ELEMENTWISE = (
    "abs", "add", "divide", "exp", "log", "log1p", "maximum", "minimum", "multiply", "negative", "sign", "sqrt",
    "subtract", "tanh",
)  # fmt: skip
PRODUCT = "matmul"
BY_REPLICA = ("dot", "take")
"""Called once for each replica: NumPy has no form of them with a leading axis."""
RECORDED = (*ELEMENTWISE, PRODUCT, "concatenate", *BY_REPLICA)
LINE = 64
"""Bytes of a line of the cache: where a block of memory begins."""


@dataclass
class Recorder:
    """Stands in for the module `numpy` in the NumPy backend; while `recording`, it notes what it is asked.

    calls  (function, arguments, named arguments), in order
    """

    recording: bool = False
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        found = getattr(np, name)
        if name in RECORDED:
            found = self.__dict__[name] = _Noted(self, name, found)
        return found

    def install(self) -> Callable[[], None]:
        """Programs that are built from now on run on this; returns what undoes that."""
        modules: Any = (runtime, products)
        for module in modules:
            module.np = self

        def undo() -> None:
            for module in modules:
                module.np = np

        return undo


class _Noted:
    """A function of NumPy that notes its arguments. Its attributes (`reduceat`, `at`) are the function's."""

    def __init__(self, recorder: Recorder, name: str, function: Any) -> None:
        self._recorder, self._name, self._function = recorder, name, function

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        answer = self._function(*arguments, **named)
        if self._recorder.recording:
            self._recorder.calls.append((self._name, arguments, named))
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._function, name)


class Repeated:
    """Recorded calls on memory of their own, laid out as it was, `replicas` times with a block for each.

    Numbers are those of the moment when this is made, and again after restore().
    """

    def __init__(self, recorder: Recorder, replicas: int) -> None:
        self._replicas = replicas
        self._memory: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
        self._calls, self._products = list[Callable[[], Any]](), list[Callable[[], Any]]()
        for name, arguments, named in recorder.calls:
            made = self._made(name, arguments, named)
            self._calls += made
            if name == PRODUCT:
                self._products += made

    def restore(self) -> None:
        """The numbers as they were recorded, in every replica."""
        for original, _, blocks in self._memory.values():
            for block in blocks:
                block[: original.size] = original

    def run(self) -> None:
        """All calls, in order."""
        for call in self._calls:
            call()

    def multiply(self) -> None:
        """The matrix products among them."""
        for call in self._products:
            call()

    def _made(self, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> list[Callable[[], Any]]:
        function: Any = getattr(np, name)
        if name == "concatenate":
            parts = [self._stacked(part, part.ndim) for part in arguments[0]]
            axis = named.get("axis", arguments[1] if len(arguments) > 1 else 0)
            out = {"out": self._stacked(named["out"], named["out"].ndim)} if "out" in named else {}
            return [partial(function, parts, axis=axis + 1 if axis >= 0 else axis, **out)]
        arrays = [one for one in (*arguments, *named.values()) if isinstance(one, np.ndarray)]
        vectors = name == PRODUCT and any(one.ndim == 1 for one in arrays)
        if name in BY_REPLICA or vectors or self._replicas == 1:
            return [
                partial(
                    function,
                    *(self._of_one(one, replica) for one in arguments),
                    **{key: self._of_one(one, replica) for key, one in named.items()},
                )
                for replica in range(self._replicas)
            ]
        axes = max((one.ndim for one in arrays), default=0)
        return [
            partial(
                function,
                *(self._of_all(one, axes) for one in arguments),
                **{key: self._of_all(one, axes) for key, one in named.items()},
            )
        ]

    def _of_one(self, one: Any, replica: int) -> Any:
        return self._stacked(one, one.ndim)[replica] if isinstance(one, np.ndarray) else one

    def _of_all(self, one: Any, axes: int) -> Any:
        return self._stacked(one, axes) if isinstance(one, np.ndarray) else one

    def _stacked(self, array: np.ndarray, axes: int) -> np.ndarray:
        """The array's place in every replica's memory: (replicas, 1 ..., its shape), of 1 + `axes` axes."""
        base = array
        while isinstance(base.base, np.ndarray):
            base = base.base
        _, memory, blocks = self._block(base)
        start = array.__array_interface__["data"][0] - _lowest(base)
        more = axes - array.ndim
        step = blocks.strides[0]
        first = memory[start:].view() if start else memory
        return np.ndarray(
            (self._replicas, *more * (1,), *array.shape),
            array.dtype,
            buffer=first.data,
            strides=(step, *more * (0,), *array.strides),
        )

    def _block(self, base: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        key = id(base)
        if key not in self._memory:
            size = _bytes(base)
            # not a power of two apart, or the replicas would lie in the same lines of the cache
            block = -(-size // LINE) * LINE + LINE
            whole = np.empty(block * self._replicas + LINE, np.uint8)
            begin = (_lowest(base) - whole.ctypes.data) % LINE
            memory = whole[begin : begin + block * self._replicas]
            original = np.frombuffer(_raw(base, size), np.uint8).copy()
            self._memory[key] = (original, memory, memory.reshape(self._replicas, block))
            self._memory[key][2][:, :size] = original
        return self._memory[key]


def _lowest(array: np.ndarray) -> int:
    return int(array.__array_interface__["data"][0])


def _bytes(array: np.ndarray) -> int:
    low, high = np.lib.array_utils.byte_bounds(array)
    assert low == _lowest(array)
    return int(high - low)


def _raw(array: np.ndarray, size: int) -> Any:
    import ctypes

    return (ctypes.c_char * size).from_address(_lowest(array))


def cpu_seconds(call: Callable[[], Any], calls: int) -> float:
    """CPU seconds of a call: the mean of so many."""
    begin = time.process_time()
    for _ in range(calls):
        call()
    return (time.process_time() - begin) / calls


def by_turns(
    ways: dict[str, Callable[[], Any]], rounds: int, seconds: float, before: Sequence[Callable[[], None]] = ()
) -> dict[str, float]:
    """Median CPU seconds of a call of each way. They take turns, of at least so many seconds each; who goes
    first changes from round to round. `before` is called before each turn, outside of what is timed."""
    calls = {way: max(1, round(seconds / max(cpu_seconds(call, 2), 1e-6))) for way, call in ways.items()}
    found: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(rounds):
        for way in sorted(ways, reverse=bool(number % 2)):
            for prepare in before:
                prepare()
            found[way].append(cpu_seconds(ways[way], calls[way]))
    return {way: float(np.median(each)) for way, each in found.items()}
