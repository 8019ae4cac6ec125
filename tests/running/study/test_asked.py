"""What a run was asked for is kept, and the command that asks it again is exact."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.contracts.study import RESULTS_VARIABLE, results_folder
from benchsuite.running.matrix import load_matrix, parse_matrix
from benchsuite.running.shards import Cut, Shard
from benchsuite.running.study.asked import ask, matrix_digest, read_asked

words = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=12)


@given(
    filters=st.dictionaries(st.sampled_from(["task", "cell"]), st.lists(words, max_size=2)),
    overrides=st.lists(words, max_size=2),
    index=st.integers(1, 3),
    times=st.one_of(st.just(""), words),
)
def test_what_was_asked_is_read_as_it_was_written(
    filters: dict[str, list[str]], overrides: list[str], index: int, times: str
) -> None:
    cut = Cut((("a", "b"), ("c",), ()))
    asked = ask("mine", load_matrix("smoke"), filters, overrides, Shard(index, 3), times, cut)
    (found,) = read_asked(json.loads(json.dumps({"asked": asked.as_json()})))
    assert found.whole == asked.whole
    assert (found.study, found.shard, found.cut) == ("mine", f"{index}/3", cut.digest)
    typed = shlex.split(found.command(results_folder(), Shard(index, 3)))
    assert typed[:3] == ["benchsuite", "run", "smoke"]
    assert [typed[at + 1] for at, word in enumerate(typed) if word == "--shard"][-1:] == [f"{index}/3"]
    for name, values in asked.filters.items():
        assert typed[typed.index(f"--{name}") + 1] == ",".join(values)


@pytest.mark.parametrize("given", [{}, {"asked": 3}, {"asked": [{}, None, "x"]}, {"asked": {"parts": 1}}])
def test_what_cannot_be_read_was_not_asked(given: dict[str, Any]) -> None:
    assert read_asked(given) == []


def test_a_command_names_what_differs_from_the_defaults(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(RESULTS_VARIABLE, str(tmp_path))
    one = Cut((("a",),))
    plain = ask("smoke", load_matrix("smoke"), None, (), None, "", one)
    assert plain.command(tmp_path, None) == "benchsuite run smoke"
    named = ask("my study", load_matrix("smoke"), None, (), None, "", one)
    assert named.command(Path("/else where"), None) == (
        "benchsuite run smoke --name 'my study' --results '/else where'"
    )


def test_a_digest_is_of_the_matrix_s_content() -> None:
    a, b = (parse_matrix(f'[axes]\ntask = "{task}"\n', "m", "m.toml") for task in ("adding", "copy"))
    assert matrix_digest(a) != matrix_digest(b)
    assert matrix_digest(a) == matrix_digest(parse_matrix(a.text, "other", "other.toml"))
