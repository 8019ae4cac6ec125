"""A trial's recipe with the length of its schedule, and what is trained by it."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.tiny_trial import TRIAL

from benchsuite.errors import RequestError
from benchsuite.measure.worker.building import build, first_batches, load, with_schedule
from benchsuite.measure.worker.runner import Session
from benchsuite.plugins import registry
from benchsuite.schema import Recipe, Status, Trial


def test_a_schedule_is_as_long_as_the_training_unless_it_says_so() -> None:
    cosine = Recipe(schedule="cosine", warmup=3)
    assert with_schedule(cosine, 40).schedule_steps == 40
    assert with_schedule(Recipe(warmup=3), 40).schedule_steps == 40
    given = cosine.model_copy(update={"schedule_steps": 10})
    assert with_schedule(given, 40) is given
    assert with_schedule(Recipe(), 40) == Recipe()


@pytest.mark.parametrize("steps", [1, 3])
def test_a_warm_up_that_is_no_shorter_than_the_training_is_refused(steps: int) -> None:
    with pytest.raises(RequestError, match=rf"recipe\.warmup is 3 steps and the training {steps}"):
        with_schedule(Recipe(warmup=3), steps)


def scheduled(**recipe: object) -> Trial:
    fields = {**TRIAL.recipe.model_dump(), "schedule": "cosine", "warmup": 2, "weight_decay": 0.1}
    return TRIAL.model_copy(update={"recipe": {**fields, **recipe}})


@pytest.mark.parametrize(
    "recipe",
    [{"steps": 5, "epochs": 3}, {"steps": None, "epochs": 1}, {"steps": None, "epochs": 2, "limit": 200}],
)
def test_it_is_as_long_as_the_training_that_takes_place(recipe: dict[str, object]) -> None:
    one, session = scheduled(**recipe), Session("numpy")
    loaded = load(session, one)
    record = session.run(one, lambda _: None)
    assert record.status is Status.OK, record.reason
    assert record.verdicts["parity"] == "ok"
    assert record.trial == one
    assert loaded.recipe.schedule_steps == record.scalars["train/steps"]


@pytest.mark.parametrize("share", ["input_dropout", "layer_dropout", "recurrent_dropout"])
def test_dropout_is_at_parity_and_each_seed_has_its_own(share: str) -> None:
    recipe = {"steps": 3, "epochs": 1, share: 0.5}
    one = TRIAL.model_copy(update={"architecture": "deep", "recipe": recipe, "size": {"hidden": 4}})
    session = Session("numpy")
    record = session.run(one, lambda _: None)
    assert record.status is Status.OK, record.reason
    assert record.verdicts["parity"] == "ok", record.reason
    assert 0 < record.scalars["parity/step_error"] < 1e-4
    loaded = load(session, one)
    masks = [first_batches(loaded, each)[0].batch.masks for each in (one, one.model_copy(update={"seed": 1}))]
    assert masks[0].keys() == masks[1].keys()
    assert all(not np.array_equal(masks[0][name], masks[1][name]) for name in masks[0])


def language(**size: object) -> Trial:
    fields = {"hidden": 12, "embedding": 12, "tied": True, **size}
    options = {name: option.default for name, option in registry().task("language").options.items()}
    recipe = {"steps": 2, "epochs": 1, "batch_size": 4, "truncation": 8, "carry": True}
    changed = {
        "task": "language",
        "source": "generated",
        "options": options,
        "recipe": recipe,
        "size": fields,
    }
    return TRIAL.model_copy(update=changed)


def test_a_language_model_shares_one_matrix_between_embedding_and_output() -> None:
    session = Session("numpy")
    record = session.run(language(), lambda _: None)
    assert record.status is Status.OK, record.reason
    assert record.verdicts["parity"] == "ok"
    apart = session.run(language(tied=False), lambda _: None)
    characters = apart.scalars["model/parameters"] - record.scalars["model/parameters"]
    assert characters == 12 * load(session, language()).model.head.outputs
    wrong = session.run(language(embedding=10), lambda _: None)
    assert wrong.status is Status.SKIPPED
    assert "set size.embedding to 12" in wrong.reason


def test_a_task_that_scores_other_things_than_it_reads_has_no_tied_embeddings() -> None:
    record = Session("numpy").run(TRIAL.model_copy(update={"size": {"tied": True}}), lambda _: None)
    assert record.status is Status.SKIPPED
    assert "set size.tied to false" in record.reason


def test_more_rows_than_examples_are_told_by_the_first_batch() -> None:
    one, session = scheduled(batch_size=10**6), Session("numpy")
    loaded = load(session, one)
    build(loaded, one)
    with pytest.raises(RequestError, match="batch_size 1000000 is more than"):
        first_batches(loaded, one)


def test_a_trial_with_a_warm_up_that_is_too_long_says_so() -> None:
    record = Session("numpy").run(scheduled(warmup=7, steps=5), lambda _: None)
    assert record.status is not Status.OK
    assert "recipe.warmup is 7 steps and the training 5" in record.reason
