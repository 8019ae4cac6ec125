"""Tables that a paper takes in: they set every text as it is, and they compile."""

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
from benchsuite.report.latex import MOST_LATEX_ROWS, ONE_PAGE, escape, table_latex
from benchsuite.running.study import StoredStudy

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


def test_a_table_has_a_caption_a_label_its_best_in_bold_and_intervals() -> None:
    table = Table(
        "Models & co",
        (Column("model"), Column("accuracy", "number"), Column("sequences/s", "rate")),
        [
            ["lstm", TableCell(0.981, half=0.004, mark="best"), TableCell(1234.0, mark="unsure")],
            ["gru", 0.97, None],
        ],
        "Two models.",
    )
    text = table_latex(table, "tab:models")
    assert r"\begin{tabular}{lrr}" in text
    assert re.findall(r"\\(toprule|midrule|bottomrule)", text) == ["toprule", "midrule", "bottomrule"]
    assert r"lstm & \textbf{0.981 $\pm$ 0.004} & $\sim$\,1{,}234 \\" in text
    assert r"gru & 0.9700 &  \\" in text
    assert r"\caption{Models \& co. Two models.}" in text
    assert r"\label{tab:models}" in text


def test_a_long_table_is_broken_across_pages() -> None:
    rows = [[n] for n in range(ONE_PAGE + 1)]
    text = table_latex(Table("Long", (Column("n", "integer"),), rows), "tab:long")
    assert r"\begin{longtable}{r}" in text
    assert len(re.findall(r"^\d+ \\\\$", text, re.MULTILINE)) == len(rows)


def test_a_column_of_long_texts_is_broken_into_lines() -> None:
    text = table_latex(
        Table("Wide", (Column("text"), Column("n", "integer")), [["word " * 30, 1]]), "tab:wide"
    )
    assert r"\begin{tabular}{>{\raggedright\arraybackslash}p{5.5cm}r}" in text


def test_what_is_left_out_is_told() -> None:
    text = table_latex(Table("Huge", (Column("n", "integer"),), [[n] for n in range(5000)]), "tab:huge")
    assert f"The first {MOST_LATEX_ROWS} of 5{{,}}000 rows" in text


def test_a_table_without_a_row_is_a_table() -> None:
    assert r"\bottomrule" in table_latex(Table("Empty", (Column("n", "integer"),), []), "tab:empty")


def test_every_table_has_a_file_of_its_own_whatever_its_title_is(tmp_path: Path) -> None:
    study = store(tmp_path / "evil", [evil_record(at) for at in range(len(EVIL))], EVIL[5])
    (path,) = write_report([study], tmp_path / "out", ["latex"])
    names = re.findall(r"\\input\{([^}]*)\}", path.read_text(encoding="utf-8"))
    assert names
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in names)
    assert {one.stem for one in path.parent.iterdir()} == {"tables", *names}


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


def document(tables: Path) -> Path:
    """A document that takes in all tables."""
    path = tables.with_name("paper.tex")
    path.write_text(
        "\\documentclass{article}\n\\usepackage[T1]{fontenc}\n\\usepackage{lmodern}\n"
        "\\usepackage{array,booktabs,longtable,textcomp}\n\\extrafloats{200}\n\\begin{document}\n"
        "See Table~\\ref{tab:none}.\n\\input{tables}\n\\end{document}\n",
        encoding="utf-8",
    )
    return path


@pytest.mark.latex
def test_the_tables_of_a_study_compile_in_a_paper(tmp_path: Path) -> None:
    study = StoredStudy.load(varied.study(tmp_path / "varied"))
    (path,) = write_report([study], tmp_path / "out", ["latex"])
    compiled(document(path))


@pytest.mark.latex
def test_the_tables_of_hostile_records_compile(tmp_path: Path) -> None:
    study = store(tmp_path / "evil", [evil_record(at) for at in range(len(EVIL))], EVIL[5])
    (path,) = write_report([study], tmp_path / "out", ["latex"])
    compiled(document(path))
