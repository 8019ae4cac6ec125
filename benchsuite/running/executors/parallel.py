"""Several jobs at a time: threads that each wait for one worker, and one stream of what they see."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from benchsuite.contracts import Event
from benchsuite.schema import Trial

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

GRACE_SECONDS = 0.1
"""Pause between two attempts to end what still runs: a thread may just be starting a worker."""


def run_parallel(
    jobs: int,
    take: Callable[[], Trial | None],
    run: Callable[[Trial], Iterator[Event]],
    stop: Callable[[], None],
) -> Iterator[Event]:
    """Yield the events of `jobs` trials at a time until `take` gives None.

    `take` is called by one thread at a time. Leaving the iteration early ends what runs by calling `stop`.
    An exception of `run` is a defect and is raised here, once everything else has been stopped.
    """
    events: queue.SimpleQueue[Event | BaseException | None] = queue.SimpleQueue()
    stopping, turn = threading.Event(), threading.Lock()

    def take_in_turn() -> Trial | None:
        with turn:
            return None if stopping.is_set() else take()

    def work() -> None:
        try:
            while (trial := take_in_turn()) is not None:
                for event in run(trial):
                    events.put(event)
        except BaseException as error:
            events.put(error)
        finally:
            events.put(None)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    working = jobs
    try:
        while working:
            event = events.get()
            if event is None:
                working -= 1
            elif isinstance(event, BaseException):
                raise event
            else:
                yield event
    finally:
        stopping.set()
        while any(thread.is_alive() for thread in threads):
            if working:
                stop()
            for thread in threads:
                thread.join(GRACE_SECONDS)


def ask_all(
    ask: Callable[[ItemT], ResultT], items: Sequence[ItemT], most: int, stop: Callable[[], None]
) -> list[ResultT]:
    """`ask` every item, at most `most` at a time; when interrupted, what still runs is ended by `stop`."""
    if not items:
        return []
    with ThreadPoolExecutor(min(len(items), most)) as threads:
        answers = [threads.submit(ask, item) for item in items]
        try:
            return [answer.result() for answer in answers]
        except BaseException:
            waiting = {answer for answer in answers if not answer.cancel()}
            while waiting:
                stop()
                waiting = wait(waiting, GRACE_SECONDS).not_done
            raise
