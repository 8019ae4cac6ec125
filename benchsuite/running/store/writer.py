"""Who writes a study, for the message that another run of it gets."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import shlex
import sys
import time
from pathlib import Path

from benchsuite.schema.texts import capped

MOST_COMMAND = 300
"""Characters of the command that are told."""


def write_writer(path: Path) -> None:
    """Note this process. That it cannot be noted is no reason not to run."""
    facts = {
        "process": os.getpid(),
        "host": platform.node(),
        "since": time.time(),
        "command": capped(shlex.join(sys.orig_argv), MOST_COMMAND),
    }
    with contextlib.suppress(OSError):
        path.write_text(json.dumps(facts), encoding="utf-8")


def read_writer(path: Path) -> str:
    """`: process 123 on node1 since 2026-11-28 12:00 (benchsuite run quick)`, or "" where it is not known."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(float(facts["since"])))
        return f": process {facts['process']} on {facts['host']} since {since} ({facts['command']})"
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return ""
