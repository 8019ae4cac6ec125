"""A server that does not answer is waited for once in a run, not once in every trial of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from urllib.parse import urlsplit

from benchsuite.errors import DataError

RUN_VARIABLE = "BENCHSUITE_WORKER"
"""The environment variable of workers, `RUN/NUMBER`: tells the processes of one run from all others."""

SILENT = ("Timeout", "ConnectionError", "ConnectionReset", "MaxRetry", "NewConnection")
"""In the names of the exceptions that a server causes which does not answer."""


def known_failure(folder: Path, url: str) -> str:
    """What is to be said of a download whose server has not answered another process of this run; "" where none
    is known of.

    :param folder: the cache.
    """
    run = _run()
    if not run:
        return ""
    try:
        noted = json.loads(_note(folder, url).read_text(encoding="utf-8"))
        if noted["run"] != run:
            return ""
        return f"not tried, because {noted['server']} did not answer earlier in this run"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def note_failure(folder: Path, url: str, error: DataError) -> None:
    """Note that the server of `url` does not answer, for the other trials of this run. Other failures are of
    one file alone, and outside of a run everything is tried each time it is asked for."""
    run = _run()
    causes = (type(error.__cause__).__name__, str(error.__cause__))
    if run and any(word in cause for word in SILENT for cause in causes):
        with contextlib.suppress(OSError):
            content = json.dumps({"run": run, "server": urlsplit(url).hostname})
            _note(folder, url).write_text(content, encoding="utf-8")


def _run() -> str:
    return os.environ.get(RUN_VARIABLE, "").partition("/")[0]


def _note(folder: Path, url: str) -> Path:
    parts = urlsplit(url)
    name = hashlib.sha256(f"{parts.scheme}://{parts.netloc}".encode()).hexdigest()[:16]
    return folder / f".unreachable-{name}.json"
