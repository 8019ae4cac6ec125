"""What plugins may change of the trials of a matrix."""

from __future__ import annotations

from typing import Any

from fixtures.matrix_worlds import small_registry

from benchsuite.running.matrix import Matrix, expand, select
from benchsuite.schema import Trial

REGISTRY = small_registry()


def trials(data: dict[str, Any], *overrides: str) -> list[Trial]:
    return list(expand(Matrix("test", data), REGISTRY, overrides).trials)


BASE: dict[str, Any] = {
    "task": "alpha",
    "source": "tiny",
    "cell": "lstm",
    "architecture": "plain",
    "backend": "numpy",
}


def test_plugins_may_change_and_skip_trials() -> None:
    from benchsuite import hookimpl

    class Plugin:
        @hookimpl
        def benchsuite_modify_trials(self, trials: list[Trial]) -> None:
            trials.append(trials[0].model_copy(update={"seed": 7}))
            trials.append(trials[0])

        @hookimpl
        def benchsuite_skip_trial(self, trial: Trial) -> str | None:
            return "torch is out today" if trial.backend == "torch" else None

    world = small_registry()
    world.manager.register(Plugin())
    found = select(Matrix("test", {"axes": {**BASE, "backend": ["numpy", "torch"]}}), world)
    assert [(t.backend, t.seed) for t in found.trials] == [("numpy", 0), ("numpy", 7)]
    assert [(skip.trial.backend, skip.reason) for skip in found.skipped] == [("torch", "torch is out today")]
