"""One worker process, seen from its parent: started, asked, watched, and ended with all its children."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Collection, Iterable, Iterator, Mapping

import psutil

from benchsuite.contracts.executor import WAITING, Progress
from benchsuite.errors import WorkerError
from benchsuite.measure.timing.cores import keep_on
from benchsuite.measure.worker.channel import Content, WorkerCommand, decode_answer, encode
from benchsuite.running.executors.endings import Ended, describe_exit, memory_kills
from benchsuite.running.executors.guardian import VARIABLE, end_marked
from benchsuite.running.executors.limits import lowered, own_limits
from benchsuite.running.executors.marks import new_mark
from benchsuite.running.executors.memory import MemoryWatch
from benchsuite.schema import Status

TAIL_BYTES = 8_000
"""How much of a worker's output is kept."""

POLL_SECONDS = 0.5
"""How often a silent worker is looked at: a child it forked may hold its channel open after its death."""

QUESTION_SECONDS = 300.0
"""How long a worker may take to load its framework and answer a question."""

END_SECONDS = 2.0
"""How long a worker may take to end when asked to."""

COUNT_SECONDS = 1.0
"""How often it is asked how many processes the system has killed: the answer takes a while to read."""

CHUNK_BYTES = 1 << 16

MOST_LINE_BYTES = 1 << 28
"""How long one answer of a worker may be: a record with the curves of a long training has a few MiB."""


class WorkerProcess:
    """A worker in a session and process group of its own, so that Ctrl-C reaches the parent alone.

    Raises WorkerError when the interpreter cannot be started.
    """

    def __init__(
        self,
        python: str,
        module: str,
        backend: str,
        variables: Mapping[str, str],
        unset: Collection[str] = (),
    ) -> None:
        """:param variables: of its environment, beside those of this process but for the ones in `unset`."""
        inherited = {name: value for name, value in os.environ.items() if name not in unset}
        self._mark = new_mark()
        reading, writing = os.pipe()
        # unbuffered and with faulthandler, so that a crash leaves its last words in the output
        command = [python, "-u", "-P", "-X", "faulthandler", "-m", module, backend, str(writing)]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(writing,),
                env={**inherited, **variables, VARIABLE: self._mark},
                start_new_session=True,
                bufsize=0,
            )
        except (OSError, ValueError, TypeError) as error:  # ValueError: a text with a NUL
            os.close(reading)
            raise WorkerError(
                f"the interpreter {python} of backend {backend!r} cannot be started: {error}"
            ) from error
        finally:
            os.close(writing)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._channel, self._buffer, self._searched = reading, bytearray(), 0
        self._output, self._tail = self._process.stdout.fileno(), bytearray()
        self._commands = self._process.stdin.fileno()
        for descriptor in (self._channel, self._output, self._commands):
            os.set_blocking(descriptor, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._channel, selectors.EVENT_READ)
        self._selector.register(self._output, selectors.EVENT_READ)
        self._limits = own_limits()
        self._memory_kills, self._counted = memory_kills(), time.monotonic()

    @property
    def alive(self) -> bool:
        if self._process.poll() is not None:
            return False
        try:  # killed, its leader is a zombie as long as other threads of it still end
            return bool(psutil.Process(self._process.pid).status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False

    @property
    def fit(self) -> bool:
        """Whether the worker may serve another trial: it is alive, and no trial has lowered its limits."""
        return self.alive and not lowered(self._process.pid, self._limits)

    @property
    def output_tail(self) -> str:
        """The last of what the worker printed since its latest command."""
        return self._tail.decode(errors="replace").strip()

    @property
    def telling_line(self) -> str:
        """Of what it printed, the last line that names an error, else the last one; "" for none."""
        lines = self.output_tail.splitlines()
        telling = [line for line in lines if "error" in line.lower()] or lines
        return telling[-1].strip() if telling else ""

    def explain(self, ended: Ended) -> str:
        """The reason, with the most telling line of the worker's output."""
        line = self.telling_line
        return f"{ended.reason}; it said: {line}" if line else ended.reason

    def ask(
        self,
        command: WorkerCommand,
        seconds: float | None,
        *,
        per_answer: bool = False,
        memory: int | None = None,
    ) -> Iterator[Content | Ended]:
        """Send a command; yield the content of its answers as they come. The last one is Ended when the
        worker died, broke its channel, took too long or used too much memory.

        :param seconds: how long the command may take, less what it waits for other trials; None for no limit.
        :param per_answer: `seconds` is how long each of its answers may take.
        :param memory: bytes that the worker may use, with all that it started; None for no limit.
        """
        self._drain_output()  # what an earlier command printed late is not this one's
        self._tail.clear()
        now = time.monotonic()
        if now >= self._counted + COUNT_SECONDS:
            self._memory_kills, self._counted = memory_kills(), now
        watch, looked = MemoryWatch(self._process.pid), now
        unsent = memoryview(encode(command))
        deadline = None if seconds is None else time.monotonic() + seconds
        waits_since: float | None = None
        while True:
            unsent = self._send(unsent)
            left = POLL_SECONDS
            if deadline is not None and waits_since is None:
                left = min(left, deadline - time.monotonic())
            if left <= 0:
                self.kill()
                yield Ended(Status.TIMEOUT, f"took longer than {seconds:g} s", "timeout")
                return
            if memory is not None and time.monotonic() >= looked + POLL_SECONDS:
                looked = time.monotonic()
                if (used := watch.used()) > memory:
                    self.kill()
                    yield Ended(
                        Status.KILLED,
                        f"used {used / 2**30:.2f} GiB of memory; --memory allows {memory / 2**30:.2f} GiB",
                        "memory",
                    )
                    return
            was_alive = self.alive
            received = self._receive(left)
            if len(self._buffer) > MOST_LINE_BYTES:
                self.kill()
                yield Ended(
                    Status.FAILED, f"the worker sent an answer of more than {MOST_LINE_BYTES >> 20} MiB"
                )
                return
            for line in self._lines():
                try:
                    answer = decode_answer(line, command)
                except WorkerError as error:
                    self.kill()
                    yield Ended(Status.FAILED, str(error))
                    return
                if answer.ends:
                    self._drain_output()
                waits = isinstance(answer.content, Progress) and answer.content.phase == WAITING
                if waits and waits_since is None:
                    waits_since = time.monotonic()
                elif not waits and waits_since is not None:
                    deadline = None if deadline is None else deadline + time.monotonic() - waits_since
                    waits_since = None
                yield answer.content
                if answer.ends:
                    return
                if per_answer and seconds is not None:
                    deadline = time.monotonic() + seconds
            if received == b"" or (received is None and not was_alive):
                yield self._ending()
                return

    def _send(self, unsent: memoryview) -> memoryview:
        """Write what the pipe takes; a worker that no longer reads is noticed by its closed channel."""
        if not unsent:
            return unsent
        try:
            unsent = unsent[os.write(self._commands, unsent) :]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            unsent = unsent[:0]
        registered = self._commands in self._selector.get_map()
        if unsent and not registered:
            self._selector.register(self._commands, selectors.EVENT_WRITE)
        elif registered and not unsent:
            self._selector.unregister(self._commands)
        return unsent

    def _receive(self, seconds: float) -> bytes | None:
        """Wait for something to read; what came on the channel: b"" at its end, None for nothing."""
        received: bytes | None = None
        for key, _ in self._selector.select(seconds):
            if key.fd == self._channel:
                received = _read(self._channel)
                self._buffer += received or b""
            elif key.fd == self._output and self._keep_output() == b"":
                self._selector.unregister(self._output)
        return received

    def _lines(self) -> Iterator[bytes]:
        while (end := self._buffer.find(b"\n", self._searched)) >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            self._searched = 0
            yield line
        self._searched = len(self._buffer)

    def _keep_output(self) -> bytes | None:
        """Take one chunk of output into the tail."""
        data = _read(self._output)
        self._tail += data or b""
        del self._tail[:-TAIL_BYTES]
        return data

    def _drain_output(self) -> None:
        while self._keep_output():
            pass

    def _ending(self) -> Ended:
        try:
            code = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return Ended(Status.FAILED, "the worker closed its channel before the trial's end")
        self.kill()
        self._drain_output()
        before, after = self._memory_kills, memory_kills()
        return describe_exit(code, None if before is None or after is None else after - before)

    def keep_on(self, cores: Iterable[int]) -> None:
        """Keep the worker's threads on these processor cores, where the system offers that."""
        keep_on(cores, self._process.pid)

    def kill(self) -> None:
        """End the worker and everything it started, at once, also what left its process group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        end_marked(self._mark)

    def dismiss(self) -> None:
        """Tell an idle worker that no command will follow; it ends by itself."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    def close(self) -> None:
        """Wait for a dismissed worker, end it by force if need be, and close its pipes."""
        self.dismiss()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        self.kill()
        self._selector.close()
        os.close(self._channel)
        assert self._process.stdout is not None
        self._process.stdout.close()


def _read(descriptor: int) -> bytes | None:
    """What is there to read: b"" at the end of the stream, None when nothing is there yet."""
    try:
        return os.read(descriptor, CHUNK_BYTES)
    except BlockingIOError:
        return None
