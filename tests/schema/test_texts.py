"""Texts of plugins, however long or odd, become texts that can be sent, stored and printed."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.schema.texts import MOST_REASON, NO_REASON, capped, cleaned, described, sentence, traced

odd = st.text(st.characters(categories=["Cs", "L", "Zs", "Cc"]), max_size=200)


@given(odd, st.integers(80, 150))
def test_a_capped_text_can_be_encoded_and_is_short(text: str, most: int) -> None:
    kept = capped(text, most)
    kept.encode()
    assert len(kept) <= most
    if len(text) <= most:
        assert kept == text.encode(errors="replace").decode()


def test_a_cut_says_how_much_is_missing_and_keeps_both_ends() -> None:
    kept = capped("begin" + "x" * 50_000_000 + "end", 100)
    assert kept.startswith("begin")
    assert kept.endswith("end")
    assert "[... 49,999,908 characters are left out ...]" in kept


@pytest.mark.parametrize(
    ("told", "expected"),
    [(" \n", NO_REASON), ("", NO_REASON), (3, "3"), (" no ", "no"), (False, "False")],
)
def test_a_reason_is_never_blank(told: object, expected: str) -> None:
    assert sentence(told) == expected


class UnspeakableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("a\nb"), "ValueError: a"),
        (ValueError(), "ValueError"),
        (UnspeakableError(), "UnspeakableError: its text cannot be had: RuntimeError"),
        (ValueError("\udcff"), "ValueError: ?"),
    ],
)
def test_any_exception_can_be_described(error: Exception, expected: str) -> None:
    assert described(error) == expected
    assert expected.split(":")[0] in traced(error)


def test_the_text_of_an_exception_is_cut() -> None:
    assert len(described(ValueError("x" * 10_000_000))) == MOST_REASON


@given(st.text(st.sampled_from("ab \n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029\t"), max_size=12))
def test_the_first_line_of_an_exception_is_its_description(text: str) -> None:
    first = (text.strip().splitlines() or [""])[0]
    assert described(ValueError(text)) == f"ValueError: {first}".rstrip(": ")


def test_an_exception_of_many_lines_takes_little_memory() -> None:
    error = ValueError("line\n" * 2_000_000)
    tracemalloc.start()
    described(error)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 3 * len(str(error))


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | odd,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd, inner, max_size=3),
    max_leaves=10,
)


@given(plain)
def test_cleaned_data_can_be_written(data: Any) -> None:
    json.dumps(cleaned(data), ensure_ascii=False).encode()
