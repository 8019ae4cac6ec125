"""The final table, read as text."""

from __future__ import annotations

import io
import math

import pytest
from fixtures.records import record
from rich.console import Console

from benchsuite.analysis.ranking import rankings
from benchsuite.analysis.seeds import estimate
from benchsuite.cli.summary import bytes_words, estimate_words, failed, print_summary, problems
from benchsuite.schema import Record, Status


def printed(records: list[Record], width: int = 160) -> str:
    stream = io.StringIO()
    print_summary(Console(file=stream, width=width, highlight=False), records)
    return stream.getvalue()


def rows(text: str, word: str) -> list[list[str]]:
    """Cells of the lines that hold `word`; cells stand at least two blanks apart."""
    return [
        [cell.strip() for cell in line.split("  ") if cell.strip()]
        for line in text.splitlines()
        if word in line
    ]


def test_the_best_stands_first_with_all_its_measures() -> None:
    text = printed([record(0.8, cell="rnn"), record(0.9, cell="lstm")])
    assert rows(text, "lstm plain") == [
        ["1", "lstm plain", "0.9", "numpy", "1,234", "300 MiB", "stable", "3.5 steps", "ok 0.12", "one seed"]
    ]
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
    text = printed([record(value, seed=seed) for seed, value in enumerate((0.80, 0.82, 0.84))])
    [row] = rows(text, "lstm plain")
    assert "0.82 ± 0.05 (n=3)" in row


def test_one_seed_shows_no_interval() -> None:
    assert "±" not in printed([record(0.9)])


def test_a_metric_that_is_no_number_stands_last_and_breaks_nothing() -> None:
    text = printed([record(math.nan, cell="rnn"), record(0.2, cell="gru")])
    assert rows(text, "gru plain")[0][0] == "1"
    assert rows(text, "rnn plain")[0][2] == "nan"


def test_what_is_not_at_parity_is_never_in_the_table() -> None:
    breach = record(0.99, parity="breach", cell="gru", reason="gradient/rnn.l0.fwd.Wh breaks parity")
    text = printed([record(0.5), breach])
    assert rows(text, "gru plain") == [[f"{breach.trial.label} [{breach.trial_id}]"]]
    assert "parity breach: 1" in text
    assert "gradient/rnn.l0.fwd.Wh breaks parity (1 trial)" in text


def test_what_went_wrong_is_listed_by_reason_gravest_first() -> None:
    records = [record(None, Status.SKIPPED, reason="no CUDA device", seed=seed) for seed in range(9)]
    records += [record(None, Status.FAILED, cell="gru", reason="ValueError: bad\nmore")]
    records += [record(None, Status.DIVERGED, cell="rnn", reason="loss is NaN at step 3")]
    records += [record(None, Status.TIMEOUT, backend="torch", reason="took more than 3 s")]
    found = problems(records)
    assert [heading for heading, _ in found] == ["failed: 1", "timeout: 1", "diverged: 1", "skipped: 9"]
    skipped = found[-1][1]
    assert skipped[0] == "no CUDA device (9 trials)"
    assert skipped[-1] == "  and 4 more"
    assert found[0][1][0] == "ValueError: bad (1 trial)"


def test_a_study_of_failures_alone_prints_no_table() -> None:
    text = printed([record(None, Status.FAILED, reason="broken")])
    assert "accuracy" not in text
    assert "failed: 1" in text


def test_no_records_are_said_so() -> None:
    assert printed([]).strip() == "no records"


def test_settings_are_shown_where_they_tell_models_apart() -> None:
    slow, fast = {"recipe": {"learning_rate": 0.1}}, {"recipe": {"learning_rate": 0.2}}
    text = printed([record(0.8, **slow), record(0.9, **fast), record(0.7, cell="gru", architecture="deep")])
    assert rows(text, "learning_rate=0.2")[0][:4] == ["1", "lstm plain", "learning_rate=0.2", "0.9"]
    assert "settings" not in printed([record(0.8), record(0.7, architecture="deep", size={"layers": 2})])


def test_ways_to_run_one_model_share_its_row_and_the_fastest_speaks_for_it() -> None:
    speeds = {"static": 10.0, "dynamic": 90.0, "fused": 50.0}
    records = [
        record(0.9 + place / 100, execution={"unroll": way}, scalars={"speed/sequences_per_second": speed})
        for place, (way, speed) in enumerate(speeds.items())
    ]
    text = printed(records)
    [model, speed] = rows(text, "lstm plain")
    assert model[:6] == ["1", "lstm plain", "0.91", "0.02", "numpy unroll=dynamic", "90"]
    assert speed == ["lstm plain", "90", "50", "10"]
    assert "numpy unroll=fused" in text


def test_a_time_that_was_not_waited_for_wins_nothing() -> None:
    honest = record(0.9, backend="numpy", scalars={"speed/sequences_per_second": 100.0})
    hasty = record(0.9, backend="torch", scalars={"speed/sequences_per_second": 9999.0})
    hasty = hasty.model_copy(update={"verdicts": {**hasty.verdicts, "speed": "unsynchronised"}})
    [section] = rankings([hasty, honest])
    assert [run.trial.backend for run in section.models[0].runs] == ["numpy", "torch"]


def test_options_split_a_task_and_are_told_in_the_title() -> None:
    records = [record(0.8, options={"view": "rows", "head": "dense"})]
    records += [record(0.7, options={"view": "pixels", "head": "dense"})]
    assert len(rankings(records)) == 2
    text = printed(records)
    assert "digits / tiny view=rows\n" in "\n".join(line.rstrip() for line in text.splitlines()) + "\n"
    assert "head=" not in text


def test_the_cnn_stays_in_sight_below_the_best() -> None:
    records = [record(0.9 + step / 1000, recipe={"epochs": step}) for step in range(1, 17)]
    records.append(record(0.3, architecture="cnn"))
    text = printed(records)
    assert rows(text, "cnn")[0][:2] == ["17", "cnn"]
    assert "and 4 more models" in text


def test_backends_are_compared_in_a_table_of_speeds() -> None:
    records = [
        record(0.9, backend=name, scalars={"speed/sequences_per_second": speed})
        for name, speed in (("numpy", 100.0), ("torch", 2500.0))
    ]
    assert ["lstm plain", "100", "2,500"] in rows(printed(records), "lstm plain")


def test_the_kernels_that_ran_stand_below_the_speeds() -> None:
    ran = {"numpy": "python_loop", "torch": "onednn"}
    records = [
        record(0.9, backend=name).model_copy(update={"kernel": kernel}) for name, kernel in ran.items()
    ]
    assert "kernels: numpy python_loop; torch onednn" in printed(records)


def test_an_unsteady_timing_is_marked() -> None:
    shaky = record(0.9)
    shaky = shaky.model_copy(update={"verdicts": {**shaky.verdicts, "speed": "unstable"}})
    text = printed([shaky])
    assert "~1,234" in text
    assert "not steady" in text
    assert "not steady" not in printed([record(0.9)])


def test_a_narrow_terminal_goes_without_the_least_needed_columns() -> None:
    records = [
        record(0.9, backend=name, architecture="deep_bidirectional") for name in ("numpy", "tensorflow")
    ]
    wide, narrow = printed(records, 120), printed(records, 80)
    assert "differ by" in wide
    assert "differ by" not in narrow
    assert "half-life" not in narrow
    assert rows(narrow, "lstm deep_bidirectional")[0][-2:] == ["ok 0.12", "one seed"]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_any_width_will_do(width: int) -> None:
    lines = printed(
        [record(0.9), record(None, Status.FAILED, cell="gru", reason="x" * 300)], width
    ).splitlines()
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([record()], False),
        ([record(), record(None, Status.FAILED, cell="gru")], True),
        ([record(None, Status.TIMEOUT)], True),
        ([record(None, Status.KILLED)], True),
        ([record(parity="breach")], True),
        ([record(None, Status.SKIPPED)], False),
        ([record(None, Status.DIVERGED)], False),
        ([], False),
    ],
)
def test_what_makes_a_run_end_with_one(records: list[Record], expected: bool) -> None:
    assert failed(records) is expected


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 B"), (2048, "2 KiB"), (300 * 2**20, "300 MiB"), (1.5 * 2**30, "1.5 GiB"), (math.nan, "")],
)
def test_bytes(count: float, words: str) -> None:
    assert bytes_words(count) == words


@pytest.mark.parametrize(
    ("values", "words"),
    [([0.98123], "0.9812"), ([0.9, 0.9], "0.9 ± 0 (n=2)"), ([math.nan], "nan"), ([math.nan, 1], "nan (n=2)")],
)
def test_estimates(values: list[float], words: str) -> None:
    assert estimate_words(estimate(values)) == words
