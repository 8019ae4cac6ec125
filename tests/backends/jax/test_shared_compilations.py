"""Seeds that share what their worker compiled: they learn what they would learn alone."""

from __future__ import annotations

import pytest

pytest.importorskip("jax")

from fixtures.tiny_trial import TRIAL

from benchsuite.analysis.training_time import training_time
from benchsuite.contracts.shared_compilations import REUSED_NOTE, SHARING_VARIABLE
from benchsuite.measure.worker.runner import Session
from benchsuite.schema import Record

MEASURED = ("speed/", "time/", "memory/", "energy/", "train/seconds", "train/cpu_seconds", "train/time_to")


def run(session: Session, seed: int) -> Record:
    return session.run(TRIAL.model_copy(update={"backend": "jax", "seed": seed}), lambda _: None)


def learned(record: Record) -> tuple[dict[str, float], dict[str, list[float]]]:
    scalars = {name: value for name, value in record.scalars.items() if not name.startswith(MEASURED)}
    return scalars, {one.name: list(one.y) for one in record.series if not one.name.startswith(MEASURED)}


def test_a_seed_that_is_given_compiled_code_learns_what_it_learns_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = Session("jax")
    alone = run(session, 1)
    monkeypatch.setenv(SHARING_VARIABLE, "1")
    first, given = run(session, 0), run(session, 1)
    told = [record.environment[f"backend.{REUSED_NOTE}"] for record in (alone, first, given)]
    assert told == ["0", "0", given.environment[f"backend.{REUSED_NOTE}"]]
    assert int(told[2]) > 0
    assert given.environment["backend.compilations"] == "0"
    assert learned(given) == learned(alone)
    assert training_time(alone) is not None
    assert training_time(given) is None
    session._release()
