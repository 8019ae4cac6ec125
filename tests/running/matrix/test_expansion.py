"""From tables to trials: the algebra of axes, includes and excludes."""

from __future__ import annotations

from typing import Any

import pytest
from fixtures.matrix_worlds import small_registry
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.plugins import registry
from benchsuite.running.matrix import Matrix, builtin_matrices, expand, narrow, parse_matrix, select
from benchsuite.schema import Trial

REGISTRY = small_registry()


def trials(data: dict[str, Any], *overrides: str) -> list[Trial]:
    return list(expand(Matrix("test", data), REGISTRY, overrides).trials)


def some(values: list[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), min_size=1, unique=True)


AXES = st.fixed_dictionaries(
    {
        "task": some(["alpha", "beta"]),
        "cell": some(["rnn", "lstm", "gru"]),
        "architecture": some(["plain", "deep"]),
        "backend": some(["numpy", "torch", "jax"]),
        "seed": some([0, 1, 2]),
    },
    optional={
        "unroll": some(["static", "dynamic", "fused"]),
        "recipe.epochs": some([1, 2]),
        "size": st.just({"hidden": [4, 8]}),
    },
)
TASKS = {"alpha": {"source": "tiny"}}


@given(AXES)
def test_axes_give_every_combination_once(axes: dict[str, Any]) -> None:
    found = trials({"axes": axes, "tasks": TASKS})
    count = 1
    for path, values in axes.items():
        count *= 2 if path == "size" else len(values)
    assert len(found) == count
    assert len({trial.id for trial in found}) == count


@given(AXES)
def test_order_of_values_and_tables_does_not_change_the_set(axes: dict[str, Any]) -> None:
    turned = {path: values if path == "size" else values[::-1] for path, values in reversed(axes.items())}
    first, second = trials({"axes": axes, "tasks": TASKS}), trials({"tasks": TASKS, "axes": turned})
    assert {trial.id for trial in first} == {trial.id for trial in second}


@given(AXES, some(["rnn", "lstm", "gru"]), some(["numpy", "torch"]))
def test_exclude_removes_exactly_what_meets_all_its_conditions(
    axes: dict[str, Any], cells: list[str], backends: list[str]
) -> None:
    everything = trials({"axes": axes, "tasks": TASKS})
    left = [trial for trial in everything if not (trial.cell in cells and trial.backend in backends)]
    data = {"axes": axes, "tasks": TASKS, "exclude": [{"cell": cells, "backend": backends}]}
    if left:
        assert [trial.id for trial in trials(data)] == [trial.id for trial in left]


@given(AXES, some(["numpy", "torch"]), some([0, 5]))
def test_include_is_a_union(axes: dict[str, Any], backends: list[str], seeds: list[int]) -> None:
    own = {"task": "beta", "backend": backends, "seed": seeds}
    base = trials({"axes": axes, "tasks": TASKS})
    alone = trials({"axes": {**axes, **own}, "tasks": TASKS})
    both = trials({"axes": axes, "tasks": TASKS, "include": [own]})
    assert {trial.id for trial in both} == {trial.id for trial in base} | {trial.id for trial in alone}
    assert len(both) == len({trial.id for trial in both})


@given(AXES, st.data())
def test_filters_narrow_to_what_they_name(axes: dict[str, Any], data: st.DataObject) -> None:
    expansion = expand(Matrix("test", {"axes": axes, "tasks": TASKS}), REGISTRY)
    cells = data.draw(some(axes["cell"]))
    seeds = data.draw(some(axes["seed"]))
    kept = narrow(expansion, {"cell": cells, "seed": [str(seed) for seed in seeds], "backend": []})
    assert list(kept.trials) == [t for t in expansion.trials if t.cell in cells and t.seed in seeds]


@given(AXES)
def test_a_trial_survives_its_journal_line(axes: dict[str, Any]) -> None:
    for trial in trials({"axes": axes, "tasks": TASKS})[:5]:
        assert Trial.model_validate_json(trial.model_dump_json()).id == trial.id


BASE: dict[str, Any] = {
    "task": "alpha",
    "source": "tiny",
    "cell": "lstm",
    "architecture": "plain",
    "backend": "numpy",
}


def test_options_are_completed_and_typed_so_that_the_id_says_all() -> None:
    [plain] = trials({"axes": BASE})
    assert plain.options == {"horizon": 24, "view": "rows", "scale": 1.0, "lower": True}
    [written] = trials({"axes": {**BASE, "options": {"scale": 1, "view": "rows"}}})
    assert written.id == plain.id


def test_closer_tables_win() -> None:
    data = {
        "defaults": {"seed": 1, "recipe": {"epochs": 1}},
        "axes": {**BASE, "seed": 2},
        "tasks": {"alpha": {"seed": 3}},
        "include": [{"seed": 4, "cell": "gru"}],
    }
    assert [(t.cell, t.seed, t.recipe.epochs) for t in trials(data)] == [("lstm", 3, 1), ("gru", 4, 1)]
    assert {t.seed for t in trials(data, "seed=9")} == {9}
    assert {t.seed for t in trials(data, "seed=9", "tasks.alpha.seed=8")} == {8}


def test_includes_alone_need_no_task_in_the_axes() -> None:
    axes = {"backend": "numpy", "cell": "lstm", "architecture": "plain"}
    found = trials(
        {"axes": axes, "include": [{"task": "beta"}, {"task": "alpha", "source": ["tiny", "big"]}]}
    )
    assert [(t.task, t.source) for t in found] == [("beta", "only"), ("alpha", "tiny"), ("alpha", "big")]


def test_the_cnn_ignores_the_cell_and_needs_none() -> None:
    found = trials({"axes": {**BASE, "cell": ["rnn", "lstm"], "architecture": ["plain", "cnn"]}})
    assert [(t.architecture, t.cell) for t in found] == [("plain", "rnn"), ("plain", "lstm"), ("cnn", "none")]
    without = {key: value for key, value in BASE.items() if key != "cell"}
    assert [t.cell for t in trials({"axes": {**without, "architecture": "cnn"}})] == ["none"]


def test_an_architecture_that_a_task_lacks_is_skipped_with_the_reason() -> None:
    data = {
        "axes": {**BASE, "task": ["alpha", "beta"], "architecture": ["plain", "cnn"]},
        "tasks": {"beta": {"source": "only"}},
    }
    found = expand(Matrix("test", data), REGISTRY)
    assert len(found.trials) == 3
    [skip] = found.skipped
    assert skip.trial.task == "beta"
    assert skip.reason == "task beta has no cnn; it offers plain, deep, bidirectional, deep_bidirectional"


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ({"backend": "t*"}, {"numpy", "jax"}),
        ({"backend": ["jax", "n*"]}, {"torch"}),
        ({"backend": "numpy", "cell": "gru"}, {"numpy", "torch", "jax"}),
        ({"backend": "numpy", "recipe.epochs": 10}, {"torch", "jax"}),
        ({"options.lower": True, "backend": "jax"}, {"numpy", "torch"}),
        ({"options.scale": True, "backend": "jax"}, {"numpy", "torch", "jax"}),
    ],
)
def test_conditions(condition: dict[str, Any], left: set[str]) -> None:
    data = {"axes": {**BASE, "backend": ["numpy", "torch", "jax"]}, "exclude": [condition]}
    assert {trial.backend for trial in trials(data)} == left


def test_none_unsets_a_field() -> None:
    found = trials({"axes": {**BASE, "recipe": {"truncation": ["none", 7]}}})
    assert [trial.recipe.truncation for trial in found] == [None, 7]


@pytest.mark.parametrize(
    ("override", "values"),
    [
        ("cell=gru,rnn", ["gru", "rnn"]),
        ('cell=["gru"]', ["gru"]),
        ("cell='gru'", ["gru"]),
        ("cell = gru", ["gru"]),
        ("cell=[gru, rnn]", ["gru", "rnn"]),
    ],
)
def test_overrides_are_toml_or_plain_words(override: str, values: list[str]) -> None:
    assert [trial.cell for trial in trials({"axes": BASE}, override)] == values


def test_an_overridden_option_is_for_the_tasks_that_have_it() -> None:
    data = {"axes": {**BASE, "task": ["alpha", "beta"]}, "tasks": {"beta": {"source": "only"}}}
    assert [trial.options.get("horizon") for trial in trials(data, "options.horizon=3")] == [3, None]


def test_written_tables_and_dotted_keys_are_one() -> None:
    rest = 'task="beta"\ncell="rnn"\narchitecture="plain"\nbackend="numpy"\n'
    forms = ["recipe.epochs = 3", '"recipe.epochs" = 3', "recipe = { epochs = 3 }"]
    ids = {
        trial.id
        for form in forms
        for trial in expand(parse_matrix(f"[axes]\n{rest}{form}\n", "x", "x"), REGISTRY).trials
    }
    assert len(ids) == 1


@pytest.mark.parametrize("name", ["smoke", "quick", "scaling", "standard", "applications", "paper"])
def test_built_in_matrices_expand_with_the_installed_plugins(name: str) -> None:
    matrix = builtin_matrices()[name]
    found = expand(matrix, registry())
    assert matrix.name == name
    assert matrix.summary
    assert found.trials
    assert not found.skipped


def test_quick_is_what_the_readme_promises() -> None:
    found = expand(builtin_matrices()["quick"], registry()).trials
    assert len(found) >= 112
    for entry in registry().tasks.values():
        assert {t.source for t in found if t.task == entry.name} <= set(entry.offline)
    points = {(t.task, t.cell, t.architecture, t.backend) for t in found}
    assert len(points) == len(found)


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
