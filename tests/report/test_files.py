"""Tables as files: all values, full precision, nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts.report import Column, Table, TableCell
from benchsuite.report.files import inert, plain_rows, write_csv

TABLE = Table(
    "models",
    (Column("model"), Column("accuracy", "number"), Column("seen", "text")),
    [
        [TableCell("lstm", page="trial:1"), TableCell(0.123456789012345, half=0.01, text="good"), True],
        [TableCell(None, "no name"), None, 'x, "y"\nz'],
    ],
)


def test_values_are_bare_and_intervals_have_a_column_of_their_own() -> None:
    names, rows = plain_rows(TABLE)
    assert names == ["model", "accuracy", "accuracy ± (95 %)", "seen"]
    assert rows == [["lstm", 0.123456789012345, 0.01, True], ["no name", None, None, 'x, "y"\nz']]


def test_csv_keeps_every_digit_and_every_sign(tmp_path: Path) -> None:
    with write_csv(TABLE, tmp_path / "a" / "models.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[1] == ["lstm", "0.123456789012345", "0.01", "True"]
    assert rows[2] == ["no name", "", "", 'x, "y"\nz']


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "%0A=1", "|x"])
def test_what_looks_like_a_formula_is_a_text(text: str) -> None:
    assert inert(text).startswith("'")


@pytest.mark.parametrize(("value", "text"), [(-1.5, "-1.5"), (None, ""), (3, "3"), (float("nan"), "nan")])
def test_numbers_stay_numbers(value: float | None, text: str) -> None:
    assert inert(value) == text


@given(st.lists(st.text(), min_size=1, max_size=5))
def test_any_text_comes_back_from_a_file_and_begins_no_formula(texts: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        table = Table("t", (Column("x"),), [[text] for text in texts])
        with write_csv(table, Path(folder) / "t.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))[1:]
    assert len(rows) == len(texts)
    for row in rows:
        assert not (row and row[0].startswith(("=", "+", "-", "@", "\t", "\r")))
