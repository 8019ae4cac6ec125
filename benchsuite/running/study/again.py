"""A study of trials that were run again: what `reproduce` keeps, so that it can be published too."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchsuite.errors import RequestError
from benchsuite.measure.provenance.machine import environment
from benchsuite.plugins import registry
from benchsuite.running.store import StudyStore

REPRODUCES = "reproduces"
"""What study.json names the study by whose trials were run again."""


@contextlib.contextmanager
def kept_again(folder: Path, source: Mapping[str, Any]) -> Iterator[StudyStore]:
    """The store of a new study in `folder`, for the records of trials that are run again. It has the matrix of
    the study that it reproduces.

    :param source: what study.json of that study holds.

    Raises RequestError where `folder` holds a study, StoreError where it cannot be one.
    """
    store = StudyStore(folder)
    if store.is_described:
        raise RequestError(
            f"{folder} holds a study already; what is run again belongs into a study of its own: choose "
            "another name"
        )
    with store.writing():
        kept = {name: source[name] for name in ("matrix", "asked") if name in source}
        plugins = [asdict(plugin) for plugin in registry().plugins]
        reproduces = {name: source.get(name, "") for name in ("name", "id")}
        store.describe({**kept, "plugins": plugins, "environment": environment(), REPRODUCES: reproduces})
        yield store
