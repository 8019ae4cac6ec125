"""What plugins may change of the trials of a matrix."""

from __future__ import annotations

import pytest
from fixtures.matrix_worlds import BASE, GOOD, small_registry

from benchsuite.errors import RequestError, UnknownNameError
from benchsuite.running.matrix import Matrix, parse_matrix, select
from benchsuite.schema import Trial

REGISTRY = small_registry()


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


@pytest.mark.parametrize(
    ("unrolls", "kept"),
    [
        ("", ["best", "static"]),
        ("fused", ["fused"]),
        ("static", ["static"]),
        ("dynamic,fused", ["dynamic", "fused"]),
        ("best", ["best"]),
    ],
)
def test_a_filter_by_unroll_names_the_way_of_a_trial_that_asks_for_the_best(
    unrolls: str, kept: list[str]
) -> None:
    matrix = Matrix("test", {"axes": {**BASE, "unroll": ["best", "static"]}})
    found = select(matrix, small_registry(), {"unroll": [one for one in unrolls.split(",") if one]})
    assert [trial.execution.unroll for trial in found.trials] == kept


def test_an_unroll_that_is_none_names_no_way() -> None:
    matrix = Matrix("test", {"axes": {**BASE, "unroll": "best"}})
    with pytest.raises(UnknownNameError, match="unknown unroll 'statc'; did you mean 'static'"):
        select(matrix, small_registry(), {"unroll": ["statc"]})


@pytest.mark.parametrize(
    ("field", "value", "add"),
    [
        ("backend", "torch", "--set backend+=torch"),
        ("cell", "gru", "--set cell+=gru"),
        ("task", "beta", "--set task+=beta --set tasks.beta.source=only"),
    ],
)
@pytest.mark.parametrize("prefix", ["--", "--benchsuite-"])
def test_a_filter_by_what_is_installed_and_not_in_the_matrix_says_how_it_is_added(
    field: str, value: str, add: str, prefix: str
) -> None:
    registry, matrix = small_registry(), parse_matrix(GOOD, "test", "test.toml")
    add = add.replace("--", prefix)
    with pytest.raises(RequestError) as caught:
        select(matrix, registry, {field: [value]}, prefix=prefix)
    assert str(caught.value).splitlines()[0] == (
        f"{prefix}{field}: test.toml has no {field} {value!r}, which is installed. The same matrix with it "
        f"added: {add}; its trials alone: {add} {prefix}{field} {value}"
    )
    overrides = [part.strip() for part in add.split(f"{prefix}set") if part.strip()]
    alone = select(matrix, registry, {field: [value]}, overrides).trials
    assert [getattr(trial, field) for trial in alone] == [value]
    both = select(matrix, registry, {}, overrides).trials
    assert len(both) == 2
