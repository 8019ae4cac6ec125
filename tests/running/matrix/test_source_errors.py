"""A matrix that cannot be read is named, with what there is."""

from __future__ import annotations

import pytest
from fixtures.matrix_worlds import GOOD, problems

from benchsuite.errors import MatrixError, RequestError, UnknownNameError
from benchsuite.running.matrix import load_matrix, parse_matrix


def test_text_that_is_no_toml_is_named_with_its_line() -> None:
    with pytest.raises(MatrixError) as caught:
        parse_matrix("[axes]\ncell = \n", "broken", "broken.toml")
    [(place, what)] = caught.value.problems
    assert "line 2" in place
    assert what


def test_a_name_that_is_no_folder_is_refused() -> None:
    [(place, what)] = problems('name = "a/b"\n' + GOOD)
    assert place == "name (line 1)"
    assert "names a folder" in what


def test_an_unknown_matrix_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'quick'"):
        load_matrix("quik")


def test_a_matrix_file_that_is_not_there_is_named() -> None:
    with pytest.raises(RequestError, match=r"cannot read the matrix file nowhere\.toml: No such file"):
        load_matrix("nowhere.toml")
