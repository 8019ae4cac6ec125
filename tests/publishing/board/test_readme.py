"""README.md of a results repository: what is published, with links that lead somewhere, beside what people
wrote."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fixtures import published
from fixtures.command import call
from fixtures.synthetic import record, trials
from markdown_it import MarkdownIt

from benchsuite.errors import RequestError
from benchsuite.publishing.board import write_readme
from benchsuite.publishing.board.readme import BOARD_BEGIN, BOARD_END
from benchsuite.publishing.repository import Repository
from benchsuite.schema import Record

LINK = re.compile(r"href=\"([^\"]+)\"")
TAGS = set("h1 h2 p ul li pre code strong a table thead tbody tr th td".split())  # noqa: SIM905


def render(text: str) -> str:
    made: str = MarkdownIt("commonmark").enable("table").render(text)
    return made


def records(**changes: object) -> list[Record]:
    return [published.moved(record(trial), **changes) for trial in trials(12)]  # type: ignore[arg-type]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository.create(tmp_path / "results")
    published.add(made, records(), by="Ada")
    published.add(made, records(machine="Other 7"), by="Grace", published=published.BEGIN + 5)
    published.add(made, records(machine="Dream 1", speed=99.0), by="Eve", level="claimed")
    return made


def test_it_says_what_is_published_and_every_link_is_a_file_of_the_repository(repository: Repository) -> None:
    path = write_readme(repository, title="Our results")
    text = path.read_text()
    rendered = render(text)
    assert text.startswith("# Our results\n")
    assert re.search(r"<h2>quick@1 on Example 9000.*</h2>", rendered)
    assert re.search(r"<h2>quick@1 on Other 7.*</h2>", rendered)
    assert "Dream 1" in rendered
    assert "on Dream 1" not in rendered  # a claim is listed, and ranked nowhere
    links = LINK.findall(rendered)
    for one in repository.submissions():
        assert f"studies/{one.id}/study.crate.zip" in links
        assert f"studies/{one.id}/" in links
    assert all((repository.folder / link).exists() for link in links)
    assert "benchsuite run quick@1" in text
    assert "Fastest steps with" in text
    assert "Trained soonest with" in text


def test_what_people_wrote_stays_and_writing_it_again_changes_nothing(repository: Repository) -> None:
    path = repository.folder / "README.md"
    path.write_text(f"# Mine\n\nBefore \\1.\n\n{BOARD_BEGIN}\nold\n{BOARD_END}\n\nAfter.\n")
    write_readme(repository)
    first = path.read_text()
    assert first.startswith(f"# Mine\n\nBefore \\1.\n\n{BOARD_BEGIN}\n")
    assert first.endswith(f"\n{BOARD_END}\n\nAfter.\n")
    assert "\nold\n" not in first
    call("site", str(repository.folder), "--readme")
    assert path.read_text() == first


def test_a_readme_without_a_place_for_the_board_is_not_touched(repository: Repository) -> None:
    path = repository.folder / "README.md"
    for text in ("# Mine\n", f"{BOARD_END}\n{BOARD_BEGIN}\n", f"says {BOARD_BEGIN} and {BOARD_END}\n"):
        path.write_text(text)
        with pytest.raises(RequestError, match="these two lines"):
            write_readme(repository)
        assert path.read_text() == text
    assert BOARD_BEGIN in call("site", str(repository.folder), "--readme", code=2).stderr
    assert "one of them" in call("site", str(repository.folder), "--readme", "--check", code=2).stderr
    for option in ("--readme", "--check"):
        refused = call("site", str(repository.folder), option, "--output", "there", code=2).stderr
        assert f"{option} writes no site: leave --output there out" in refused


def test_with_the_address_of_the_site_links_lead_there(repository: Repository) -> None:
    text = write_readme(repository, address="https://example.org/board/").read_text()
    links = LINK.findall(render(text))
    assert "https://example.org/board/suites/quick-1.html" in links
    assert all(link.startswith("https://example.org/board/") for link in links)


def test_texts_of_publishers_and_records_are_texts(tmp_path: Path) -> None:
    repository = Repository.create(tmp_path / "results")
    published.add_hostile(repository, by="<b>&[x](y)|")
    rendered = render(write_readme(repository, title="<i>x</i>").read_text())
    assert set(re.findall(r"<(\w+)", rendered)) <= TAGS
    assert all((repository.folder / link).exists() for link in LINK.findall(rendered))


def test_an_empty_repository_says_so(tmp_path: Path) -> None:
    text = write_readme(Repository.create(tmp_path / "results")).read_text()
    assert "Nothing is published here yet" in text
