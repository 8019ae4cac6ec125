"""What a pydantic error says in a message: its place, a validator's own text, and no word of pydantic's."""

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from benchsuite.running.matrix.fields import check_value
from benchsuite.schema.fields import BadValueError
from benchsuite.schema.validation import MOST_PLACE, first_problem


class _Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    size: int = 1

    @field_validator("size")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("Adam wants an even size, such as 2")
        return value


class _Outer(BaseModel):
    inner: _Inner


def _error(value: object) -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        _Outer.model_validate(value)
    return caught.value


def test_a_problem_has_its_place_and_pydantic_s_text_begins_small() -> None:
    assert first_problem(_error({})) == "inner: field required"
    assert first_problem(_error({"inner": {"size": "x"}})).startswith("inner.size: input should be")
    assert first_problem(_error(3)).startswith("input should be")


def test_a_validator_s_own_text_is_left_as_it_is() -> None:
    assert first_problem(_error({"inner": {"size": 3}})) == "inner.size: Adam wants an even size, such as 2"


def test_a_long_place_is_cut() -> None:
    assert len(first_problem(_error({"inner": {"k" * 5000: 3}}))) < MOST_PLACE + 100


@pytest.mark.parametrize("value", ["blas", "products", "=", "products=blas products"])
def test_a_value_of_a_matrix_that_is_refused_shows_no_word_of_pydantic(value: str) -> None:
    with pytest.raises(BadValueError) as caught:
        check_value("execution.choices", value)
    assert "value error" not in str(caught.value).lower()
    assert "products=blas" in str(caught.value)
