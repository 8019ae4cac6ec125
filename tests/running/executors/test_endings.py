"""What an exit code says."""

from __future__ import annotations

import pytest

from benchsuite.running.executors.endings import describe_exit, memory_kills


@pytest.mark.parametrize(
    ("code", "kills", "cause", "says"),
    [
        (3, None, "exit", "exited with code 3"),
        (0, None, "exit", "exited with code 0"),
        (-9, 0, "lost", "not for want of memory"),
        (-9, 1, "memory", "probably because memory ran out"),
        (-9, None, "lost", "probably because memory ran out"),
        (-11, None, "crash", "SIGSEGV"),
        (-15, None, "interrupted", "SIGTERM"),
        (-24, None, "timeout", "SIGXCPU"),
        (-77, None, "crash", "unknown"),
    ],
)
def test_an_exit_code_has_a_cause(code: int, kills: int | None, cause: str, says: str) -> None:
    ended = describe_exit(code, kills)
    assert (ended.cause, says in ended.reason) == (cause, True)


def test_the_systems_count_never_falls() -> None:
    before, after = memory_kills(), memory_kills()
    assert (before is None) == (after is None)
    assert before is None or after is None or 0 <= before <= after
