import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.data import JOINER, join_words, marked_words, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It isn't GOOD.", ["it", "is", "n't", "good", "."]),
        ("it is n't good .", ["it", "is", "n't", "good", "."]),
        ("can’t won’t", ["ca", "n't", "wo", "n't"]),
        ("the film's 90-minute mid-section", ["the", "film", "'s", "90-minute", "mid-section"]),
        ("they're here, aren't they?", ["they", "'re", "here", ",", "are", "n't", "they", "?"]),
        ("naïve café — 3.5", ["naïve", "café", "—", "3", ".", "5"]),
        ("", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_case_can_be_kept() -> None:
    assert words("It ISN'T Good", lower_case=False) == ["It", "IS", "n't", "Good"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Well-fed (now).", ["well", "￭-￭", "fed", "(￭", "now", "￭)", "￭."]),
        ("l'homme dit : « non »", ["l", "￭'￭", "homme", "dit", ":", "«", "non", "»"]),
        ("3.5 - 2", ["3", "￭.￭", "5", "-", "2"]),
        ('"Wait..."', ['"￭', "wait", "￭.", "￭.", "￭.", '￭"']),
        ("", []),
    ],
)
def test_signs_say_where_no_space_is(text: str, expected: list[str]) -> None:
    assert marked_words(text) == expected
    assert join_words(expected) == text.lower()


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters=JOINER), max_size=30))
def test_marked_words_join_into_the_text(text: str) -> None:
    pieces = marked_words(text, lower_case=False)
    assert join_words(pieces) == " ".join(text.split())
    assert all(piece.strip(JOINER) for piece in pieces)


def test_a_mark_in_the_text_is_a_space() -> None:
    assert marked_words(f"a{JOINER}b") == ["a", "b"]
