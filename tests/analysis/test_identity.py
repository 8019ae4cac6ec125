"""What is one model, what may be compared, and what a trial is called."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.analysis.identity import (
    Labels,
    changes_result,
    changes_run,
    fields,
    model_key,
    pair_key,
    run_key,
    task_key,
    task_title,
    varying,
    words,
)
from benchsuite.schema import Trial


def trial(**given: Any) -> Trial:
    basic = {"task": "t", "source": "s", "cell": "lstm", "architecture": "plain", "backend": "numpy"}
    return Trial(**(basic | given))


OTHERS: dict[str, Trial] = {
    "size": trial(size={"hidden": 32}),
    "recipe": trial(recipe={"learning_rate": 0.5}),
    "options": trial(options={"horizon": 24}),
    "cell": trial(cell="gru"),
    "precision": trial(execution={"precision": "float64"}),
    "beam": trial(protocol={"beam": 5}),
    "backend": trial(backend="torch"),
    "unroll": trial(execution={"unroll": "fused"}),
    "threads": trial(execution={"threads": 4}),
    "device": trial(execution={"device": "gpu"}),
    "rounds": trial(protocol={"rounds": 99}),
    "snapshots": trial(protocol={"gradient_snapshots": 5}),
    "seed": trial(seed=1),
}


@pytest.mark.parametrize("what", OTHERS)
def test_a_model_is_what_decides_what_is_learned_and_only_the_beam_of_the_protocol(what: str) -> None:
    another = what in ("size", "recipe", "options", "cell", "precision", "beam")
    assert (model_key(OTHERS[what]) != model_key(trial())) is another


@pytest.mark.parametrize("what", OTHERS)
def test_a_run_is_the_backend_and_how_it_executes(what: str) -> None:
    another = what in ("backend", "unroll", "threads", "device", "precision")
    assert (run_key(OTHERS[what]) != run_key(trial())) is another


@pytest.mark.parametrize("what", OTHERS)
def test_metrics_are_ranked_together_within_task_source_and_options(what: str) -> None:
    assert (task_key(OTHERS[what]) != task_key(trial())) is (what == "options")


def test_pairs_differ_in_the_free_fields_and_in_how_much_is_measured_alone() -> None:
    assert pair_key(OTHERS["rounds"], ()) == pair_key(trial(), ())
    assert pair_key(OTHERS["beam"], ()) != pair_key(trial(), ())
    assert pair_key(OTHERS["backend"], ["backend"]) == pair_key(trial(), ["backend"])
    assert pair_key(OTHERS["backend"], ["seed"]) != pair_key(trial(), ["seed"])


def test_every_field_is_the_models_the_runs_or_the_seed() -> None:
    kinds = {path: (changes_result(path), changes_run(path), path == "seed") for path in fields(trial())}
    assert all(sum(kind) == 1 for kind in kinds.values()), kinds


CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "seed": st.integers(0, 2),
        "backend": st.sampled_from(["numpy", "torch"]),
        "cell": st.sampled_from(["lstm", "gru"]),
        "options": st.fixed_dictionaries({"horizon": st.sampled_from([24, 48]), "relative": st.booleans()}),
        "size": st.fixed_dictionaries({"hidden": st.sampled_from([16, 32])}),
        "recipe": st.fixed_dictionaries(
            {"learning_rate": st.sampled_from([0.1, 0.2]), "clip_at": st.just(1.0)}
        ),
        "protocol": st.fixed_dictionaries({"rounds": st.sampled_from([5, 12])}),
        "execution": st.fixed_dictionaries({"threads": st.sampled_from([1, 4])}),
    },
)


@given(st.lists(CHANGES, min_size=1, max_size=8))
def test_no_two_trials_of_a_study_have_one_label(changes: list[dict[str, Any]]) -> None:
    trials = {one.id: one for one in (trial(**change) for change in changes)}
    label = Labels(trials.values())
    assert len({label(one) for one in trials.values()}) == len(trials)
    for one in trials.values():
        assert label(one).startswith(one.label)


def test_a_label_holds_no_more_than_what_differs() -> None:
    trials = [trial(options={"horizon": horizon, "window": 24}) for horizon in (24, 48)]
    assert Labels(trials)(trials[0]) == f"{trials[0].label} horizon=24"
    assert Labels(trials[:1])(trials[0]) == trials[0].label


def test_true_and_one_are_different_values() -> None:
    trials = [trial(options={"x": value}) for value in (True, 1)]
    assert varying(trials, lambda path: path.startswith("options."), lambda _: None) == ("options.x",)


def test_words_name_fields_without_their_groups_and_leave_out_what_a_trial_has_not() -> None:
    assert words(trial(), ["size.hidden", "options.horizon"]) == ["hidden=64"]


def test_a_title_tells_a_task_from_others_of_its_source() -> None:
    trials = [trial(options={"horizon": horizon, "window": 24}) for horizon in (24, 48)]
    assert task_title(trials[0], trials) == "t / s horizon=24"
    assert task_title(trials[0], trials[:1]) == "t / s"
