"""A registry with two small tasks and three backends, for tests of matrices; nothing in it can run."""

from __future__ import annotations

import pluggy

from benchsuite import hookspecs
from benchsuite.contracts import Backend, BackendEntry, Option, Task, TaskEntry
from benchsuite.errors import UnsupportedError
from benchsuite.plugins import Registry


def _no_task() -> Task:
    raise UnsupportedError("a matrix must be checked without loading a task")


def _no_backend() -> Backend:
    raise UnsupportedError("a matrix must be checked without loading a backend")


def small_registry() -> Registry:
    """Tasks alpha (two sources, options, cnn) and beta (one source); backends numpy, torch, jax."""
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    found = Registry(manager)
    for name in ("numpy", "torch", "jax"):
        found.backends[name] = BackendEntry(name, _no_backend, "", (), None)
    found.tasks["alpha"] = TaskEntry(
        "alpha",
        _no_task,
        "first",
        {"tiny": "small", "big": "large"},
        ("tiny",),
        ("plain", "deep", "cnn"),
        {
            "horizon": Option(24, "steps ahead"),
            "view": Option("rows", "what a step sees", ("rows", "columns")),
            "scale": Option(1.0, "factor"),
            "lower": Option(True, "case"),
        },
    )
    found.tasks["beta"] = TaskEntry("beta", _no_task, "second", {"only": "one"}, ("only",))
    return found
