"""LaTeX that sets every text as it is, and that compiles."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from fixtures import varied
from fixtures.hostile import EVIL, evil_record, store
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts.report import Column, Table, TableCell
from benchsuite.report import write_report
from benchsuite.report.latex import LINES, escape, tables
from benchsuite.running.study import Study

ENGINES = (
    ("pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape"),
    ("tectonic", "--untrusted"),
)


@given(st.text(max_size=80))
def test_no_text_leaves_a_sign_that_means_something(text: str) -> None:
    """What remains after taking out every escaped sign has no meaning for TeX."""
    left = re.sub(r"\\(?:[a-zA-Z]+\{[^{}]*\}|[{}$%&#_]|S\{\})", "", escape(text))
    left = re.sub(r"\$(?:-|\\[a-zA-Z]+)\$", "", left)
    left = re.sub(r"\{[-\[\]*,!?]\}", "", left)
    assert not set(left) & set("\\{}$%&#_^<>|\"`'*,\n\r"), left
    assert all(ord(sign) < 256 for sign in left)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a_b & 50 %", r"a\_b \& 50 \%"),
        ("0.98 ± 0.01", r"0.98 $\pm$ 0.01"),
        ("3e−5", "3e$-$5"),
        ("--x", "{-}{-}x"),
        ("Géron", "Géron"),
        ("ā", "a"),
        ("😀", "{[}U+1F600{]}"),
        (r"\input{/etc/passwd}", r"\textbackslash{}input\{/etc/passwd\}"),
    ],
)
def test_texts_are_escaped(text: str, expected: str) -> None:
    assert escape(text) == expected


def test_a_table_has_booktabs_its_best_in_bold_and_intervals() -> None:
    table = Table(
        "Models",
        (Column("model"), Column("accuracy", "number"), Column("sequences/s", "rate")),
        [
            ["lstm", TableCell(0.981, half=0.004, mark="best"), TableCell(1234.0, mark="unsure")],
            ["gru", 0.97, None],
        ],
    )
    (text,) = tables(table)
    assert r"\begin{tabular}{lrr}" in text
    assert re.findall(r"\\(toprule|midrule|bottomrule)", text) == ["toprule", "midrule", "bottomrule"]
    assert r"lstm & \textbf{0.981} $\pm$ 0.004 & $\sim$\,1{,}234 \\" in text
    assert r"gru & 0.9700 &  \\" in text
    assert r"\caption{Models}" in text


def test_a_long_table_goes_on_in_further_ones() -> None:
    rows = [[n] for n in range(2 * LINES + 1)]
    found = list(tables(Table("Long", (Column("n", "integer"),), rows)))
    assert len(found) == 3
    assert "Long (part 2 of 3)" in found[1]
    assert sum(len(re.findall(r"^\d+ \\\\$", text, re.MULTILINE)) for text in found) == len(rows)


def test_lines_that_are_broken_count_for_the_page() -> None:
    long = "word " * 30
    found = list(tables(Table("Wide", (Column("text"),), [[long]] * LINES)))
    assert len(found) > 3
    assert r"p{5.5cm}" in found[0]


def test_what_is_left_out_is_told() -> None:
    found = list(tables(Table("Huge", (Column("n", "integer"),), [[n] for n in range(5000)])))
    assert len(found) == 10
    assert f"the first {10 * LINES} of 5000 rows" in found[-1]


def engine() -> tuple[str, ...]:
    for command in ENGINES:
        if shutil.which(command[0]):
            return command
    pytest.skip("neither pdflatex (texlive-latex-recommended, lmodern) nor tectonic is installed")


def compiled(path: Path) -> str:
    """The log of a run that made a PDF."""
    done = subprocess.run(
        [*engine(), path.name], cwd=path.parent, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert path.with_suffix(".pdf").stat().st_size > 10_000
    return done.stdout


@pytest.mark.latex
def test_a_study_compiles_without_a_line_too_wide(tmp_path: Path) -> None:
    study = Study.load(varied.study(tmp_path / "varied"))
    (path,) = write_report([study], tmp_path / "out", ["latex"])
    assert "Overfull" not in compiled(path)


@pytest.mark.latex
def test_a_study_of_hostile_records_compiles(tmp_path: Path) -> None:
    study = store(tmp_path / "evil", [evil_record(at) for at in range(len(EVIL))], EVIL[5])
    (path,) = write_report([study], tmp_path / "out", ["latex"])
    compiled(path)
    inputs = re.findall(r"\\input\{([^}]*)\}", path.read_text(encoding="utf-8"))
    assert inputs
    assert all(re.fullmatch(r"tables/[a-z0-9-]+", name) for name in inputs)
