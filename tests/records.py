"""Records as a run would make them, for tests of what is done with records."""

from __future__ import annotations

from typing import Any

from benchsuite.spec import Record, Status, Trial


def record(
    accuracy: float | None = 0.9,
    status: Status = Status.OK,
    parity: str = "ok",
    scalars: dict[str, float] | None = None,
    reason: str = "",
    **fields: Any,
) -> Record:
    """A record of task `digits`; `fields` go to the trial."""
    given: dict[str, Any] = {
        "task": "digits",
        "source": "tiny",
        "cell": "lstm",
        "architecture": "plain",
        "backend": "numpy",
    }
    measured = {
        "speed/sequences_per_second": 1234.0,
        "memory/peak_bytes": 300 * 2.0**20,
        "gradient/half_life_steps": 3.5,
        "parity/worst_ratio": 0.12,
    }
    if accuracy is not None:
        measured["test/accuracy"] = accuracy
    return Record(
        trial=Trial(**(given | fields)),
        status=status,
        reason=reason,
        scalars=measured | (scalars or {}),
        verdicts={"parity": parity, "gradient": "stable", "speed": "stable"},
        baselines={"majority": {"accuracy": 0.1}},
        primary="accuracy" if accuracy is not None else "",
        fingerprint="f",
        started=100.0,
        finished=103.0,
    )
