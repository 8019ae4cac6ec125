"""How much CPU time goes into an object's own methods: what is left is the caller's."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


class Meter:
    """Adds up CPU seconds of the calling thread inside metered calls; a call inside another one counts once.

    The suite runs in one thread: what a framework's other threads do meanwhile is not its cost."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0
        self._held: list[Any] = []

    def function(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """`call`, metered; so is what it returns, if that is a function or has methods of its own to meter."""

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

    def let_go(self) -> None:
        """Forget the metered answers, metered: what nobody else holds is taken down now."""
        self.function(self._held.clear)()

    def _wrapped(self, answer: Any) -> Any:
        if callable(answer):
            return self.function(answer)
        if not (hasattr(answer, "step") or hasattr(answer, "advance")):
            return answer
        self._held.append(answer)
        return self.methods(answer)


class _StandIn:
    def __init__(self, thing: Any, meter: Meter) -> None:
        self._thing, self._meter = thing, meter

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._thing, name)
        if callable(found):
            found = self.__dict__[name] = self._meter.function(found)  # asked for once
        return found
