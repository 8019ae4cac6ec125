"""Pages below docs/es are Spanish, and say so to browsers and screen readers."""

from __future__ import annotations

from typing import Any


def set_language(_app: Any, page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    if page.startswith("es/"):
        context["language"] = "es"


def setup(app: Any) -> dict[str, bool]:
    app.connect("html-page-context", set_language)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
