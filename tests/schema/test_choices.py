"""execution.choices: a text that is the same for equal choices."""

from __future__ import annotations

import pytest
from fixtures.tiny_trial import TRIAL
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from benchsuite.schema import Execution, Trial, format_choices, parse_choices

NAMES = st.from_regex(r"[a-z][a-z0-9_]*", fullmatch=True)
VALUES = st.from_regex(r"[A-Za-z0-9_.+-]+", fullmatch=True)


@given(st.dictionaries(NAMES, VALUES))
def test_choices_are_read_as_they_were_formatted(chosen: dict[str, str]) -> None:
    text = format_choices(chosen)
    assert parse_choices(text) == chosen
    assert Execution(choices=text).choices == text


def test_equal_choices_are_equal_texts() -> None:
    one, other = (
        Execution(choices=" tanh=plain  products=blas "),
        Execution(choices="products=blas tanh=plain"),
    )
    assert one == other


@pytest.mark.parametrize("text", ["products", "products=", "=blas", "Products=blas", "a=1 a=2", "a=1,b=2"])
def test_a_text_that_is_no_list_of_choices_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match=r"choices are NAME=VALUE|given twice"):
        Execution(choices=text)


def test_trials_without_choices_keep_the_ids_that_they_had_before_there_were_any() -> None:
    assert "choices" not in TRIAL.canonical_json()
    assert "calibration" not in TRIAL.canonical_json()
    chosen = TRIAL.model_copy(update={"execution": {"choices": "products=blas"}})
    assert chosen.id != TRIAL.id
    assert Trial.model_validate_json(chosen.canonical_json()) == chosen
