"""Scripted workers stay warm through the tests of a file, and end after them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fixtures.inline_scheduler import POOL


@pytest.fixture(scope="module", autouse=True)
def warm_workers() -> Iterator[None]:
    yield
    POOL.close()
