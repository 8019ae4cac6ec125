"""A plugin's entry is refused where it is made, with what was given and what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from benchsuite.contracts import BackendEntry, CellEntry, ExecutorEntry, TaskEntry
from benchsuite.errors import PluginError


def never(*_arguments: Any) -> Any:
    raise AssertionError


GOOD: dict[Callable[..., Any], dict[str, Any]] = {
    TaskEntry: {
        "name": "mine",
        "load": never,
        "summary": "a task",
        "sources": {"here": "made"},
        "offline": ("here",),
    },
    BackendEntry: {
        "name": "mine",
        "load": never,
        "summary": "a backend",
        "requirements": ("numpy",),
        "extra": None,
    },
    ExecutorEntry: {"name": "mine", "load": never, "summary": "an executor"},
    CellEntry: {
        "name": "mine",
        "load": never,
        "summary": "a cell",
        "source": "a paper",
        "equations": ("h' = h",),
    },
}

BAD: list[tuple[Callable[..., Any], str, Any, str]] = [
    *((kind, "name", "My task", "lower-case letters") for kind in GOOD),
    *((kind, "name", "none", "not 'none'") for kind in GOOD),
    *((kind, "name", 7, "lower-case letters") for kind in GOOD),
    *((kind, "load", "module:name", "a function") for kind in GOOD),
    *((kind, "summary", " ", "a text that is not empty") for kind in GOOD),
    (TaskEntry, "sources", ["here"], "a mapping from text to str"),
    (TaskEntry, "offline", ("there",), "one of here"),
    (TaskEntry, "offline", "here", "a tuple of str"),
    (TaskEntry, "architectures", ("plane",), "one of plain"),
    (TaskEntry, "options", {"x": 3}, "of type Option"),
    (TaskEntry, "files", ({"name": "x"},), "a tuple of DataFile"),
    (TaskEntry, "requirements", "numpy", "a tuple of str"),
    (TaskEntry, "source_requirements", {"there": ()}, "one of here"),
    (TaskEntry, "sources", {}, "not empty"),
    (TaskEntry, "architectures", (), "not empty"),
    (TaskEntry, "extra", 3, "or None"),
    (TaskEntry, "source_requirements", {"here": (3,)}, "a tuple of str"),
    (BackendEntry, "extra", "", "or None"),
    (BackendEntry, "reference", "yes", "True or False"),
    (BackendEntry, "reference_load", "module:name", "a function"),
    (BackendEntry, "requirements", ["numpy"], "a tuple of str"),
    (BackendEntry, "environment", {"A": "1"}, "a function"),
    (ExecutorEntry, "requirements", "submitit", "a tuple of str"),
    (CellEntry, "source", "", "a text that is not empty"),
    (CellEntry, "equations", "h' = h", "a tuple of str"),
]


@pytest.mark.parametrize("kind", GOOD)
def test_a_complete_entry_is_taken(kind: Callable[..., Any]) -> None:
    assert kind(**GOOD[kind]).name == "mine"


@pytest.mark.parametrize(("kind", "field", "value", "allowed"), BAD)
def test_a_bad_field_is_named(kind: Callable[..., Any], field: str, value: object, allowed: str) -> None:
    with pytest.raises(PluginError) as caught:
        kind(**(GOOD[kind] | {field: value}))
    message = str(caught.value)
    assert field in message
    assert allowed in message
