"""A server that hangs is waited for once in a run; a download that is killed leaves nothing for good."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures.scripted import wait_until

from benchsuite.data import DataFile, cache, fetch
from benchsuite.data.unreachable import RUN_VARIABLE
from benchsuite.errors import DataError
from benchsuite.running.executors.guardian import VARIABLE


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCHSUITE_DATA", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "TIMEOUT_SECONDS", 1)
    return tmp_path / "cache"


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A mirror that takes every connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept: list[socket.socket] = []

        def accept() -> None:
            while True:
                try:
                    kept.append(server.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv("BENCHSUITE_MIRROR", url)
        yield url
        for one in kept:
            one.close()


def card(name: str) -> DataFile:
    content = name.encode()
    return DataFile(
        name, f"http://127.0.0.1:9/{name}", hashlib.sha256(content).hexdigest(), len(content), "none"
    )


def seconds_until_refused(name: str) -> tuple[float, str]:
    begin = time.monotonic()
    with pytest.raises(DataError) as caught:
        fetch(card(name))
    return time.monotonic() - begin, str(caught.value)


def test_the_variable_is_that_of_workers() -> None:
    assert RUN_VARIABLE == VARIABLE


def test_a_silent_mirror_is_waited_for_once_in_a_run(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent
    monkeypatch.setenv(RUN_VARIABLE, "one/0.")
    assert seconds_until_refused("a.txt")[0] > 0.9
    monkeypatch.setenv(RUN_VARIABLE, "one/1.")
    took, said = seconds_until_refused("b.txt")
    assert took < 0.5
    assert "127.0.0.1 did not answer earlier in this run" in said
    assert "by hand" in said
    monkeypatch.setenv(RUN_VARIABLE, "two/0.")
    assert seconds_until_refused("c.txt")[0] > 0.9
    monkeypatch.delenv(RUN_VARIABLE)
    assert seconds_until_refused("d.txt")[0] > 0.9


def test_a_download_that_is_killed_leaves_nothing_for_good(silent: str, folder: Path) -> None:
    assert silent
    script = (
        "import sys; sys.path[:0] = []\n"
        "from benchsuite.data import DataFile, fetch\n"
        f"fetch(DataFile('a.txt', 'http://127.0.0.1:9/a.txt', '{'0' * 64}', 5, 'none'))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ) as process:
        assert wait_until(lambda: any(folder.glob(".a.txt.part/*")), 30)
        process.send_signal(signal.SIGKILL)
    assert list(folder.glob(".a.txt.part/*"))
    seconds_until_refused("a.txt")
    assert [path.name for path in folder.iterdir() if not path.name.endswith(".lock")] == []
