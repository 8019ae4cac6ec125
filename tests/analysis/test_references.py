"""Published figures: well-formed, tied to the matrix `paper`, and compared by rules that can be followed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
from fixtures.records import record

from benchsuite.analysis.references import (
    Reference,
    ReferenceResult,
    convergence,
    reference_results,
    references,
    verdict,
)
from benchsuite.analysis.seeds import Aggregate, aggregate, estimate
from benchsuite.contracts import LoadedTask
from benchsuite.plugins import registry
from benchsuite.running.matrix import expand, load_matrix
from benchsuite.schema import Record, Series, Trial
from benchsuite.schema.fields import canonical


@cache
def paper() -> tuple[Trial, ...]:
    return expand(load_matrix("paper"), registry()).trials


@cache
def offline(name: str) -> LoadedTask:
    """The task's smallest form, which says what its primary metric is."""
    task = registry().tasks[name]
    return task.load().load(task.offline[0], task.complete({}))


def name_of(reference: Reference) -> str:
    return f"{reference.id}-{reference.low:g}"


def of(identity: str, value: float) -> Reference:
    return next(one for one in references() if one.id == identity and one.low == value)


@pytest.mark.parametrize("reference", references(), ids=name_of)
def test_a_reference_is_well_formed(reference: Reference) -> None:
    task = registry().tasks[reference.task]
    assert set(reference.sources) <= set(task.sources)
    assert reference.publication.citation
    assert reference.publication.url.startswith("https://")
    assert reference.low <= reference.high
    assert reference.tolerance >= 0
    assert reference.factor >= 1
    assert reference.split in ("test", "val")
    for path in (*reference.conditions, *reference.protocol):
        assert canonical(path) == path
        if path.startswith("options."):
            assert path.removeprefix("options.") in task.options
    loaded = offline(reference.task)
    if reference.metric == loaded.primary:
        assert reference.higher_is_better == loaded.higher_is_better


@pytest.mark.parametrize("reference", references(), ids=name_of)
def test_paper_holds_a_configuration_of_every_published_figure(reference: Reference) -> None:
    found = [trial for trial in paper() if reference.accepts(trial)]
    assert {trial.seed for trial in found} == {0, 1, 2}
    own = {"data"} if reference.data else set()
    assert any(
        {one.what for one in reference.differences(run_of(trial)) if one.published} == own for trial in found
    ), "the fields of the recipe are as published"


def test_every_configuration_of_paper_stands_beside_a_published_figure() -> None:
    lonely = [trial.label for trial in paper() if not any(one.accepts(trial) for one in references())]
    assert not lonely


def test_every_row_of_the_published_points_is_there() -> None:
    published = {(one.task, one.metric, one.low, one.high) for one in references()}
    assert {
        ("mnist_rows", "accuracy", 0.974, 0.981),
        ("mnist_rows", "accuracy", 0.984, 0.988),
        *(
            ("mnist_rows", "accuracy", v, v)
            for v in (0.872, 0.962, 0.215, 0.857, 0.873, 0.253, 0.9734, 0.966)
        ),
        *(("adding", "mse", v, v) for v in (0.164, 5.3e-5, 0.177)),
        *(("copy", "cross_entropy", v, v) for v in (0.0204, 0.0197, 0.0202)),
        *(("time_series", "mse", v, v) for v in (0.114, 0.193, 0.236)),
        *(("time_series", "mae", v, v) for v in (0.272, 0.358, 0.392)),
        *(("translation", "bleu", v, v) for v in (13.8, 20.6, 28.3)),
        *(("sentiment", "accuracy", v, v) for v in (0.50, 0.855)),
    } == published


@pytest.mark.parametrize(("task", "about"), [("adding", 70_000), ("copy", 16_000)])
def test_networks_of_paper_are_as_large_as_published(task: str, about: int) -> None:
    """The formulas of the canonical parameters: gates by inputs, state and biases."""
    compared = ("rnn", "lstm", "gru")
    trials = [one for one in paper() if one.task == task and one.seed == 0 and one.cell in compared]
    assert {trial.cell for trial in trials} == set(compared)
    for trial in trials:
        hidden = trial.size.hidden
        gates = {"rnn": 1, "lstm": 4, "gru": 3}[trial.cell]
        biases = 2 if trial.cell == "gru" else 1
        inputs, outputs = (2, 1) if task == "adding" else (trial.size.embedding, 9)
        embedded = 0 if task == "adding" else 10 * inputs
        body = gates * hidden * (inputs + hidden + biases)
        assert abs(embedded + body + (hidden + 1) * outputs - about) < 0.03 * about


def run_of(trial: Trial) -> Aggregate:
    return aggregate([record_of(trial, 0.98)])[0]


def record_of(trial: Trial, value: float, validation: float = 0.5) -> Record:
    made = record(None, scalars={"test/accuracy": value, "val/accuracy": validation})
    return made.model_copy(update={"trial": trial, "primary": "accuracy"})


def rows(seed: int = 0, **recipe: Any) -> Trial:
    found = next(t for t in paper() if t.task == "mnist_rows" and t.cell == "rnn" and t.size.hidden == 150)
    return found.model_copy(update={"seed": seed, "recipe": found.recipe.model_copy(update=recipe)})


def only(records: Sequence[Record], curves: Any = None) -> ReferenceResult:
    (found,) = reference_results(records, curves)
    return found


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.976, "agrees"), (0.9715, "agrees"), (0.95, "worse"), (0.9835, "agrees"), (0.992, "better"),
     (math.nan, "worse")],
)  # fmt: skip
def test_one_seed_is_taken_as_it_is(value: float, expected: str) -> None:
    assert only([record_of(rows(), value)]).verdict == expected


def test_over_seeds_all_of_the_interval_must_lie_beyond_what_agrees() -> None:
    reference = of("rows-rnn", 0.974)
    assert verdict(reference, estimate([0.9850, 0.9851, 0.9852])) == "better"
    assert verdict(reference, estimate([0.9800, 0.9851, 0.9902])) == "agrees"
    assert verdict(reference, estimate([0.9500, 0.9501, 0.9502])) == "worse"


def test_where_lower_is_better_the_sides_are_the_other_way_round() -> None:
    reference = of("adding", 5.3e-5)
    assert verdict(reference, estimate([0.05])) == "worse"
    assert verdict(reference, estimate([1e-7])) == "better"
    assert verdict(reference, estimate([1e-4])) == "agrees"


def test_other_data_are_shown_and_not_judged() -> None:
    trial = next(t for t in paper() if t.task == "sentiment" and t.options["mask"])
    made = record_of(trial, 0.6, validation=0.99)
    found = only([made], lambda _: [])
    assert found.verdict == "not judged"
    assert found.found.mean == 0.99
    assert any(one.what == "data" and one.own == "sst2" for one in found.differences)


def test_differences_of_protocol_are_named_with_both_values() -> None:
    trial = rows(epochs=3, learning_rate=0.01, limit=500)
    found = [str(one) for one in only([record_of(trial, 0.9)]).differences]
    assert "epochs 3 (published: 100)" in found
    assert "learning rate 0.01 (published: 0.001)" in found
    assert "training examples at most 500 (published: all)" in found
    assert not any(text.startswith("hidden") for text in found)


def test_what_has_no_parity_or_failed_does_not_stand_beside_anything() -> None:
    made = record_of(rows(), 0.98)
    assert reference_results([made.model_copy(update={"verdicts": {"parity": "breach"}})]) == []


@pytest.mark.parametrize("field", [{"cell": "gru"}, {"source": "digits"}, {"architecture": "bidirectional"}])
def test_another_cell_source_or_architecture_is_not_the_published_one(field: dict[str, str]) -> None:
    trial = rows().model_copy(update=field)
    assert not of("rows-rnn", 0.974).accepts(trial)


def curve(values: Sequence[float]) -> list[Series]:
    epochs = [float(n) for n in range(1, len(values) + 1)]
    return [Series(name="val/accuracy", axis="epoch", x=epochs, y=list(values))]


@pytest.mark.parametrize(
    ("seeds", "fast"),
    [
        ([[0.975], [0.9, 0.98]], 2),
        ([[0.5] * 9 + [0.974]], 10),
        ([[0.5] * 10 + [0.974]], None),
        ([[0.975], [0.5] * 40 + [0.98]], None),
        ([[0.9] * 100], None),
        ([[]], None),
    ],
)
def test_a_tenth_of_the_published_epochs_is_suspiciously_fast_if_every_seed_needs_no_more(
    seeds: list[list[float]], fast: int | None
) -> None:
    records = [record_of(rows(seed), 0.976) for seed in range(len(seeds))]
    found = only(records, lambda record: curve(seeds[record.trial.seed]))
    assert found.verdict == "agrees"
    assert (found.fast.epochs if found.fast else None) == fast
    assert found.suspicious == (fast is not None)


def test_where_the_published_curve_is_known_it_decides() -> None:
    reference = of("mask", 0.855)
    assert reference.reached == 3
    run = run_of(rows())
    assert convergence(reference, run, lambda _: curve([0.86])) is not None
    assert convergence(reference, run, lambda _: curve([0.5, 0.86])) is None
