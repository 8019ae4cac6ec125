"""Frozen suites: matrices with a version, whose trials, seeds and data never change."""

from benchsuite.running.suites.suite import Suite, frozen_suites, load_suite, suite_of

__all__ = ["Suite", "frozen_suites", "load_suite", "suite_of"]
