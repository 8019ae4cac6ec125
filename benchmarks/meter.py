"""How much CPU time goes into an object's own methods: what is left is the caller's."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any


class Meter:
    """Adds up CPU seconds of the calling thread inside metered calls; a call inside another one counts once.

    The suite runs in one thread: what a framework's other threads do meanwhile is not its cost."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0

    def function(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """`call`, metered; so is what it returns, if that is a function or has methods of its own to meter."""

        @wraps(call)
        def timed(*arguments: Any, **named: Any) -> Any:
            begin = time.thread_time()
            self._depth += 1
            try:
                return self._wrapped(call(*arguments, **named))
            finally:
                self._depth -= 1
                if not self._depth:
                    self.seconds += time.thread_time() - begin

        return timed

    def methods(self, thing: Any) -> Any:
        """A stand-in for `thing` whose methods are metered."""
        return _StandIn(thing, self)

    def _wrapped(self, answer: Any) -> Any:
        if callable(answer):
            return self.function(answer)
        return self.methods(answer) if hasattr(answer, "step") or hasattr(answer, "advance") else answer


class _StandIn:
    def __init__(self, thing: Any, meter: Meter) -> None:
        self._thing, self._meter = thing, meter

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._thing, name)
        return self._meter.function(found) if callable(found) else found
