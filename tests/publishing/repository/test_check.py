"""What a pull request may have changed in a submission is found by making it again from its bundle."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fixtures.command import call
from fixtures.hostile import store
from fixtures.races import store_race
from fixtures.records import record

from benchsuite.publishing.repository import Published, Repository, publish_study
from benchsuite.publishing.repository.check import check_repository
from benchsuite.publishing.repository.folder import BUNDLE, RACES_FILE, VERIFICATION
from benchsuite.publishing.repository.submission import SUMMARY


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def better_index(repository: Repository, done: Published) -> None:
    path = repository.index(done.submission.id)
    rows = pq.read_table(path, partitioning=None)
    rows = rows.set_column(rows.schema.get_field_index("value"), "value", pa.array([0.999, 0.999]))
    pq.write_table(rows, path)


CHANGES: dict[str, tuple[Callable[[Repository, Published], object], str]] = {
    "level": (lambda _, done: edit(done.folder / SUMMARY, level=other(done)), "the summary says"),
    "suite": (lambda _, done: edit(done.folder / SUMMARY, suite="quick@1"), "says of suite"),
    "machine": (lambda _, done: edit(done.folder / SUMMARY, machines=["Dream 1"]), "says of machines"),
    "content": (lambda _, done: edit(done.folder / SUMMARY, content="0" * 64), "says of content"),
    "index": (better_index, "is not the index of its bundle"),
    "no index": (lambda repository, done: repository.index(done.submission.id).unlink(), "is missing"),
    "no bundle": (lambda _, done: (done.folder / BUNDLE).unlink(), "is missing"),
    "bundle": (lambda _, done: (done.folder / BUNDLE).write_bytes(b"other"), "not the file"),
    "verification": (lambda _, done: edit(done.folder / VERIFICATION, rules=[]), "and verification.json"),
    "no verification": (lambda _, done: (done.folder / VERIFICATION).unlink(), "cannot be read"),
    "races": (lambda _, done: (done.folder / RACES_FILE).write_bytes(b"[]"), "does not hold the races"),
    "no races": (lambda _, done: (done.folder / RACES_FILE).unlink(), "does not hold the races"),
    "no race": (lambda _, done: (done.folder / RACES_FILE).write_bytes(b"{"), "cannot be read"),
    "file": (lambda _, done: (done.folder / "run.sh").write_text("x"), "holds run.sh"),
    "orphan": (
        lambda repository, _: repository.index("other-0123456789ab").write_bytes(b""),
        "belongs to no submission",
    ),
}


def other(done: Published) -> str:
    return "verified" if done.submission.level == "claimed" else "claimed"


@pytest.fixture
def published(tmp_path: Path) -> tuple[Repository, Published]:
    repository = Repository.create(tmp_path / "results")
    mine = store(tmp_path / "mine", [record(0.9, seed=seed) for seed in range(2)])
    store_race(mine.folder, 1000.0, slower=1.5)
    return repository, publish_study(mine.folder, repository, by="Ada", claimed=True)


def test_what_was_published_is_what_its_bundle_says(published: tuple[Repository, Published]) -> None:
    repository, _ = published
    assert list(check_repository(repository)) == []
    assert "1 submission: each" in call("site", str(repository.folder), "--check").output


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_found(published: tuple[Repository, Published], change: str) -> None:
    repository, done = published
    act, said = CHANGES[change]
    act(repository, done)
    found = [one.sentence for one in check_repository(repository)]
    assert any(said in sentence for sentence in found), found
    assert said in " ".join(call("site", str(repository.folder), "--check", code=1).output.split())
