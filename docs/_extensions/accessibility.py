"""What the theme leaves out for people who use a keyboard or a screen reader."""

from __future__ import annotations

from typing import Any

AFTER_THE_THEME = 900
"""Priority: the theme makes its navigation at the usual one, 500."""


def reachable(body: str) -> str:
    """Blocks of code, which scroll sideways, can be reached by the keyboard."""
    return body.replace("<pre>", '<pre tabindex="0">')


def levelled(navigation: str) -> str:
    """Captions of the navigation say which level of heading they are."""
    return navigation.replace('role="heading">', 'role="heading" aria-level="2">')


def mend(_app: Any, _page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    for name, change in (("body", reachable), ("furo_navigation_tree", levelled)):
        if name in context:
            context[name] = change(context[name])


def setup(app: Any) -> dict[str, bool]:
    app.connect("html-page-context", mend, priority=AFTER_THE_THEME)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
