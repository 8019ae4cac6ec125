"""The fields of a trial by dotted path."""

from __future__ import annotations

import pytest
from fixtures.records import record

from benchsuite.schema.fields import SHORT, BadValueError, canonical, field_types, flatten


def test_every_path_of_a_trial_is_a_known_field() -> None:
    paths = {path for path, _ in flatten(record(options={"horizon": 24}).trial.model_dump(mode="json"))}
    assert paths - {"options.horizon"} == set(field_types())


@pytest.mark.parametrize("name", sorted(SHORT))
def test_fields_of_the_execution_may_go_without_their_group(name: str) -> None:
    assert canonical(name) == f"execution.{name}"


@pytest.mark.parametrize("path", ["task", "recipe.epochs", "options.anything"])
def test_other_fields_are_themselves(path: str) -> None:
    assert canonical(path) == path


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("recipe.epoch", "did you mean 'epochs'"),
        ("epochs", "unknown field 'epochs'"),
        ("recipe", "recipe.NAME = VALUE"),
        ("options", "options.NAME = VALUE"),
    ],
)
def test_what_is_no_field_is_named_with_what_is_allowed(path: str, said: str) -> None:
    with pytest.raises(BadValueError, match=said):
        canonical(path)


def test_nested_tables_and_dotted_keys_are_one() -> None:
    assert dict(flatten({"recipe": {"epochs": 3}})) == dict(flatten({"recipe.epochs": 3}))
