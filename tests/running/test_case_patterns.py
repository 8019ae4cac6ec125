"""Which cases a pattern means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.errors import RequestError
from benchsuite.running.case_patterns import check_patterns, chosen, matches

NAMES = ["gradients[lstm-plain]", "gradients[lstm-plain-full]", "log[lstm-plain]", "declarations"]


@pytest.mark.parametrize(
    ("pattern", "meant"),
    [
        ("gradients[lstm-plain]", NAMES[:1]),
        ("gradients", NAMES[:2]),
        ("*[lstm-plain]", [NAMES[0], NAMES[2]]),
        ("gradients[lstm-plai?]", NAMES[:1]),
        ("declarations", NAMES[3:]),
        ("grad", []),
        ("gradients[lp]*", []),
    ],
)
def test_a_pattern_means_a_name_a_check_or_what_fits(pattern: str, meant: list[str]) -> None:
    assert chosen(NAMES, [pattern]) == meant


def test_no_pattern_means_all() -> None:
    assert chosen(NAMES, []) == NAMES


@given(st.text(max_size=20))
def test_every_name_means_itself(name: str) -> None:
    assert matches(name, name)


def test_a_pattern_that_means_nothing_is_refused_with_the_nearest_names() -> None:
    check_patterns(NAMES, ["log", "*full]"])
    with pytest.raises(RequestError, match=r"no case is called 'gradient\[lstm-plain\]'; did you mean 'grad"):
        check_patterns(NAMES, ["log", "gradient[lstm-plain]"])
