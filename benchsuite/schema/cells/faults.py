"""Errors raised in a cell's code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from benchsuite.errors import ContractError


@contextmanager
def naming_cell(name: str, part: str) -> Iterator[None]:
    """What is raised inside, in `part` of the cell called `name`, becomes a ContractError that names both.

    :param part: `step()`, `inputs()`, ...
    """
    try:
        yield
    except Exception as error:  # a plugin may fail in any way
        kind = "" if isinstance(error, ContractError) else f"{type(error).__name__}: "
        raise ContractError(f"cell {name!r}: {part}: {kind}{error}") from error
