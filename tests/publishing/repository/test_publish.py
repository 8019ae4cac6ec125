"""Publishing adds files and changes none, once per content, also from two publishers at once."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from fixtures.hostile import store
from fixtures.records import record

from benchsuite.errors import RequestError, StoreError
from benchsuite.publishing.board.rows import collect_board
from benchsuite.publishing.bundle import write_bundle
from benchsuite.publishing.repository import Published, Repository, publish_study
from benchsuite.publishing.repository.check import check_repository
from benchsuite.publishing.repository.folder import BUNDLE, VERIFICATION
from benchsuite.publishing.repository.index import SCHEMA
from benchsuite.publishing.repository.publish import publish_repository
from benchsuite.publishing.repository.submission import SUMMARY
from benchsuite.running.store import REPOSITORY_MARKER, StudyStore
from benchsuite.running.study import StoredStudy
from benchsuite.schema import Series

CURVE = Series(name="train/loss", axis="step", x=[1.0, 2.0], y=[2.0, 1.0])


def study(folder: Path, seeds: int = 2, name: str = "mine") -> StoredStudy:
    made = [record(0.9, seed=seed).model_copy(update={"series": [CURVE]}) for seed in range(seeds)]
    return store(folder / name, made)


def files(repository: Repository) -> dict[str, bytes]:
    """Every file of a repository."""
    return {
        path.relative_to(repository.folder).as_posix(): path.read_bytes()
        for path in repository.folder.rglob("*")
        if path.is_file()
    }


def test_a_submission_is_a_bundle_its_verification_a_summary_and_an_index(tmp_path: Path) -> None:
    mine = study(tmp_path)
    repository = Repository.create(tmp_path / "results")
    done = publish_study(mine.folder, repository, by="Ada  Lovelace", claimed=True)
    one = done.submission
    assert set(files(repository)) == {
        REPOSITORY_MARKER,
        f"index/{one.id}.parquet",
        *(f"studies/{one.id}/{name}" for name in (BUNDLE, SUMMARY, VERIFICATION)),
    }
    assert one.id.startswith("mine-")
    assert one.by == "Ada Lovelace"
    assert one.trials == one.ranked == 2
    assert repository.submissions() == [one]
    assert [found for found, _ in repository.records(one)] == mine.records
    table = pq.read_table(repository.folder / "index")
    assert table.schema.names == SCHEMA.names
    assert table.column("value").to_pylist() == [0.9, 0.9]
    assert json.loads((done.folder / VERIFICATION).read_text())["rules"]


def test_a_study_and_its_bundle_are_one_submission_and_what_is_there_is_not_changed(tmp_path: Path) -> None:
    mine = study(tmp_path)
    repository = Repository.create(tmp_path / "results")
    first = publish_study(mine.folder, repository, by="Ada", claimed=True)
    before = files(repository)
    bundle = write_bundle(mine, tmp_path / "renamed.zip")
    for source in (mine.folder, bundle):
        again = publish_study(source, repository, by="Somebody else", claimed=True)
        assert again.already
        assert again.submission == first.submission
    assert files(repository) == before


def test_a_study_that_grew_is_another_submission_beside_the_first(tmp_path: Path) -> None:
    mine = study(tmp_path)
    repository = Repository.create(tmp_path / "results")
    publish_study(mine.folder, repository, claimed=True)
    before = files(repository)
    kept = StudyStore(mine.folder)
    with kept.writing():
        kept.append(record(0.8, seed=7))
    second = publish_study(mine.folder, repository, claimed=True)
    assert not second.already
    assert second.submission.trials == 3
    after = files(repository)
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("same", [True, False], ids=["one study", "two studies"])
def test_two_publishers_at_once(tmp_path: Path, same: bool) -> None:
    repository = Repository.create(tmp_path / "results")
    sources = [write_bundle(study(tmp_path, 2 + n, f"study{n}"), tmp_path / f"{n}.zip") for n in range(2)]
    begin = threading.Barrier(4)
    found: list[Published] = []

    def publish(at: int) -> None:
        begin.wait()
        found.append(publish_study(sources[0 if same else at % 2], repository, by=f"P{at}", claimed=True))

    threads = [threading.Thread(target=publish, args=(at,)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    held = repository.submissions()
    assert len(held) == (1 if same else 2)
    assert sum(not one.already for one in found) == len(held)
    for one in held:
        assert len(repository.records(one)) == one.trials
    assert not [name for name in files(repository) if "/." in name]


def test_what_is_not_verified_is_refused_and_published_only_as_a_claim(tmp_path: Path) -> None:
    mine = study(tmp_path)
    with (mine.folder / "records.jsonl").open("a") as journal:
        journal.write("no record\n")
    repository = Repository.create(tmp_path / "results")
    with pytest.raises(RequestError, match="journal") as refused:
        publish_study(mine.folder, repository)
    assert "--claimed" in str(refused.value)
    assert repository.submissions() == []
    done = publish_study(mine.folder, repository, claimed=True)
    assert done.submission.level == "claimed"


def test_an_interrupted_publication_is_no_submission(tmp_path: Path) -> None:
    repository = Repository.create(tmp_path / "results")

    def interrupted() -> None:
        with repository.adding("mine-0123456789ab") as folder:
            (folder / BUNDLE).write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert repository.submissions() == []
    assert list((repository.folder / "studies").iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("somebody's", "holds thesis.tex"),
        ("study", "holds"),
        ("file", "cannot be"),
        ("newer", "newer layout"),
    ],
)
def test_folders_that_are_something_else_are_refused(tmp_path: Path, kind: str, said: str) -> None:
    folder = tmp_path / "there"
    if kind == "study":
        study(tmp_path, name="there")
    elif kind == "file":
        folder.write_text("a file")
    else:
        folder.mkdir()
        name, text = ("thesis.tex", "") if kind == "somebody's" else (REPOSITORY_MARKER, '{"format": 99}')
        (folder / name).write_text(text)
    with pytest.raises(RequestError, match=said):
        Repository.create(folder)


def test_a_new_git_repository_becomes_a_results_repository(tmp_path: Path) -> None:
    folder = tmp_path / "clone"
    (folder / ".git").mkdir(parents=True)
    (folder / "README.md").write_text("# Results")
    assert Repository.create(folder).submissions() == []
    with pytest.raises(StoreError, match="benchsuite publish"):
        Repository.open(tmp_path)


@pytest.mark.parametrize("name", ["x" * 101, "bell\x07", "\u202eAda"], ids=["long", "control", "direction"])
def test_a_name_that_cannot_be_shown_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RequestError, match="--as"):
        publish_study(study(tmp_path).folder, Repository.create(tmp_path / "results"), by=name)


@pytest.mark.parametrize("change", ["missing", "torn", "foreign", "id", "time", "infinite"])
def test_a_summary_that_does_not_belong_is_told(tmp_path: Path, change: str) -> None:
    repository = Repository.create(tmp_path / "results")
    done = publish_study(study(tmp_path).folder, repository, claimed=True)
    path = done.folder / SUMMARY
    text = path.read_text()
    if change == "missing":
        path.unlink()
    elif change == "foreign":
        done.folder.rename(done.folder.with_name("other-0123456789ab"))
    else:
        edits = {
            "torn": text[:40],
            "id": text.replace(done.submission.id, "../../etc"),
            "time": json.dumps(json.loads(text) | {"published": 1e300}),
            "infinite": json.dumps(json.loads(text) | {"first": float("inf")}),
        }
        path.write_text(edits[change])
    with pytest.raises(StoreError, match=r"summary\.json"):
        repository.submissions()


def test_a_second_repository_is_merged_by_publishing_it(tmp_path: Path) -> None:
    ours, theirs = (Repository.create(tmp_path / name) for name in ("ours", "theirs"))
    publish_study(study(tmp_path, 2, "a").folder, ours, by="Ada", claimed=True)
    for name, seeds in (("a", 2), ("b", 3)):
        folder = tmp_path / name
        source = folder if folder.exists() else study(tmp_path, seeds, name).folder
        publish_study(source, theirs, by="Grace", claimed=True, published=1.7e9)
    done = publish_repository(theirs, ours)
    assert [one.already for one in done] == [True, False]
    assert {one.name: (one.by, one.published == 1.7e9) for one in ours.submissions()} == {
        "a": ("Ada", False),
        "b": ("Grace", True),
    }
    before = files(ours)
    publish_repository(theirs, ours)
    assert files(ours) == before


@pytest.mark.parametrize("name", [BUNDLE, VERIFICATION, SUMMARY, "index", "accepted.toml", "studies"])
def test_a_link_in_a_repository_is_refused(tmp_path: Path, name: str) -> None:
    """A pull request must not make the site hold a file of the machine that makes it."""
    repository = Repository.create(tmp_path / "results")
    done = publish_study(study(tmp_path).folder, repository, claimed=True)
    path = {
        "index": repository.index(done.submission.id),
        "accepted.toml": repository.folder / "accepted.toml",
        "studies": repository.folder / "studies",
    }.get(name, done.folder / name)
    secret = tmp_path / "secret"
    if path.exists():
        path.rename(secret)
    else:
        secret.write_text("")
    path.symlink_to(secret)
    with pytest.raises(StoreError, match="is a link"):
        collect_board(repository)
    assert any("is a link" in fault.sentence for fault in check_repository(repository))
