"""Ctrl-C that Python threw away is heard again."""

from __future__ import annotations

import _thread
import sys
import threading
from typing import Any

INTERRUPTED = 130
"""What a command that was interrupted ends with."""

PAUSE_SECONDS = 0.05
"""Long enough for the callback that swallowed it to be over."""


def keep_interrupts() -> None:
    """Python drops an interrupt that falls into a finaliser or a weak reference's callback, and the mirror's
    libraries run many of those: interrupt again a moment later, until somebody hears it."""
    sys.unraisablehook = _interrupt_again


def _interrupt_again(dropped: Any) -> None:
    if issubclass(dropped.exc_type, KeyboardInterrupt):
        threading.Timer(PAUSE_SECONDS, _thread.interrupt_main).start()
    else:
        sys.__unraisablehook__(dropped)
