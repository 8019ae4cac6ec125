"""A racer in its worker: at parity and validly timed before it starts, and every sample the same work."""

from __future__ import annotations

from typing import Any

import pytest
from fixtures.tiny_trial import TRIAL

from benchsuite.contracts import Backend, Program
from benchsuite.errors import UnsupportedError
from benchsuite.measure.worker.runner import Session
from benchsuite.schema import Status

QUICK = TRIAL.model_copy(update={"recipe": TRIAL.recipe.model_copy(update={"batch_size": 256})})


@pytest.fixture
def session() -> Session:
    return Session("numpy")


def wrapped(session: Session, monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Let `change` see each program of the trial's own precision when it is built."""
    backend, _ = session.load_backend()
    build = backend.build

    def building(*arguments: Any) -> Program:
        program = build(*arguments)
        change(program)
        return program

    monkeypatch.setattr(backend, "build", building)


@pytest.mark.parametrize("what", ["step", "inference"])
def test_samples_are_timed_and_begin_at_the_same_parameters(session: Session, what: str) -> None:
    phases: list[str] = []
    ready = session.ready(QUICK, what, lambda progress: phases.append(progress.phase))
    assert ready.problem == ""
    assert phases == ["calibrate", "build", "parity", "warm up"]
    assert ready.calls >= 1
    assert ready.batches == 4
    samples = [session.sample(ready.calls) for _ in range(3)]
    assert all(one.problem == "" and one.wall > 0 and one.cpu > 0 and one.idle >= 0 for one in samples)


def test_without_a_trial_that_is_ready_there_is_no_sample(session: Session) -> None:
    assert session.sample(1).problem == "no trial is ready to race"
    session.ready(QUICK, "step", lambda _: None)
    assert session.run(TRIAL, lambda _: None).status is Status.OK
    assert session.sample(1).problem == "no trial is ready to race"


def test_what_is_no_race_and_who_cannot_run_are_problems(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, _ = session.load_backend()

    def refuses(*_: Any) -> Program:
        raise UnsupportedError("not today")

    monkeypatch.setattr(backend, "build", refuses)
    assert session.ready(QUICK, "step", lambda _: None).problem == "not today"
    monkeypatch.setattr(Backend, "supports", lambda *_: "never", raising=False)
    monkeypatch.setattr(backend, "supports", lambda *_: "never")
    assert session.ready(QUICK, "step", lambda _: None).problem == "never"


def test_who_breaks_parity_does_not_start(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def off(program: Any) -> None:
        changed = {name: 1.01 * value for name, value in program.parameters().items()}
        program.load_parameters(changed)

    wrapped(session, monkeypatch, off)
    assert "breaks parity" in session.ready(QUICK, "step", lambda _: None).problem


def test_who_loses_steps_is_out(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    programs: list[Any] = []
    wrapped(session, monkeypatch, programs.append)
    ready = session.ready(QUICK, "step", lambda _: None)
    assert ready.problem == ""
    step, count = programs[0].step, [0]

    def lazy(placed: object, state: object = None) -> None:
        count[0] += 1
        if count[0] % 2:
            step(placed, state)

    programs[0].step = lazy
    assert "drain() has not one loss for each step" in session.sample(ready.calls).problem


@pytest.mark.parametrize("forgets", [False, True], ids=["always", "until the parameters change"])
def test_who_answers_from_memory_does_not_race(
    session: Session, monkeypatch: pytest.MonkeyPatch, forgets: bool
) -> None:
    def remembers(program: Any) -> None:
        predict, known = program.predict, dict[int, Any]()

        def forgetting(call: Any) -> Any:
            def called(*arguments: Any) -> Any:
                if forgets:
                    known.clear()
                return call(*arguments)

            return called

        def remembered(placed: Any, state: Any = None) -> Any:
            if id(placed) not in known:
                known[id(placed)] = predict(placed, state)
            return known[id(placed)]

        program.predict, program.step = remembered, forgetting(program.step)
        program.load_parameters = forgetting(program.load_parameters)

    wrapped(session, monkeypatch, remembers)
    assert session.ready(QUICK, "inference", lambda _: None).problem.startswith("cached: ")
