"""Data inside a page, in a script element that a browser does not run: nothing in it can end the element."""

from __future__ import annotations

import json
import math
from typing import Any

from markupsafe import Markup

_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_TABLE = str.maketrans(_ESCAPES)


def embedded(data: Any) -> Markup:
    """JSON, compact, whose text holds none of `< > &`. Floats that are not finite become null."""
    text = json.dumps(finite(data), separators=(",", ":"), ensure_ascii=False, default=str)
    return Markup(text.translate(_TABLE))


def finite(data: Any) -> Any:
    """The same with None in place of NaN and infinities, to any depth."""
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, dict):
        return {str(key): finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [finite(value) for value in data]
    return data


def rounded(value: float, digits: int = 6) -> float | str:
    """A number of a table's data to six significant digits, which is more than is shown; as a text when it is
    not finite, so that it can be shown and sorted all the same."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return float(f"{value:.{digits}g}")
