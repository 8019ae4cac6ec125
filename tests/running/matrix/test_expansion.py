"""From tables to trials: the algebra of axes, includes and excludes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fixtures.matrix_worlds import AXES, BASE, TASKS, small_registry, some, trials
from hypothesis import given

from benchsuite.contracts import Option
from benchsuite.running.matrix import Matrix, expand
from benchsuite.schema import Trial

REGISTRY = small_registry()


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


@given(AXES)
def test_a_trial_survives_its_journal_line(axes: dict[str, Any]) -> None:
    for trial in trials({"axes": axes, "tasks": TASKS})[:5]:
        assert Trial.model_validate_json(trial.model_dump_json()).id == trial.id


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


def test_an_option_that_was_added_is_in_a_trial_where_it_is_not_at_its_default() -> None:
    """Ids of trials that a matrix gave before the option existed are still those of these trials."""
    registry = small_registry()
    entry = registry.tasks["alpha"]
    packed = {"packed": Option(0, "steps of a row", added=True)}
    registry.tasks["alpha"] = replace(entry, options={**entry.options, **packed})
    axes = {"task": "alpha", "cell": "lstm", "architecture": "plain", "backend": "numpy"}

    def given(**more: Any) -> list[Trial]:
        data = {"axes": axes, "tasks": TASKS} | more
        return list(expand(Matrix("test", data), registry).trials)

    (before,) = trials({"axes": axes, "tasks": TASKS})
    assert [trial.id for trial in given()] == [before.id]
    both = given(tasks={"alpha": {**TASKS["alpha"], "options.packed": [0, 9]}})
    assert {trial.options.get("packed") for trial in both} == {None, 9}
    assert before.id in {trial.id for trial in both}
    for value, left in ((0, 9), (9, None)):
        found = given(
            tasks={"alpha": {**TASKS["alpha"], "options.packed": [0, 9]}},
            exclude=[{"options.packed": value}],
        )
        assert [trial.options.get("packed") for trial in found] == [left]
