"""The table of models in the terminal, read as text."""

from __future__ import annotations

import math

import pytest
from fixtures.printed import printed, rows
from fixtures.records import record

from benchsuite.analysis.seeds import aggregate, estimate
from benchsuite.cli.summary_models import estimate_words, gradient_words
from benchsuite.schema import Record

GRADIENTS = {
    "gradient/half_life_steps_start": 2.64,
    "gradient/change_start": 0.002,
    "gradient/half_life_steps_end": math.inf,
    "gradient/change_end": 1.5,
}


def seeds(values: list[float], cell: str) -> list[Record]:
    return [record(value, seed=seed, cell=cell) for seed, value in enumerate(values)]


def test_the_best_comes_first_with_all_its_measures() -> None:
    text = printed([record(0.8, cell="rnn"), record(0.9, cell="lstm", scalars=GRADIENTS)])
    assert rows(text, "lstm plain")[0] == [
        "1", "lstm plain", "0.9", "300 MiB", "vanishing, 2.6 steps", "stable, ∞", "ok 0.12", "one seed"
    ]  # fmt: skip
    assert rows(text, "rnn plain")[0][0] == "2"
    assert rows(text, "majority") == [["majority", "0.1"]]
    assert "accuracy ↑" in text


def test_a_metric_that_should_be_small_is_ranked_so() -> None:
    low, high = (
        record(None, scalars={"test/mse": value}, cell=cell).model_copy(
            update={"primary": "mse", "higher_is_better": False}
        )
        for value, cell in ((0.1, "gru"), (0.4, "rnn"))
    )
    text = printed([high, low])
    assert rows(text, "gru plain")[0][0] == "1"
    assert "mse ↓" in text


def test_seeds_are_one_row_with_mean_and_interval() -> None:
    text = printed(seeds([0.80, 0.82, 0.84], "lstm"))
    assert "0.82 ± 0.05 (n=3)" in rows(text, "lstm plain")[0]
    assert "±" not in printed([record(0.9)])


def test_models_that_seeds_do_not_tell_apart_are_marked_with_the_seeds_that_would() -> None:
    text = printed([*seeds([0.6, 0.65, 0.85], "gru"), *seeds([0.55, 0.6, 0.63], "lstm")])
    assert [rows(text, name)[0][0] for name in ("gru plain", "lstm plain")] == ["1", "2 ≈"]
    [told] = [line for line in text.splitlines() if "not distinguishable" in line]
    assert told.strip().startswith("≈ not distinguishable from gru plain with n = 3: lstm plain (")
    assert told.strip().endswith("seeds would tell)")


def test_models_that_seeds_tell_apart_are_not_marked() -> None:
    text = printed([*seeds([0.9, 0.91, 0.9], "gru"), *seeds([0.5, 0.51, 0.505], "lstm")])
    assert "≈" not in text
    assert "not distinguishable" not in text


@pytest.mark.parametrize("difference", [0.0, 1.5e-9])
def test_equal_figures_have_equal_ranks(difference: float) -> None:
    text = printed([record(1.0 - difference, cell="gru"), record(1.0, cell="lstm"), record(0.5, cell="rnn")])
    ranks = {name: rows(text, f"{name} plain")[0][0] for name in ("gru", "lstm", "rnn")}
    assert ranks == {"gru": "1", "lstm": "1", "rnn": "3"}


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (record(0.05), "below baseline"),
        (record(0.1), "below baseline"),
        (record(0.9, scalars={"train/epochs": 10.0, "train/best_epoch": 10.0}), "still improving"),
        (record(0.9), "one seed"),
        (record(0.9).model_copy(update={"verdicts": {"parity": "ok", "speed": "cached"}}), "timing refused"),
        (record(0.9).model_copy(update={"verdicts": {"parity": "ok", "speed": "unstable"}}), "not steady"),
    ],
)
def test_cautions_are_beside_the_rank_and_explained_below(made: Record, kind: str) -> None:
    text = printed([made])
    assert kind in rows(text, "lstm plain")[0][-1]
    assert f"  {kind}: " in text


def test_many_different_sentences_of_one_kind_are_told_in_general() -> None:
    records = [
        record(0.9, cell="rnn", size={"hidden": hidden}, seed=seed, scalars=late if seed < best else early)
        for hidden, best in ((8, 3), (16, 4), (32, 5), (64, 2))
        for seed in range(5 if hidden != 64 else 3)
        for late in [{"train/epochs": 5.0, "train/best_epoch": 5.0}]
        for early in [{"train/epochs": 5.0, "train/best_epoch": 2.0}]
    ]
    assert "still improving: the last epoch was the best one in at least half of the trials" in printed(
        records
    )


def test_a_metric_that_is_no_number_comes_last_and_breaks_nothing() -> None:
    text = printed([record(math.nan, cell="rnn"), record(0.2, cell="gru")])
    assert rows(text, "gru plain")[0][0] == "1"
    assert rows(text, "rnn plain")[0][2] == "NaN"
    assert "no result" in text


def test_settings_are_shown_where_they_tell_models_apart() -> None:
    slow, fast = ({"learning_rate": rate} for rate in (0.1, 0.2))
    text = printed(
        [record(0.8, recipe=slow), record(0.9, recipe=fast), record(0.7, cell="gru", architecture="deep")]
    )
    assert rows(text, "learning_rate=0.2")[0][:4] == ["1", "lstm plain", "learning_rate=0.2", "0.9"]
    assert "settings" not in printed([record(0.8), record(0.7, architecture="deep", size={"layers": 2})])


def test_ways_to_run_one_model_share_its_row() -> None:
    records = [
        record(0.9 + place / 100, execution={"unroll": way})
        for place, way in enumerate(("static", "dynamic", "fused"))
    ]
    text = printed(records)
    assert rows(text, "lstm plain")[0][:4] == ["1", "lstm plain", "0.91", "0.02"]
    assert "differ by" in text


def test_the_cnn_stays_in_sight_below_the_best() -> None:
    records = [record(0.9 + step / 1000, recipe={"epochs": step}) for step in range(1, 17)]
    records.append(record(0.3, architecture="cnn"))
    text = printed(records)
    assert rows(text, "cnn")[0][:2] == ["17", "cnn"]
    assert "and 4 more models" in text


def test_a_narrow_terminal_goes_without_the_least_needed_columns() -> None:
    records = [
        record(0.9, backend=name, architecture="deep_bidirectional") for name in ("numpy", "tensorflow")
    ]
    wide, narrow = printed(records, 160), printed(records, 60)
    assert "differ by" in wide
    assert "differ by" not in narrow
    assert "gradient" not in narrow
    assert rows(narrow, "lstm deep_bidirectional")[0][-1] == "one seed"


@pytest.mark.parametrize(
    ("scalars", "before", "after"),
    [
        (GRADIENTS, "vanishing, 2.6 steps", "stable, ∞"),
        ({"gradient/half_life_steps": 33.0}, "stable", "stable, 33 steps"),
    ],
)
def test_a_gradient_is_told_of_each_snapshot(scalars: dict[str, float], before: str, after: str) -> None:
    (run,) = aggregate([record(0.9, scalars=scalars)])
    assert (gradient_words(run, "start"), gradient_words(run, "end")) == (before, after)


def test_what_is_absent_is_a_dash() -> None:
    made = record(0.9)
    bare = made.model_copy(update={"scalars": {"test/accuracy": 0.9}, "verdicts": {"parity": "ok"}})
    assert rows(printed([bare]), "lstm plain")[0] == [
        "1",
        "lstm plain",
        "0.9",
        "-",
        "-",
        "-",
        "ok",
        "one seed",
    ]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([0.98123], "0.9812"),
        ([0.9, 0.9], "0.9 ± 0 (n=2)"),
        ([0.62, 0.70, 0.78], "0.70 ± 0.20 (n=3)"),
        ([math.nan], "NaN"),
        ([math.nan, 1], "NaN (n=2)"),
    ],
)
def test_estimates(values: list[float], words: str) -> None:
    assert estimate_words(estimate(values)) == words
