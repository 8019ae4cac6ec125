"""Races are read as they were stored, by this version and by the one before."""

from __future__ import annotations

from typing import Any

import pytest
from fixtures.records import record

from benchsuite.schema.race import Judgement, Pairwise, Race, Racer, RaceResults, Rank, SpeedVerdict

PAIR = Pairwise(
    racer="slow", other="fast", ratio=1.2, low=1.1, high=1.3, p=0.001, verdict=SpeedVerdict.SLOWER
)
FIRST = Rank(racer="fast", median=1.0, low=0.9, high=1.1, iqr=0.1, unstable=False, pair=None)
SECOND = Rank(racer="slow", median=1.2, low=1.1, high=1.3, iqr=0.1, unstable=False, pair=PAIR)
RESULTS = RaceResults(
    started=1.0,
    finished=2.0,
    what="step",
    rounds=20,
    races=(
        Race(
            name="lstm plain",
            clock="cpu",
            racers=tuple(Racer(name=name, trial=record().trial) for name in ("fast", "slow")),
            judgement=Judgement(rounds=20, ranks=(FIRST, SECOND), pairwise=(PAIR,)),
        ),
    ),
)
FORMER = {"ranks": "standings", "pairwise": "duels", "pair": "duel", "verdict": "word"}
"""Names of fields in files that the version before wrote."""


def renamed(node: Any) -> Any:
    if isinstance(node, dict):
        return {FORMER.get(name, name): renamed(value) for name, value in node.items()}
    return [renamed(one) for one in node] if isinstance(node, list) else node


def test_what_is_stored_is_read_again() -> None:
    assert RaceResults.model_validate_json(RESULTS.model_dump_json()) == RESULTS


def test_files_with_the_former_names_of_fields_are_read() -> None:
    former = renamed(RESULTS.model_dump(mode="json"))
    assert "standings" in former["races"][0]["judgement"]
    assert RaceResults.model_validate(former) == RESULTS


def test_a_field_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="winner"):
        RaceResults.model_validate(RESULTS.model_dump(mode="json") | {"winner": "fast"})
