"""`--shard 3/16`."""

from __future__ import annotations

import pytest

from benchsuite.errors import RequestError
from benchsuite.running.shards import Shard, parse_shard


@pytest.mark.parametrize(
    ("text", "shard", "name"),
    [
        ("3/16", Shard(3, 16), "quick.shard-03-of-16"),
        (" 1 / 1 ", Shard(1, 1), "quick.shard-1-of-1"),
        ("100/100", Shard(100, 100), "quick.shard-100-of-100"),
    ],
)
def test_a_shard_is_read_and_has_a_study_of_its_own(text: str, shard: Shard, name: str) -> None:
    assert parse_shard(text) == shard
    assert str(shard) == text.replace(" ", "")
    assert shard.study("quick") == name


@pytest.mark.parametrize("text", ["", "3", "0/4", "5/4", "-1/4", "1/0", "a/b", "1/4/2", "1/99999", "1.0/4"])
def test_what_is_no_shard_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(RequestError, match="3/16"):
        parse_shard(text)
