"""Signals that ask a command to end, and a Ctrl-C that Python threw away."""

from __future__ import annotations

import _thread
import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

INTERRUPTED = 130
"""What a command that was interrupted ends with."""

PAUSE_SECONDS = 0.05
"""Long enough for the callback that swallowed it to be over."""

ENDING = ("SIGTERM", "SIGHUP")
"""Signals that are heard as Ctrl-C is: what runs is ended, what is recorded stays."""

_received: list[int] = []


def keep_interrupts() -> None:
    """Python drops an interrupt that falls into a finaliser or a weak reference's callback, and the mirror's
    libraries run many of those: interrupt again a moment later, until somebody hears it, also whoever waits."""
    sys.unraisablehook = _interrupt_again


def _interrupt_again(dropped: Any) -> None:
    if issubclass(dropped.exc_type, KeyboardInterrupt):
        threading.Timer(PAUSE_SECONDS, _interrupt_main).start()
    else:
        sys.__unraisablehook__(dropped)


def _interrupt_main() -> None:
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signal.SIGINT)  # ends a system call too, such as a sleep
    else:
        _thread.interrupt_main()


@contextlib.contextmanager
def ended_by_signals() -> Iterator[None]:
    """Hear the signals ENDING as Ctrl-C. One that the caller has the command ignore (nohup) stays ignored."""
    _received.clear()
    before = {}
    if threading.current_thread() is threading.main_thread():
        for name in ENDING:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                before[number] = signal.signal(number, _hear)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _hear(number: int, frame: FrameType | None) -> None:
    del frame
    _received.append(number)
    raise KeyboardInterrupt


def interrupted_code() -> int:
    """What a command that was interrupted ends with: 130, or 128 and the number of the signal that ended it."""
    return 128 + _received[0] if _received else INTERRUPTED
