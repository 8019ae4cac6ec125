"""Environments of backends: Python environments that benchsuite makes, one per backend, and finds again."""

from __future__ import annotations

from benchsuite.running.environments.creation import Wanted, create
from benchsuite.running.environments.registration import (
    Environment,
    environments_folder,
    find,
    interpreters,
    registered,
    remove,
    serving,
)

__all__ = [
    "Environment",
    "Wanted",
    "create",
    "environments_folder",
    "find",
    "interpreters",
    "registered",
    "remove",
    "serving",
]
