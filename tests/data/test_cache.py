import contextlib
import dataclasses
import hashlib
import http.server
import logging
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from benchsuite.data import DataFile, cache_folder, download_limit, fetch, list_files, status
from benchsuite.errors import DataError, RequestError

CONTENT = b"five words and a newline\n"
NOWHERE = "http://127.0.0.1:9"  # the discard port: refuses at once, needs no network


def card(name: str = "small.txt", content: bytes = CONTENT, base: str = NOWHERE) -> DataFile:
    return DataFile(name, f"{base}/{name}", hashlib.sha256(content).hexdigest(), len(content), "none")


def kept(cache: Path) -> list[str]:
    """What lies in the cache folder but for locks: no unfinished download among it."""
    return sorted(path.name for path in cache.iterdir() if not path.name.endswith(".lock"))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("BENCHSUITE_DATA", str(folder))
    monkeypatch.delenv("BENCHSUITE_MIRROR", raising=False)
    return folder


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and the URL that serves it."""
    folder = tmp_path / "served"
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield folder, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_cached_file_with_the_pinned_hash_is_used_without_network(cache: Path) -> None:
    cache.mkdir()
    (cache / "small.txt").write_bytes(CONTENT)
    assert fetch(card()) == cache / "small.txt"
    assert status(card()) == "present"


def test_a_file_without_an_address_is_taken_from_the_cache_alone(cache: Path) -> None:
    file = dataclasses.replace(card(), url="", licence="ask the authors at example.org")
    with pytest.raises(DataError) as caught:
        fetch(file)
    text = str(caught.value)
    assert "it has no address to be downloaded from; ask the authors at example.org" in text
    assert f"get it and put it at {cache / 'small.txt'}" in text
    cache.mkdir(exist_ok=True)
    (cache / "small.txt").write_bytes(CONTENT)
    assert fetch(file) == cache / "small.txt"


def test_a_missing_file_without_network_says_what_to_do(cache: Path) -> None:
    file = card()
    with pytest.raises(DataError) as caught:
        fetch(file)
    text = str(caught.value)
    for part in (
        file.name,
        file.sha256,
        f"{file.bytes} bytes",
        file.url,
        str(cache / file.name),
        "BENCHSUITE_DATA",
    ):
        assert part in text
    assert "no such file" in text
    assert kept(cache) == []


def test_a_corrupt_file_without_network_is_named_and_left_alone(cache: Path) -> None:
    cache.mkdir()
    (cache / "small.txt").write_bytes(b"other")
    assert status(card()) == "corrupt"
    with pytest.raises(DataError) as caught:
        fetch(card())
    assert hashlib.sha256(b"other").hexdigest() in str(caught.value)
    assert card().sha256 in str(caught.value)
    assert (cache / "small.txt").read_bytes() == b"other"


def test_a_download_is_kept_and_readable_by_others(served: tuple[Path, str], cache: Path) -> None:
    folder, base = served
    (folder / "small.txt").write_bytes(CONTENT)
    path = fetch(card(base=base))
    assert path.read_bytes() == CONTENT
    assert path.stat().st_mode & 0o044 == 0o044
    (folder / "small.txt").unlink()
    assert fetch(card(base=base)) == path
    assert kept(cache) == ["small.txt"]


def test_a_corrupt_file_is_replaced_only_aloud(
    served: tuple[Path, str], cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder, base = served
    (folder / "small.txt").write_bytes(CONTENT)
    cache.mkdir()
    (cache / "small.txt").write_bytes(b"other")
    with caplog.at_level(logging.WARNING):
        assert fetch(card(base=base)).read_bytes() == CONTENT
    assert "corrupt" in caplog.text
    assert "small.txt" in caplog.text


def test_a_download_with_another_hash_is_refused(served: tuple[Path, str], cache: Path) -> None:
    folder, base = served
    (folder / "small.txt").write_bytes(b"tampered")
    with pytest.raises(DataError, match=hashlib.sha256(b"tampered").hexdigest()):
        fetch(card(base=base))
    assert kept(cache) == []


class _Odd(http.server.BaseHTTPRequestHandler):
    """Sends less than it announces (`/cut`), a byte at a time (`/slow`), or never ends: at once (`/endless`), a
    byte now and then in the headers (`/headers`) or in the body (`/trickle`), or nothing at all (`/silent`)."""

    def do_GET(self) -> None:  # the name is the base class's
        if self.path in ("/headers", "/trickle", "/silent"):
            before = {"/headers": b"HTTP/1.0 200 OK\r\nX: ", "/silent": b""}
            body = b"HTTP/1.0 200 OK\r\nContent-Length: 999999\r\n\r\n"
            self._trickle(before.get(self.path, body))
            return
        self.send_response(200)
        if self.path != "/endless":
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        if self.path == "/cut":
            self.wfile.write(CONTENT[:7])
        elif self.path == "/slow":
            for place in range(len(CONTENT)):
                self.wfile.write(CONTENT[place : place + 1])
                self.wfile.flush()
                time.sleep(0.02)
        else:
            with contextlib.suppress(OSError):
                while True:
                    self.wfile.write(b"x" * (1 << 16))

    def _trickle(self, before: bytes) -> None:
        """A byte now and then after what is sent at once; nothing where that is nothing."""
        with contextlib.suppress(OSError):
            while True:
                self.wfile.write(before or b"")
                before = before and b"x"
                time.sleep(0.05)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def odd() -> Iterator[str]:
    """The URL of a server that is not as it should be."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Odd)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("name", "said"),
    [("cut", "the download failed"), ("endless", f"sent more than the {len(CONTENT)} bytes of the file")],
)
def test_what_is_cut_or_does_not_end_is_refused_and_leaves_nothing(
    odd: str, cache: Path, name: str, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        fetch(card(name, base=odd))
    assert kept(cache) == []


def test_a_slow_download_is_waited_for(odd: str) -> None:
    assert fetch(card("slow", base=odd)).read_bytes() == CONTENT


@pytest.mark.parametrize("name", ["headers", "trickle", "silent"])
def test_a_server_that_answers_a_byte_now_and_then_is_given_up_in_bounded_time(
    odd: str, served: tuple[Path, str], cache: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(download_limit, "PIECE_SECONDS", 0.3)
    monkeypatch.setenv("BENCHSUITE_WORKER", "a/1")
    before = time.monotonic()
    with pytest.raises(DataError, match=r"the server sent less than 64 KiB in 0\.3 s") as raised:
        fetch(card(name, base=odd))
    assert time.monotonic() - before < 5
    assert "put it at" in str(raised.value)
    # the rest of the run does not wait again, and another server is asked as before
    with pytest.raises(
        DataError, match=r"not tried, because 127\.0\.0\.1 did not answer earlier in this run"
    ):
        fetch(card(name, base=odd))
    folder, base = served
    (folder / name).write_bytes(CONTENT)
    assert fetch(card(name, base=base)).read_bytes() == CONTENT
    assert [file for file in kept(cache) if not file.startswith(".unreachable-")] == [name]


def test_no_archive_of_data_is_unpacked_to_the_disk() -> None:
    """They are read where they lie, so that no name in them can lead anywhere."""
    root = Path(__file__).parents[2]
    sources = [*(root / "tasks").rglob("*.py"), *(root / "benchsuite" / "data").rglob("*.py")]
    assert len(sources) > 20
    for path in sources:
        assert not re.search(r"\.extract(all)?\(|unpack_archive|Untar|Unzip", path.read_text("utf-8")), path


def test_a_download_tells_how_far_it_is(served: tuple[Path, str]) -> None:
    folder, base = served
    content = bytes(300_000)
    (folder / "large.bin").write_bytes(content)
    told: list[int | str] = []

    class Bar:
        total = 0

        def update(self, count: int) -> None:
            told.append(count)

        def reset(self) -> None:
            told.append("reset")

        def close(self) -> None:
            told.append("close")

    bar = Bar()
    fetch(card("large.bin", content, base), bar)
    *chunks, reset, whole, close = told
    assert bar.total == len(content)
    assert len(chunks) >= 4
    assert (reset, whole, close) == ("reset", len(content), "close")


def test_a_mirror_serves_files_by_their_cache_name(
    served: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, base = served
    (folder / "small.txt").write_bytes(CONTENT)
    monkeypatch.setenv("BENCHSUITE_MIRROR", base + "/")
    assert fetch(card()).read_bytes() == CONTENT


def test_a_mirror_must_be_a_web_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCHSUITE_MIRROR", "file:///somewhere")
    with pytest.raises(RequestError, match="http://"):
        fetch(card())


def test_a_cache_folder_that_cannot_be_made_is_a_data_error(cache: Path) -> None:
    cache.write_text("a file where the folder should be")
    with pytest.raises(DataError, match="cache folder cannot be used"):
        fetch(card())


def test_states_are_listed_in_order(cache: Path) -> None:
    cache.mkdir()
    (cache / "good").write_bytes(CONTENT)
    (cache / "bad").write_bytes(b"other")
    listed = list_files([card("good"), card("bad"), card("absent")])
    assert [entry.state for entry in listed] == ["present", "corrupt", "missing"]
    assert [entry.path for entry in listed] == [cache / "good", cache / "bad", cache / "absent"]


def test_the_bytes_are_read_even_when_size_and_time_are_as_before(cache: Path) -> None:
    cache.mkdir()
    path = cache / "small.txt"
    path.write_bytes(CONTENT)
    assert status(card()) == "present"
    before = path.stat()
    path.write_bytes(CONTENT[::-1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert [entry.state for entry in list_files([card()])] == ["corrupt"]


def test_a_changed_file_is_noticed_within_a_process(cache: Path) -> None:
    cache.mkdir()
    (cache / "small.txt").write_bytes(CONTENT)
    assert status(card()) == "present"
    (cache / "small.txt").write_bytes(CONTENT + b"more")
    assert status(card()) == "corrupt"


def test_without_the_variable_the_platform_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BENCHSUITE_DATA")
    assert "benchsuite" in cache_folder().parts


def test_processes_that_ask_at_once_all_get_the_file(served: tuple[Path, str], cache: Path) -> None:
    folder, base = served
    content = bytes(range(256)) * 4096
    (folder / "large.bin").write_bytes(content)
    file = card("large.bin", content, base)
    code = f"from benchsuite.data import DataFile, fetch; print(fetch({file!r}).stat().st_size)"
    asking = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    assert [process.communicate(timeout=60)[0].strip() for process in asking] == [str(len(content))] * 3
    assert status(file) == "present"
    assert kept(cache) == ["large.bin"]
