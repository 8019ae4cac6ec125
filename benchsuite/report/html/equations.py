"""LaTeX as MathML, which browsers draw by themselves."""

from __future__ import annotations

from contextlib import suppress
from functools import cache

from markupsafe import Markup, escape


@cache
def mathml(line: str) -> Markup:
    """An equation of its own line. LaTeX that cannot be read is shown as it is, and so is one with a sign that
    HTML would take for its own."""
    from latex2mathml.converter import convert

    if not set(line) & set("<>&"):
        with suppress(Exception):  # the line is a plugin's, and the converter raises whatever it meets
            return Markup(convert(line, display="block"))
    return Markup("<code>{}</code>").format(escape(line))
