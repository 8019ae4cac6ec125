"""Links that are called after a file, and no others, take the title of the page."""

from __future__ import annotations

import pytest
from _extensions.page_titles import titled


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("See [cli.md](cli.md).", "See [](cli.md)."),
        ("[records.md](../records.md#parity)", "[](../records.md#parity)"),
        ("[Reports](report.md)", "[Reports](report.md)"),
        ("[cli.md](matrix.md)", "[cli.md](matrix.md)"),
        ("[README.md](https://example.org/README.md)", "[README.md](https://example.org/README.md)"),
    ],
)
def test_links(given: str, expected: str) -> None:
    assert titled(given) == expected
