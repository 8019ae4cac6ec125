"""The board as files: what is ranked and what is not, links, levels, changes, and texts that are hostile."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fixtures import published
from fixtures.pages import TAGS, Seen, see
from fixtures.races import race_results
from fixtures.synthetic import record, trials

from benchsuite.errors import RequestError, StoreError
from benchsuite.publishing.board import write_board
from benchsuite.publishing.board.readme import write_readme
from benchsuite.publishing.board.rows import collect_board
from benchsuite.publishing.repository import Repository
from benchsuite.publishing.repository.folder import BUNDLE
from benchsuite.schema import Record

PLACES = [trial for trial in trials(12) if trial.backend in ("torch", "jax")]


def records(**changes: object) -> list[Record]:
    made = [published.moved(record(trial), **changes) for trial in PLACES]  # type: ignore[arg-type]
    return [one.model_copy(update={"started": one.started + at}) for at, one in enumerate(made)]


def pages(site: Path) -> dict[str, Seen]:
    return {path.relative_to(site).as_posix(): see(path) for path in site.rglob("*.html")}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two machines, three names, a claim, and a history of eight weeks with a slower release half way."""
    folder = tmp_path_factory.mktemp("board")
    repository = Repository.create(folder / "results")
    for week in range(8):
        at = published.BEGIN + 7 * published.DAY * week
        slow = {"speed": 0.8, "version": "2.14.0"} if week >= 4 else {}
        made = records(at=at, attempt=f"a{week}", **slow)
        published.add(repository, made, by="Ada", published=at)
    other = records(machine="Other 7", at=published.BEGIN + 3, attempt="b", speed=1.5)
    published.add(repository, other, by="Grace", published=published.BEGIN + 5)
    published.add(repository, other, by="Copycat", name="copied", published=published.BEGIN + 9)
    claim = records(machine="Dream 1", at=published.BEGIN + 4, attempt="c", speed=99.0)
    published.add(repository, claim, by="Eve", published=published.BEGIN + 6, level="claimed")
    (repository.folder / "accepted.toml").write_text(
        '[[accepted]]\nsince = 2023-12-10\nreason = "known: slower kernels"\n'
        'figure = "speed"\nbackend = "jax"\n'
    )
    write_board(repository, folder / "site", address="https://example.org/board")
    return folder / "site"


def test_every_link_leads_somewhere_and_nothing_is_asked_of_the_network(site: Path) -> None:
    found = pages(site)
    for path, seen in found.items():
        assert not [link for link in seen.links() if not link.exists()], path
        assert seen.tags <= TAGS | {"title"}, path
        assert not seen.unclosed
    assert {name.partition("/")[0] for name in found} == {
        "index.html", "methods.html", "suites", "rankings", "configurations", "submissions",
    }  # fmt: skip
    assert not (site / "assets" / "vega.js").exists()


def test_machines_have_rankings_of_their_own_and_claims_have_none(site: Path) -> None:
    found = {name: seen for name, seen in pages(site).items() if name.startswith("rankings/")}
    assert len(found) == 2
    assert not any("Dream" in seen.text for seen in found.values())
    assert sum("Other 7" in seen.text for seen in found.values()) == 1
    suite = next(seen for name, seen in pages(site).items() if name.startswith("suites/"))
    assert "Claimed, not ranked" in suite.text


def test_levels_say_who_else_got_the_same_and_a_copy_is_no_reproduction(site: Path) -> None:
    words = {path.stem: json.loads(path.read_text())["message"] for path in (site / "badges").iterdir()}
    told: dict[str, set[str]] = {name.partition("-")[0]: set() for name in words}
    for name, message in words.items():
        told[name.partition("-")[0]].add(message)
    assert told == {"quick": {"reproduced by 1 other", "claimed"}, "copied": {"verified"}}
    copied = next(path for path in (site / "submissions").glob("copied-*.html"))
    assert "published before" in see(copied).text


def test_a_slower_release_is_a_change_with_its_versions_and_its_reason(site: Path) -> None:
    seen = {name: one.text for name, one in pages(site).items()}
    changed = [text for name, text in seen.items() if name.startswith("configurations/")]
    assert all("2.13.0 → 2.14.0" in text for text in changed)
    assert [text.count("known: slower kernels") > 0 for text in changed] == [
        "jax" in text for text in changed
    ]
    assert "What changed" in seen["index.html"]
    assert "no reason given" in seen["index.html"]


def test_each_row_has_a_command_and_each_study_a_citation(site: Path) -> None:
    name = f"configurations/{PLACES[0].configuration_id}.html"
    text = pages(site)[name].text
    assert "benchsuite reproduce quick-" in text
    assert PLACES[0].id in text
    for path in (site / "citations").iterdir():
        entry = path.read_text()
        assert entry.startswith(f"@misc{{{path.stem},")
        assert entry.count("{") == entry.count("}")
        assert f"https://example.org/board/submissions/{path.stem}.html" in entry


def test_texts_of_publishers_and_records_are_shown_as_texts(tmp_path: Path) -> None:
    repository = Repository.create(tmp_path / "results")
    published.add_hostile(repository, by="<b>&\"'")
    write_board(repository, tmp_path / "site", title="<i>x</i>")
    for path, seen in pages(tmp_path / "site").items():
        assert seen.tags <= TAGS, path
        assert not [link for link in seen.links() if not link.exists()], path
        assert not [name for _, name, _ in seen.attributes if name.startswith("on")]


def test_an_empty_repository_has_a_board(tmp_path: Path) -> None:
    first = write_board(Repository.create(tmp_path / "results"), tmp_path / "site")
    assert "Nothing is published here yet" in see(first).text


def test_a_site_replaces_an_earlier_one_and_nothing_else(tmp_path: Path) -> None:
    repository = Repository.create(tmp_path / "results")
    published.add(repository, records(), by="Ada")
    write_board(repository, tmp_path / "site")
    stale = tmp_path / "site" / "configurations" / "old.html"
    stale.write_text("old")
    write_board(repository, tmp_path / "site")
    assert not stale.exists()
    for target in (repository.folder, tmp_path):
        with pytest.raises(RequestError, match="results repository"):
            write_board(repository, target)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "index.html").write_text("mine")
    with pytest.raises(RequestError, match="another folder"):
        write_board(repository, tmp_path / "mine")


@pytest.mark.parametrize(
    "text",
    [
        "since",
        "[[accepted]]\nreason = 'x'\n",
        "[[accepted]]\nsince = 2026-01-01\nreason = 'x'\nother = 'y'\n",
        "[other]\n",
    ],
)
def test_an_accepted_file_that_is_wrong_is_told(tmp_path: Path, text: str) -> None:
    repository = Repository.create(tmp_path / "results")
    (repository.folder / "accepted.toml").write_text(text)
    with pytest.raises(StoreError, match=r"accepted\.toml"):
        write_board(repository, tmp_path / "site")


def test_a_claim_does_not_take_the_place_of_the_same_record_in_a_verified_study(tmp_path: Path) -> None:
    repository = Repository.create(tmp_path / "results")
    made = records()
    published.add(repository, made, by="Eve", level="claimed", published=1.0)
    published.add(repository, made, by="Ada", name="own", published=2.0)
    board = collect_board(repository)
    assert [row.counts for row in board.rows] == [False] * len(made) + [True] * len(made)


def test_races_are_shown_on_their_machine(tmp_path: Path) -> None:
    repository = Repository.create(tmp_path / "results")
    made = records()
    here = {"hardware.cpu": made[0].environment["hardware.cpu"]}
    raced = [race_results(1000.0, 1.5, here), race_results(2000.0, 4.0, {"hardware.cpu": "Other"})]
    published.add(repository, made, races=raced)
    write_board(repository, tmp_path / "site")
    (page,) = (tmp_path / "site" / "rankings").glob("*.html")
    assert "adding lstm" in see(page).text
    assert "1 race; the margin is" in see(page).text
    assert "adding lstm" in write_readme(repository).read_text()


def test_a_bundle_that_is_not_the_published_one_is_not_offered(tmp_path: Path) -> None:
    repository = Repository.create(tmp_path / "results")
    one = published.add(repository, records(), by="Ada")
    (repository.study(one.id) / BUNDLE).write_bytes(b"another")
    with pytest.raises(StoreError, match="--check"):
        write_board(repository, tmp_path / "site")


def test_a_suite_and_its_successor_have_boards_of_their_own_and_their_configurations_lead_to_each_other(
    tmp_path: Path,
) -> None:
    repository = Repository.create(tmp_path / "results")
    published.add(repository, records(), by="Ada", suite="quick@1")
    later = []
    for one in records(at=published.BEGIN + published.DAY):
        recipe = one.trial.recipe.model_copy(update={"epochs": 20})
        later.append(one.model_copy(update={"trial": one.trial.model_copy(update={"recipe": recipe})}))
    published.add(repository, later, by="Ada", suite="quick@2", published=published.BEGIN + published.DAY)
    write_board(repository, tmp_path / "site")
    assert {path.name for path in (tmp_path / "site" / "suites").iterdir()} == {
        "quick-1.html",
        "quick-2.html",
    }
    first = tmp_path / "site" / "configurations" / f"{PLACES[0].configuration_id}.html"
    second = tmp_path / "site" / "configurations" / f"{later[0].trial.configuration_id}.html"
    assert second.resolve() in see(first).links()
    assert first.resolve() in see(second).links()
    assert "epochs=20" in see(first).text
