"""A data file that is not pinned is refused where it is named."""

from __future__ import annotations

from typing import Any

import pytest

from benchsuite.contracts import DataFile
from benchsuite.errors import PluginError

GOOD: dict[str, Any] = {
    "name": "a.txt",
    "url": "https://example.org/a.txt",
    "sha256": "0" * 64,
    "bytes": 3,
    "licence": "CC0-1.0",
}


def test_a_pinned_file_is_taken() -> None:
    assert DataFile(**GOOD).name == "a.txt"
    assert DataFile(**{**GOOD, "url": ""}).url == ""


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("name", "../a.txt", "a file's name, no path"),
        ("name", "", "a file's name, no path"),
        ("url", "ftp://example.org/a.txt", "an address that begins with https://"),
        ("url", None, "an address"),
        ("sha256", "A" * 64, "64 hexadecimal digits"),
        ("sha256", "0" * 63, "64 hexadecimal digits"),
        ("bytes", 3.0, "a whole number"),
        ("bytes", -1, "a whole number"),
        ("licence", " ", "a text, not empty"),
    ],
)
def test_a_field_that_is_none_is_named(field: str, value: object, allowed: str) -> None:
    with pytest.raises(PluginError) as caught:
        DataFile(**{**GOOD, field: value})
    assert f"{field} is {value!r}, must be {allowed}" in str(caught.value)
