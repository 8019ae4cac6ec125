"""Who reproduced what: names count, not studies; a record published again is no run; other figures
contradict."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixtures import published
from fixtures.synthetic import record, trials

from benchsuite.publishing.board.confirmations import confirmations, submission_level
from benchsuite.publishing.board.rows import collect_board
from benchsuite.publishing.repository import Repository
from benchsuite.schema import Record

TRIALS = list(trials(3))


def ran(at: float, accuracy: float = 0.0) -> list[Record]:
    """The trials as run at a time, with `accuracy` added to the metric."""
    made = [published.moved(record(trial), at=at, attempt=f"{at:g}") for trial in TRIALS]
    return [
        one.model_copy(
            update={"scalars": {**one.scalars, "test/accuracy": one.scalars["test/accuracy"] + accuracy}}
        )
        for one in made
    ]


def levels(repository: Repository) -> dict[str, str]:
    """Name of a study -> what its level says."""
    board = collect_board(repository)
    found = confirmations(board.rows)
    told = {one.name: submission_level(one, board.of(one), found) for one in board.submissions}
    return {
        name: level.words + (f", contradicted by {len(level.against)}" if level.against else "")
        for name, level in told.items()
    }


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository.create(tmp_path / "results")
    published.add(made, ran(1.0), name="first", by="Ada", published=1.0)
    return made


def test_another_name_with_the_same_figures_reproduces(repository: Repository) -> None:
    published.add(repository, ran(2.0), name="second", by="Grace", published=2.0)
    assert levels(repository) == {"first": "reproduced by 1 other", "second": "reproduced by 1 other"}


def test_names_count_and_not_studies(repository: Repository) -> None:
    for at in (2.0, 3.0, 4.0):
        published.add(repository, ran(at), name=f"again{at:g}", by="Grace", published=at)
    assert levels(repository)["first"] == "reproduced by 1 other"


@pytest.mark.parametrize(
    ("by", "level", "at"),
    [("Ada", "verified", 2.0), ("", "verified", 2.0), ("Grace", "claimed", 2.0), ("Grace", "verified", 1.0)],
    ids=["the same name", "no name", "a claim", "the same records"],
)
def test_what_is_no_reproduction(repository: Repository, by: str, level: str, at: float) -> None:
    published.add(repository, ran(at), name="second", by=by, published=2.0, level=level)
    assert levels(repository)["first"] == "verified"


def test_other_figures_contradict_and_do_not_hide_who_agrees(repository: Repository) -> None:
    published.add(repository, ran(2.0, accuracy=-0.1), name="second", by="Grace", published=2.0)
    published.add(repository, ran(3.0), name="third", by="Alan", published=3.0)
    assert levels(repository) == {
        "first": "reproduced by 1 other, contradicted by 1",
        "second": "verified, contradicted by 2",
        "third": "reproduced by 1 other, contradicted by 1",
    }
