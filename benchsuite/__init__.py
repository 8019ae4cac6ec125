"""benchsuite: which recurrent cell, architecture, framework and device for a sequence task, in numbers
that a reader can trust and regenerate."""

from __future__ import annotations

from benchsuite.hookspecs import hookimpl

__all__ = ["hookimpl"]
