"""benchsuite: which recurrent cell, architecture, framework and device for a sequence task, in numbers
that a reader can trust and regenerate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchsuite.hookspecs import hookimpl

if TYPE_CHECKING:
    from benchsuite.api.run import run
    from benchsuite.api.study import Study
    from benchsuite.plugins import load_backend

__all__ = ["Study", "hookimpl", "load_backend", "run"]


def __getattr__(name: str) -> Any:
    """All but `hookimpl` is imported when first asked for: plugins and workers need none of it."""
    if name == "load_backend":
        from benchsuite import plugins

        return plugins.load_backend
    if name == "run":
        from benchsuite.api.run import run

        return run
    if name == "Study":
        from benchsuite.api.study import Study

        return Study
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
