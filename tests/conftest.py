"""Hypothesis for shared machines: equal examples every time, and no deadline, which is a bet on load."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")
