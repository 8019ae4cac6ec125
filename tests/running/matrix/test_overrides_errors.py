"""An override that fits nothing is named."""

from __future__ import annotations

import pytest
from fixtures.matrix_worlds import GOOD, problems


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("recipe.epochs", "write FIELD=VALUE"),
        ("recipe.epoch=2", "did you mean 'epochs'"),
        ("recipe.epochs=two", "valid integer"),
        ("options.horizn=2", "unknown option 'horizn'; did you mean 'horizon'"),
        ("tasks.alpah.seed=2", "unknown task 'alpah'; did you mean 'alpha'"),
        ("tasks.alpha.sed=2", "unknown field 'sed'; did you mean 'seed'"),
        ("backend=nunpy", "did you mean 'numpy'"),
        ("backend+=nunpy", "did you mean 'numpy'"),
        ("+=2", "write FIELD=VALUE"),
        ("recipe.epochs+", "write FIELD=VALUE"),
        ("recipe.epochs+=two", "valid integer"),
        ("options.horizn+=2", "unknown option 'horizn'; did you mean 'horizon'"),
    ],
)
def test_a_wrong_override_is_named(override: str, text: str) -> None:
    [(place, what)] = problems(GOOD, (override,))
    assert place.startswith("--set ")
    assert text in what
