"""A real `mlflow server` that is killed and comes back, hangs, answers 500 and refuses: no run waits for it,
and after `sync` every point is there once.

Needs MLflow with its server: `tox run -e mlflow`. BENCHSUITE_TEST_MLFLOW may name the program `mlflow` of
another environment.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pluggy
import pytest
from fixtures.scripted import scripted_executor, scripted_trial, wait_until

from benchsuite import hookspecs
from benchsuite.contracts import Finished, Started
from benchsuite.errors import RequestError
from benchsuite.plugins import Registry
from benchsuite.running.store import StudyStore
from benchsuite.running.study import run_study
from benchsuite.schema import Status
from benchsuite.trackers import mlflow as tracker
from benchsuite.trackers import sender

pytestmark = pytest.mark.mlflow

TRIALS = [scripted_trial("sleep", seed=seed, seconds=0.5) for seed in range(12)]
START_SECONDS = 300.0
SLOWER, CONSTANT = 1.05, sender.WAITING_SECONDS + 2.0
"""How much longer trials may take beside a server that is in trouble: this share, and these seconds."""
ENDS = sender.START_SECONDS + sender.FINISH_SECONDS + 2.0
"""Seconds that a study may take at its begin and end for the mirror."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@dataclass
class Server:
    """A real tracking server over a database in `folder`."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = os.environ.get("BENCHSUITE_TEST_MLFLOW", str(Path(sys.executable).with_name("mlflow")))
        stores = ["--backend-store-uri", f"sqlite:///{self.folder}/server.db"]
        stores += ["--artifacts-destination", str(self.folder / "artifacts"), "--workers", "1"]
        kept = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
        self.process = subprocess.Popen(
            [program, "server", *stores, "--host", "127.0.0.1", "--port", str(self.port)],
            env={**kept, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert wait_until(self.is_healthy, START_SECONDS), "the server does not start"

    def is_healthy(self) -> bool:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2).close()
        except OSError:
            return False
        return True

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)


@dataclass
class Proxy:
    """Stands before the server; `trouble` is what it answers instead, None for the server's answer."""

    uri: str
    trouble: int | None = None
    seconds: float = 0.0
    """How long it takes to answer."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    one = Server(tmp_path_factory.mktemp("server"), free_port())
    one.start()
    yield one
    one.signal(signal.SIGCONT)
    one.kill()


@pytest.fixture(scope="module")
def proxy(server: Server) -> Iterator[Proxy]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name is the base class's
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            time.sleep(found.seconds)
            if found.trouble is not None:
                self.send_response(found.trouble)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            request = urllib.request.Request(
                f"http://127.0.0.1:{server.port}{self.path}",
                body or None,
                {name: text for name, text in self.headers.items() if name.lower() != "host"},
                method=self.command,
            )
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    self.answer(answer.status, answer.headers, answer.read())
            except urllib.error.HTTPError as error:
                self.answer(error.code, error.headers, error.read())
            except (OSError, http.client.HTTPException):
                self.close_connection = True

        def answer(self, status: int, headers: Any, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", headers.get("Content-Type", "application/json"))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    one = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=one.serve_forever, daemon=True).start()
    found = Proxy(f"http://127.0.0.1:{one.server_port}")
    yield found
    one.shutdown()
    one.server_close()


def run(folder: Path, name: str, uri: str, trouble: Callable[[int], None]) -> tuple[float, float]:
    """Seconds from the first trial's start to the last one's end, and of the whole study.

    :param trouble: called with the number of each trial that has ended.
    """
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(tracker, "mlflow")
    times: list[float] = []
    ended = 0

    def hear(event: Any) -> None:
        nonlocal ended
        if isinstance(event, Started | Finished):
            times.append(time.monotonic())
        if isinstance(event, Finished):
            ended += 1
            trouble(ended)

    begin = time.monotonic()
    with scripted_executor() as executor:
        settings = {"tracking_uri": uri}
        found = run_study(name, TRIALS, executor, Registry(manager), folder, settings=settings, on_event=hear)
    assert [one.status for one in found.records] == [Status.OK] * len(TRIALS)
    return times[-1] - times[0], time.monotonic() - begin


def every_point_once(folder: Path, uri: str) -> None:
    """Each record has one run that is finished, and each of its points is there once."""
    from mlflow import MlflowClient

    client, store = MlflowClient(uri), StudyStore.open(folder)
    experiment = client.get_experiment_by_name("benchsuite/scripted")
    assert experiment is not None
    mine = f"tags.`benchsuite.study_id` = '{store.id}'"
    runs = client.search_runs([experiment.experiment_id], mine, max_results=1000)
    assert len(runs) == len(TRIALS)
    assert Counter(one.data.params["seed"] for one in runs) == {str(one.seed): 1 for one in TRIALS}
    for one in runs:
        assert one.info.status == "FINISHED"
        files = [item.path for item in client.list_artifacts(one.info.run_id)]
        assert len(files) == len(set(files)) > 0
        assert "train/loss" in one.data.metrics
        for metric in one.data.metrics:
            history = client.get_metric_history(one.info.run_id, metric)
            assert len({point.step for point in history}) == len(history), metric


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[float, float]:
    """Times of the study without a mirror."""
    return run(tmp_path_factory.mktemp("alone"), "alone", "none", lambda _: None)


TROUBLES = ("healthy", "killed", "hanging", "slow", "500", "401", "403", "absent at first")


@pytest.mark.parametrize("kind", TROUBLES)
@pytest.mark.timeout(1800)
def test_no_run_waits_and_sync_brings_every_point_once(
    tmp_path: Path, server: Server, proxy: Proxy, undisturbed: tuple[float, float], kind: str
) -> None:
    back: list[threading.Thread] = []

    def trouble(ended: int) -> None:
        if ended == 4:
            begin_trouble(kind, server, proxy)
        if ended == 8 and kind == "killed":
            back.append(threading.Thread(target=server.start))
            back[0].start()

    if kind == "absent at first":
        proxy.trouble = 503
    uri = proxy.uri
    spent, whole = run(tmp_path, "study", uri, trouble)
    mend(kind, server, proxy, back)
    alone, alone_whole = undisturbed
    print(
        f"{kind}: trials {spent:.1f} s, alone {alone:.1f} s; study {whole:.1f} s, alone {alone_whole:.1f} s"
    )
    assert spent <= SLOWER * alone + CONSTANT
    assert whole <= SLOWER * alone_whole + CONSTANT + ENDS
    tracker.sync(tmp_path / "study", uri)
    every_point_once(tmp_path / "study", uri)
    assert tracker.sync(tmp_path / "study", uri)[0] == 0


def begin_trouble(kind: str, server: Server, proxy: Proxy) -> None:
    if kind == "killed":
        server.kill()
    if kind == "hanging":
        server.signal(signal.SIGSTOP)
    if kind == "slow":
        proxy.seconds = 1.0
    if kind.isdecimal():
        proxy.trouble = int(kind)


def mend(kind: str, server: Server, proxy: Proxy, back: list[threading.Thread]) -> None:
    proxy.trouble, proxy.seconds = None, 0.0
    for thread in back:
        thread.join()
    if kind == "hanging":
        server.signal(signal.SIGCONT)
    assert wait_until(server.is_healthy, START_SECONDS)


def test_what_a_server_refuses_is_said_without_a_traceback(
    tmp_path: Path, proxy: Proxy, capsys: pytest.CaptureFixture[str]
) -> None:
    proxy.trouble = 401
    run(tmp_path, "study", proxy.uri, lambda _: None)
    assert capsys.readouterr().err.count("not mirrored to MLflow") == 1
    with pytest.raises(RequestError, match="401"):
        tracker.sync(tmp_path / "study", proxy.uri)
    proxy.trouble = None
