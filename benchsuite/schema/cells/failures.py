"""Errors in a cell's own code name the cell, in every backend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from benchsuite.errors import ContractError


@contextmanager
def cell_errors(name: str) -> Iterator[None]:
    """Around calls of a cell's methods: whatever they raise becomes a ContractError that begins with
    `cell 'NAME': `."""
    try:
        yield
    except Exception as error:  # a plugin may fail in any way
        what = str(error) if isinstance(error, ContractError) else f"{type(error).__name__}: {error}"
        raise ContractError(f"cell {name!r}: {what}") from error
