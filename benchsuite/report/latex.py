"""The report's tables for a paper: a file for each, with booktabs, and a document that holds all of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchsuite.contracts.report import Bullets, Cards, Command, Facts, Paragraph, Table
from benchsuite.report.flow import Part, bare, cut, document_pages, facts_words, parts, place
from benchsuite.report.layout import CellText, Heading, table_text
from benchsuite.report.site import Site
from benchsuite.report.slugs import Names

LINES = 30
"""Lines of a table on one page; a longer one goes on in another."""
MOST_PARTS = 10
WIDE = 36
"""Characters above which a column of text is broken into lines."""
BROKEN = r">{\raggedright\arraybackslash}p{5.5cm}"

PREAMBLE = r"""\documentclass[10pt]{article}
\usepackage[a4paper,landscape,margin=18mm]{geometry}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{lmodern}
\usepackage{textcomp}
\usepackage{booktabs}
\usepackage{graphicx}
\usepackage{array}
\setlength{\parindent}{0pt}
\setlength{\parskip}{4pt}
\setcounter{topnumber}{9}
\setcounter{totalnumber}{9}
\renewcommand{\topfraction}{0.95}
\renewcommand{\textfraction}{0.05}
\renewcommand{\floatpagefraction}{0.7}
\begin{document}
"""

_ASCII = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "%": r"\%", "&": r"\&", "#": r"\#",
    "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}",
    "'": r"\textquotesingle{}", "[": "{[}", "]": "{]}", "*": "{*}", "-": "{-}", ",": "{,}", "!": "{!}",
    "?": "{?}",
}  # fmt: skip
"""Signs that mean something, alone or with their like beside them: `--`, `,,` and `!` before a quote are
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
    """A text that LaTeX (pdflatex in T1, and others) sets as it is. A sign that its fonts lack is told by its
    number, as in [U+1F600]."""
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
    """Write `latex/report.tex`, which can be compiled, and `latex/tables/*.tex`, which a paper can take in."""
    folder = output / "latex"
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    names = Names()
    lines = [PREAMBLE, rf"\section*{{{escape(cut(site.title))}}}"]
    for page in document_pages(site):
        lines.append(rf"\section*{{{escape(cut(page.title))}}}")
        if page.lead:
            lines.append(f"{escape(cut(bare(page.lead), 4000))}\n")
        for part in parts(page):
            lines += _part(part, folder, names, place(page))
        lines.append("\\clearpage\n")
    lines.append("\\end{document}\n")
    path = folder / "report.tex"
    path.write_text("\n".join(lines), encoding="utf-8")
    return [path]


def _part(part: Part, folder: Path, names: Names, where: str) -> Iterator[str]:
    if part.title:
        yield rf"\subsection*{{{escape(cut(part.title))}}}"
    for block in part.blocks:
        if isinstance(block, Table):
            for text in tables(block):
                name = names.take(f"{where} {block.title}")
                (folder / "tables" / f"{name}.tex").write_text(text, encoding="utf-8")
                yield rf"\input{{tables/{name}}}"
        else:
            yield from _text(block)


def _text(block: Paragraph | Bullets | Facts | Command | Cards) -> Iterator[str]:
    if isinstance(block, Paragraph):
        mark = r"\textbf{Caution:} " if block.tone == "warning" else ""
        yield f"{mark}{escape(cut(bare(block.text), 4000))}\n"
    elif isinstance(block, Command):
        yield f"\\texttt{{{escape(cut(block.text, 4000))}}}\n"
    elif isinstance(block, Facts):
        yield f"{escape(facts_words(block))}\n"
    else:
        items = list(_items(block))
        if items:
            yield "\\begin{itemize}"
            yield from (rf"\item {item}" for item in items)
            yield "\\end{itemize}"


def _items(block: Bullets | Cards) -> Iterator[str]:
    if isinstance(block, Bullets):
        yield from (escape(cut(bare(item), 4000)) for item in block.items)
    else:
        for card in block.cards:
            told = f" ({escape(cut(card.figure))})" if card.figure else ""
            lines = " ".join(escape(cut(bare(line.text), 4000)) for line in card.lines)
            yield rf"\textbf{{{escape(cut(card.title))}}}: {escape(cut(bare(card.answer)))}{told}. {lines}"


def tables(table: Table) -> Iterator[str]:
    """The table as one `table` environment, or as several where it is long. The best of a column is bold, half
    of an interval stands behind its value."""
    laid = table_text(table, LINES * MOST_PARTS)
    wide = [not head.numeric and any(len(row[at].text) > WIDE for row in laid.rows) for at, head in
            enumerate(laid.headings)]  # fmt: skip
    pieces = _pieces(laid.rows, wide)[:MOST_PARTS]
    shown = sum(len(piece) for piece in pieces)
    for number, rows in enumerate(pieces, 1):
        title = escape(cut(table.title))
        if len(pieces) > 1:
            title += f" (part {number} of {len(pieces)})"
        if number == len(pieces) and len(table.rows) > shown:
            title += f", the first {shown} of {len(table.rows)} rows"
        yield _environment(title, laid.headings, rows, wide, table.note)


def _pieces(rows: Sequence[Sequence[CellText]], wide: Sequence[bool]) -> list[list[Sequence[CellText]]]:
    """The rows in pieces of about LINES lines; at least one piece, which may be empty."""
    pieces: list[list[Sequence[CellText]]] = [[]]
    lines = 0
    for row in rows:
        height = max(1, *(-(-len(cut(one.text)) // WIDE) if wide[at] else 1 for at, one in enumerate(row)))
        if pieces[-1] and lines + height > LINES:
            pieces.append([])
            lines = 0
        pieces[-1].append(row)
        lines += height
    return pieces


def _environment(
    title: str,
    headings: Sequence[Heading],
    rows: Sequence[Sequence[CellText]],
    wide: Sequence[bool],
    note: str,
) -> str:
    columns = "".join(
        BROKEN if broken else "r" if head.numeric else "l"
        for head, broken in zip(headings, wide, strict=True)
    )
    lines = [
        "% needs the packages booktabs, graphicx, array and textcomp",
        r"\begin{table}[!htbp]",
        r"\centering",
        rf"\caption{{{title}}}",
        r"\smallskip\small",
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        " & ".join(escape(cut(head.text)) for head in headings) + r" \\",
        r"\midrule",
        *(" & ".join(_cell(one) for one in row) + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}}",
    ]
    if note:
        lines.append(rf"\par\smallskip\footnotesize {escape(cut(note, 4000))}")
    return "\n".join([*lines, r"\end{table}", ""])


def _cell(one: CellText) -> str:
    text = escape(cut(one.text))
    if text and one.cell.mark == "best":
        text = rf"\textbf{{{text}}}"
    if text and one.cell.mark == "unsure":
        text = rf"$\sim$\,{text}"
    return rf"{text} $\pm$ {escape(one.half)}" if one.half else text
