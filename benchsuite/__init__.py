"""benchsuite: which recurrent cell, architecture, framework and device for a sequence task, in numbers
that a reader can trust and regenerate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchsuite.hookspecs import hookimpl

if TYPE_CHECKING:
    from benchsuite.plugins import load_backend
    from benchsuite.running.study import Study, run

__all__ = ["Study", "hookimpl", "load_backend", "run"]


def __getattr__(name: str) -> Any:
    """All but `hookimpl` is imported when first asked for: plugins and workers need none of it."""
    if name == "load_backend":
        from benchsuite import plugins

        return plugins.load_backend
    if name in ("run", "Study"):
        from benchsuite.running import study

        return getattr(study, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
