"""Hypothesis for shared machines: equal examples every time, and no deadline, which is a bet on load. Fixtures
that several folders use."""

from __future__ import annotations

from fixtures.cells import example_cells
from hypothesis import settings

__all__ = ["example_cells"]

settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")
