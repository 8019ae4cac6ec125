"""Stores of MLflow that are not there, fail or hang: one warning, and no trial waits."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures.mirrored import run
from fixtures.scripted import scripted_trial

from benchsuite.errors import RequestError, StoreError
from benchsuite.schema import Status
from benchsuite.trackers import mlflow as tracker
from benchsuite.trackers import sender

pytest.importorskip("mlflow")


def test_none_mirrors_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, warnings = run(tmp_path, [scripted_trial()], "none")
    assert warnings == []
    assert [path.name for path in tmp_path.iterdir()] == ["s"]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("http://127.0.0.1:9", "no MLflow server answers at http://127.0.0.1:9"),
        ("nonsense://x", "not mirrored to MLflow"),
    ],
)
def test_a_store_that_is_absent_is_one_warning_and_no_wait(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], uri: str, message: str
) -> None:
    begin = time.monotonic()
    study, _ = run(tmp_path, [scripted_trial(), scripted_trial(seed=1)], uri)
    assert time.monotonic() - begin < 30
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert message in lines[0]
    assert f"benchsuite sync {tmp_path / 's'} --tracking-uri {uri}" in lines[0]
    assert {record.status for record in study.records} == {Status.OK}
    with pytest.raises(RequestError):
        tracker.sync(tmp_path / "s", uri)


@pytest.fixture
def dying_server() -> Iterator[str]:
    """An HTTP server that is healthy and answers every other request with an error."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name is the base class's
            self.send_response(200 if self.path == "/health" else 500)
            self.end_headers()

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_server_that_fails_does_not_hold_the_study_up(
    tmp_path: Path, dying_server: str, capsys: pytest.CaptureFixture[str]
) -> None:
    begin = time.monotonic()
    study, warnings = run(tmp_path, [scripted_trial()], dying_server)
    assert time.monotonic() - begin < 30
    assert warnings == []
    assert capsys.readouterr().err.count("warning: not mirrored to MLflow") == 1
    assert study.records[0].status is Status.OK


def test_a_slow_server_delays_no_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "START_SECONDS", 0.5)
    monkeypatch.setattr(sender, "FINISH_SECONDS", 1.0)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name is the base class's
            time.sleep(2.0)
            self.send_response(200 if self.path == "/health" else 500)
            self.end_headers()

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    begin = time.monotonic()
    study, _ = run(
        tmp_path, [scripted_trial(seed=seed) for seed in range(8)], f"http://127.0.0.1:{server.server_port}"
    )
    assert time.monotonic() - begin < 10
    assert len(study.records) == 8
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("content", [b"no database at all " * 100, None])
def test_a_database_that_cannot_be_opened_holds_nothing_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    if content is None:
        (tmp_path / "mlflow.db").mkdir()
    else:
        (tmp_path / "mlflow.db").write_bytes(content)
    begin = time.monotonic()
    study, _ = run(tmp_path, [scripted_trial()])
    assert time.monotonic() - begin < 12
    assert study.records[0].status is Status.OK
    assert "SQLite cannot open" in capsys.readouterr().err


def test_sync_needs_a_study(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no study"):
        tracker.sync(tmp_path / "none", "sqlite:///x.db")


def test_no_password_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(tmp_path, [scripted_trial()], "http://me:secret@127.0.0.1:9")
    printed = capsys.readouterr()
    assert "me:***@127.0.0.1" in printed.err
    assert "secret" not in printed.err + printed.out
    with pytest.raises(RequestError) as caught:
        tracker.sync(tmp_path / "s", "http://me:secret@127.0.0.1:9")
    assert "secret" not in str(caught.value)
