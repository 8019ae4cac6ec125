import pytest

from benchsuite.data import words


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
