"""Results side by side, and what average ranks tell."""

from __future__ import annotations

from pathlib import Path

from fixtures.blocks import text
from fixtures.records import record

from benchsuite.analysis.machines import Machine
from benchsuite.contracts.report import Block, TableCell
from benchsuite.report.data import TaskResults, collect
from benchsuite.report.layout import cell_of, table_text
from benchsuite.report.pages.over_tasks import over_tasks
from benchsuite.report.pages.results_table import rankings_of_one_machine, results_table
from benchsuite.running.study import StoredStudy
from benchsuite.schema import Record

SCORES = {"lstm": 0.9, "gru": 0.8, "rnn": 0.7}


def scored(task: str, **scores: float) -> list[Record]:
    return [record(value, task=task, cell=cell) for cell, value in scores.items()]


def shown(folder: Path, records: list[Record]) -> list[Block]:
    return list(over_tasks(collect([StoredStudy("s", folder, records)])))


def test_every_model_is_a_row_and_every_task_a_column_with_its_best_marked(tmp_path: Path) -> None:
    records = [*scored("a", **SCORES), *scored("b", gru=0.5), record(0.6, task="b", cell="gru", seed=1)]
    data = collect([StoredStudy("s", tmp_path, records)])
    table = results_table(data.tasks)
    assert [column.name for column in table.columns] == [
        "model",
        "a / tiny: accuracy ↑",
        "b / tiny: accuracy ↑",
    ]
    rows = {row[0]: row[1:] for row in table.rows[:-1]}
    marks = {
        name: [one.mark if isinstance(one, TableCell) and one.value is not None else None for one in row]
        for name, row in rows.items()
    }
    assert marks == {"lstm plain": ["best", None], "gru plain": ["", "best"], "rnn plain": ["", None]}
    assert table_text(table).rows[0][2].text == "–"
    gru = rows["gru plain"][1]
    assert isinstance(gru, TableCell)
    assert gru.half is not None


def test_the_best_baseline_of_each_task_ends_the_table(tmp_path: Path) -> None:
    known = {"majority": {"accuracy": 0.1}, "bag_of_words": {"accuracy": 0.85}}
    records = [
        record(0.8, task="a").model_copy(update={"baselines": known}),
        record(0.9, task="b").model_copy(update={"baselines": {}}),
    ]
    table = results_table(collect([StoredStudy("s", tmp_path, records)]).tasks)
    name, *cells = [cell_of(one) for one in table.rows[-1]]
    assert (name.value, name.mark) == ("best baseline", "dim")
    assert [(one.value, one.title) for one in cells] == [
        (0.85, "bag of words"), (None, "the task has no baseline"),
    ]  # fmt: skip


def test_models_that_are_equal_are_both_the_best(tmp_path: Path) -> None:
    data = collect([StoredStudy("s", tmp_path, scored("a", lstm=1.0, gru=1.0, rnn=0.2))])
    marks = [cell_of(row[1]).mark for row in results_table(data.tasks).rows]
    assert marks == ["best", "best", "", "dim"]


def test_ranks_that_differ_are_told_with_what_cannot_be_told_apart(tmp_path: Path) -> None:
    blocks = shown(tmp_path, [one for task in "abcdefgh" for one in scored(task, **SCORES)])
    said = text(blocks)
    assert "Over 8 tasks lstm plain has the best average rank (1.00)." in said
    assert "Not distinguishable from it over so many tasks: gru plain (Nemenyi, 5 %)." in said


def test_no_model_is_called_best_where_ranks_do_not_differ(tmp_path: Path) -> None:
    said = text(shown(tmp_path, [one for task in "abc" for one in scored(task, lstm=0.5, gru=0.5, rnn=0.5)]))
    assert "Friedman's test finds no difference between the ranks of the 3 models" in said
    assert "best average rank" not in said


def test_tasks_of_a_second_machine_do_not_count_twice(tmp_path: Path) -> None:
    records = [one for task in "abc" for one in scored(task, **SCORES)]
    made = collect([StoredStudy("s", tmp_path, records)]).tasks
    other = [
        TaskResults(b.key, b.title, Machine((("hardware.cpu", "x"),)), b.entries, b.ranking) for b in made[:2]
    ]
    assert len(rankings_of_one_machine([*made, *other])) == 3


def test_what_seeds_do_not_tell_from_the_best_is_marked_as_tied(tmp_path: Path) -> None:
    seeds = {"lstm": (0.80, 0.82, 0.81), "gru": (0.79, 0.83, 0.80), "rnn": (0.10, 0.12, 0.11)}
    records = [
        record(value, task="a", cell=cell, seed=at)
        for cell, values in seeds.items()
        for at, value in enumerate(values)
    ]
    table = results_table(collect([StoredStudy("s", tmp_path, records)]).tasks)
    assert [(row[0], cell_of(row[1]).mark) for row in table.rows[:-1]] == [
        ("lstm plain", "best"), ("gru plain", "tied"), ("rnn plain", ""),
    ]  # fmt: skip
    assert "≈ is not distinguishable" in table.note
