"""Formulas as MathML, which browsers draw themselves: no script, no request."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert

PRIME = re.compile(r"<msup>(<mi>\w</mi>)<mi>&#x02032;</mi></msup>")


def mathml(formula: str, display: str = "inline") -> str:
    """A formula in LaTeX as MathML.

    The lines of `gathered` are rows of an array: the converter knows no such environment, and browsers no line
    break in a formula. A prime is raised already: as an exponent it would be so twice.
    """
    known = formula.replace(r"\begin{gathered}", r"\begin{array}{l}").replace(
        r"\end{gathered}", r"\end{array}"
    )
    drawn: str = convert(known, display=display).replace("<mtable>", '<mtable displaystyle="true">')
    return PRIME.sub(r'<mrow>\1<mo lspace="0em" rspace="0em">&#x02032;</mo></mrow>', drawn)


def inline(writer: Any, node: Any) -> None:
    writer.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def block(writer: Any, node: Any) -> None:
    formulas = [part for part in re.split(r"\n\s*\n", node.astext()) if part.strip()]
    for formula in formulas:
        writer.body.append(f'<div class="formula">{mathml(formula, "block")}</div>')
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", inline_renderers=(inline, None), block_renderers=(block, None))
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
