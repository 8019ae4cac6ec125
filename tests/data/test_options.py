"""Options of tasks: whole numbers pass, all else is refused by name."""

import pytest

from benchsuite.data import whole_number
from benchsuite.errors import RequestError


@pytest.mark.parametrize("value", [2, 3, 10**9])
def test_whole_numbers_pass(value: int) -> None:
    assert whole_number("adding", {"length": value}, "length", 2) == value


@pytest.mark.parametrize("value", [1, -3, 2.0, True, "2"])
def test_anything_else_is_refused_with_what_is_allowed(value: float | str) -> None:
    with pytest.raises(RequestError, match=r"adding: option length is .*whole number, 2 or more"):
        whole_number("adding", {"length": value}, "length", 2)
