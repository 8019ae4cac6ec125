"""The sentence that a report begins with: it says no more than the records do."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures.records import record

from benchsuite.report.data import collect
from benchsuite.report.flow import bare
from benchsuite.report.pages.study_answer import study_answer
from benchsuite.running.study import StoredStudy
from benchsuite.schema import Record, Status


def said(folder: Path, records: list[Record]) -> str:
    return bare(study_answer(collect([StoredStudy("s", folder, records)]).tasks))


def seeds(task: str, **values: tuple[float, ...]) -> list[Record]:
    return [
        record(value, task=task, cell=cell, seed=seed)
        for cell, own in values.items()
        for seed, value in enumerate(own)
    ]


@pytest.mark.parametrize(
    ("values", "certain"),
    [
        ({"lstm": (0.9,), "gru": (0.8,)}, "which one seed cannot confirm"),
        (
            {"lstm": (0.62, 0.7, 0.78), "gru": (0.6, 0.72, 0.71)},
            "not distinguishable from gru plain with n = 3 seeds",
        ),
        (
            {"lstm": (0.9, 0.91, 0.9), "gru": (0.1, 0.11, 0.1)},
            "better than the other model (paired over 3 seeds",
        ),
    ],
)
def test_of_one_task_the_best_model_is_named_with_how_sure_that_is(
    values: dict[str, tuple[float, ...]], certain: str, tmp_path: Path
) -> None:
    found = said(tmp_path, seeds("a", **values))
    assert found.startswith("Best on a / tiny: lstm plain, with accuracy ")
    assert certain in found


def test_of_one_model_it_is_not_said_that_it_is_the_best(tmp_path: Path) -> None:
    found = said(tmp_path, seeds("a", lstm=(0.9,)))
    assert found == "The only model with a result on a / tiny: lstm plain, accuracy 0.9."


@pytest.mark.parametrize(("constant", "told"), [(0.95, False), (0.5, True)])
def test_a_model_that_a_baseline_beats_is_not_called_the_best(
    constant: float, told: bool, tmp_path: Path
) -> None:
    records = [
        one.model_copy(update={"baselines": {"majority": {"accuracy": constant}}})
        for one in seeds("a", lstm=(0.9,), gru=(0.8,))
    ]
    found = said(tmp_path, records)
    assert found.startswith("Best on a / tiny: lstm plain") is told
    assert (
        "No model of a / tiny is better than the baseline majority (accuracy 0.95), which has no recurrence"
        in found
    ) is not told


def test_of_several_tasks_the_best_rank_is_told_where_ranks_differ(tmp_path: Path) -> None:
    records = [one for task in "abcdefgh" for one in seeds(task, lstm=(0.9,), gru=(0.8,), rnn=(0.7,))]
    assert "lstm plain has the best average rank over 8 tasks (1.00 of 3)" in said(tmp_path, records)


def test_one_seed_of_several_tasks_tells_nothing(tmp_path: Path) -> None:
    records = [*seeds("a", lstm=(0.9,), gru=(0.8,)), *seeds("b", lstm=(0.7,), gru=(0.8,))]
    assert said(tmp_path, records).startswith("Which model is best cannot be told with one seed")


def test_tasks_on_which_the_best_is_told_from_all_others_are_counted(tmp_path: Path) -> None:
    clear = seeds("a", lstm=(0.9, 0.91, 0.9), gru=(0.1, 0.11, 0.1))
    close = seeds("b", lstm=(0.62, 0.7, 0.78), gru=(0.6, 0.72, 0.71))
    assert said(tmp_path, [*clear, *close]).startswith(
        "On 1 of 2 tasks with several models one is better than each of the others"
    )
    assert said(tmp_path, [*close, *seeds("c", rnn=(0.5,))]).startswith(
        "On the one task with several models none is better than each of the others"
    )


def test_without_a_result_no_model_is_named(tmp_path: Path) -> None:
    assert "No model has a result" in said(tmp_path, [record(None, Status.FAILED)])


def timed(backend: str, speed: float, taken: float, cell: str = "lstm") -> Record:
    step = 16.0 / speed
    return record(0.9, backend=backend, cell=cell, scalars={
        "speed/sequences_per_second": speed, "speed/step_median_seconds": step,
        "speed/step_cpu_seconds": step, "speed/import_seconds": 1.0, "speed/build_seconds": 0.1,
        "speed/first_step_seconds": 0.01,
        "train/seconds": taken, "train/steps": 10.0,
    })  # fmt: skip


def test_backends_are_named_for_both_questions(tmp_path: Path) -> None:
    found = said(tmp_path, [timed("jax", 9000.0, 5.0), timed("numpy", 3000.0, 1.0)])
    assert found.endswith("; jax has the fastest steps; numpy has the model trained soonest.")


def test_backends_that_lead_in_equally_many_models_are_all_named(tmp_path: Path) -> None:
    lstm = [timed("jax", 9000.0, 5.0), timed("numpy", 3000.0, 1.0)]
    gru = [timed("jax", 3000.0, 5.0, "gru"), timed("numpy", 9000.0, 1.0, "gru")]
    found = said(tmp_path, [*lstm, *gru])
    assert "jax and numpy each have the fastest steps in 1 of 2 models" in found
    assert "numpy has the model trained soonest in 2 of 2 models." in found
