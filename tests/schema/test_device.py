"""Device names are read in one place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.errors import UnsupportedError
from benchsuite.schema import DeviceName


@pytest.mark.parametrize(
    ("text", "kind", "number"),
    [("cpu", "cpu", 0), ("gpu", "gpu", 0), ("gpu:1", "gpu", 1), ("tpu:12", "tpu", 12)],
)
def test_a_name_is_a_kind_and_a_number(text: str, kind: str, number: int) -> None:
    assert DeviceName.parse(text) == (kind, number)
    assert str(DeviceName.parse(text)) == text


def test_the_first_one_has_no_number_in_its_name() -> None:
    assert str(DeviceName.parse("gpu:0")) == "gpu"


@pytest.mark.parametrize("text", ["", "gpu:", "gpu:x", "gpu:1:2", "GPU", "gpu 1", ":1", "gpu:-1", "gpu\n"])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(UnsupportedError, match="is no device name; write cpu, gpu, or gpu:1"):
        DeviceName.parse(text)


@given(st.from_regex(r"[a-z]+", fullmatch=True), st.integers(0, 99))
def test_names_are_read_back(kind: str, number: int) -> None:
    name = DeviceName(kind, number)
    assert DeviceName.parse(str(name)) == name
