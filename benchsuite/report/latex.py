"""The report's tables for a paper: a file for each, to be taken in by \\input, with a caption and a label."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from benchsuite.contracts.report import Table
from benchsuite.report.flow import cut, document_pages, parts, place
from benchsuite.report.layout import CellText, table_text
from benchsuite.report.site import Site
from benchsuite.report.slugs import UniqueSlugs

if TYPE_CHECKING:
    import pandas as pd

MOST_LATEX_ROWS = 300
"""Rows of a table; the site's CSV files have all of them."""
ONE_PAGE = 40
"""Rows above which a table may be broken across pages."""
WIDE_TEXT = 36
"""Characters above which a column of text is broken into lines."""
BROKEN = r">{\raggedright\arraybackslash}p{5.5cm}"
PACKAGES = "% needs \\usepackage{array,booktabs,longtable,textcomp}"
SIGNS = {"unsure": r"\sim", "tied": r"\approx"}
"""Before values that are marked so."""
BOLD = "textbf:--rwrap;"
"""Pandas' spelling of \\textbf{...} around a cell."""

_ASCII = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "%": r"\%", "&": r"\&", "#": r"\#",
    "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}", "[": "{[}", "]": "{]}", "*": "{*}", "-": "{-}", ",": "{,}", "!": "{!}",
    "?": "{?}",
}  # fmt: skip
"""Characters that mean something to TeX, alone or repeated: `--`, `,,` and `!` before a quote are
ligatures; `*` and `[` are arguments of a line's end."""
_OTHER = {
    "−": "$-$", "±": r"$\pm$", "×": r"$\times$", "·": r"$\cdot$", "≥": r"$\geq$", "≤": r"$\leq$",
    "≈": r"$\approx$", "∞": r"$\infty$", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "→": r"$\rightarrow$",
    "←": r"$\leftarrow$", "µ": r"$\mu$", "μ": r"$\mu$", "Δ": r"$\Delta$", "∂": r"$\partial$", "…": r"\ldots{}",
    "–": r"\textendash{}", "—": r"\textemdash{}", "‘": r"\textquoteleft{}", "’": r"\textquoteright{}",
    "“": r"\textquotedblleft{}", "”": r"\textquotedblright{}", "°": r"\textdegree{}",
    "²": r"\textsuperscript{2}", "³": r"\textsuperscript{3}", "ₜ": r"\textsubscript{t}",
    "€": r"\texteuro{}", "§": r"\S{}", "\xa0": "~",
}  # fmt: skip
_PLAIN = (" ", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:;()/+=@")


def escape(text: str) -> str:
    """A text that LaTeX (pdflatex in T1, and others) sets as it is. A character that its fonts lack is given
    by its number, as in [U+1F600]."""
    return "".join(_sign(sign) for sign in text)


def _sign(sign: str) -> str:
    if sign in _PLAIN[1] or sign == " ":
        return sign
    if sign in _ASCII:
        return _ASCII[sign]
    if sign in _OTHER:
        return _OTHER[sign]
    if sign < " " or "\x7f" <= sign < "\xa0":
        return " "
    if "À" <= sign <= "ÿ" and sign not in "×÷":
        return sign
    parts = unicodedata.normalize("NFKD", sign)
    base = "".join(part for part in parts if not unicodedata.combining(part))
    if base != sign and base and base.isascii():
        return "".join(_sign(each) for each in base)
    return f"{{[}}U+{ord(sign):04X}{{]}}"


def write_latex(site: Site, output: Path) -> list[Path]:
    """Write `latex/<name>.tex`, one file per table of the pages that a document has, and `latex/tables.tex`,
    which takes in all of them; returns the latter."""
    folder = output / "latex"
    folder.mkdir(parents=True, exist_ok=True)
    names = UniqueSlugs()
    found = [
        (names.take(f"{place(page)} {block.title}"), block)
        for page in document_pages(site)
        for part in parts(page)
        for block in part.blocks
        if isinstance(block, Table)
    ]
    for name, table in found:
        (folder / f"{name}.tex").write_text(table_latex(table, f"tab:{name}"), encoding="utf-8")
    path = folder / "tables.tex"
    lines = [PACKAGES, *(rf"\input{{{name}}}" for name, _ in found), ""]
    path.write_text("\n".join(lines), encoding="utf-8")
    return [path]


def table_latex(table: Table, label: str) -> str:
    """The table as a `table` environment, or as a `longtable` where it is long: the best of a column in bold,
    half of an interval behind its value."""
    import pandas as pd

    made = table_text(table, MOST_LATEX_ROWS)
    wide = [
        not head.numeric and any(len(row[at].text) > WIDE_TEXT for row in made.rows)
        for at, head in enumerate(made.headings)
    ]
    rows = [[_cell(one) for one in row] for row in made.rows]
    frame = pd.DataFrame(rows, columns=range(len(made.headings)), dtype=object)
    best = [[BOLD if one.cell.mark == "best" and one.text else "" for one in row] for row in made.rows]
    styler = frame.style.hide(axis="index").apply(_marked, axis=None, marks=best)
    names: dict[object, str] = {at: escape(cut(head.text)) for at, head in enumerate(made.headings)}
    styler = styler.format_index(lambda at: names[at], axis="columns")
    long = len(made.rows) > ONE_PAGE
    text: str = styler.to_latex(
        column_format="".join(
            BROKEN if broken else "r" if head.numeric else "l"
            for broken, head in zip(wide, made.headings, strict=True)
        ),
        caption=_caption(table, len(made.rows)),
        label=label,
        position="htbp" if not long else None,
        position_float="centering" if not long else None,
        hrules=True,
        environment="longtable" if long else "table",
    )
    return f"{PACKAGES}\n{text}"


def _marked(frame: pd.DataFrame, marks: list[list[str]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(marks, index=frame.index, columns=frame.columns, dtype=object)


def _caption(table: Table, shown: int) -> str:
    said = [cut(table.title)]
    if table.note:
        said.append(cut(table.note, 4000))
    if len(table.rows) > shown:
        said.append(f"The first {shown} of {len(table.rows):,} rows.")
    return escape(". ".join(one.rstrip(".") for one in said if one) + ".")


def _cell(one: CellText) -> str:
    text = escape(cut(one.text))
    if text and one.cell.mark in SIGNS:
        text = rf"${SIGNS[one.cell.mark]}$\,{text}"
    return rf"{text} $\pm$ {escape(one.half)}" if one.half else text
