"""Pages of trials by several processes are those that one process writes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from fixtures import synthetic

from benchsuite.errors import RequestError
from benchsuite.report import write_report
from benchsuite.report.html import page_pool
from benchsuite.report.html.page_pool import MOST, Shares, helpers
from benchsuite.running.study import StoredStudy


def test_few_pages_are_written_by_one_process() -> None:
    assert helpers(10) == 0
    assert 0 <= helpers(100_000) <= MOST


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are a matter of Unix")
def test_every_share_is_done_once(tmp_path: Path) -> None:
    def work(share: int, of: int) -> None:
        for number in range(share, 10, of):
            with (tmp_path / str(number)).open("x") as file:
                file.write(str(os.getpid()))

    shares = Shares(work, 3)
    shares.finish()
    assert {path.name for path in tmp_path.iterdir()} == {str(number) for number in range(10)}
    assert len({path.read_text() for path in tmp_path.iterdir()}) == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are a matter of Unix")
def test_what_a_process_leaves_undone_is_done_here(tmp_path: Path) -> None:
    parent = os.getpid()

    def work(share: int, of: int) -> None:
        assert of == 2
        if os.getpid() != parent and share == 1:
            os._exit(9)
        (tmp_path / str(share)).touch()

    Shares(work, 2).finish()
    assert {path.name for path in tmp_path.iterdir()} == {"0", "1"}


def test_what_cannot_be_done_is_raised() -> None:
    def work(share: int, of: int) -> None:
        raise OSError(f"share {share} of {of}: the disk is full")

    with pytest.raises(OSError, match="share 0 of 1"):
        Shares(work, 0).finish()


def test_a_site_is_the_same_by_one_process_and_by_three(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = StoredStudy.load(synthetic.study(tmp_path / "study", 30, 2, 2))
    write_report([study], tmp_path / "one", ["html"])
    monkeypatch.setattr(page_pool, "MANY", 5)
    write_report([study], tmp_path / "several", ["html"])
    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.html")]
    assert len(files) > 30
    assert {path.relative_to(tmp_path / "several") for path in (tmp_path / "several").rglob("*.html")} == set(
        files
    )
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "several" / name).read_bytes()


def test_an_earlier_report_makes_room_and_nothing_else_does(tmp_path: Path) -> None:
    output = tmp_path / "site"
    write_report([StoredStudy.load(synthetic.study(tmp_path / "first", 12, 1, 1))], output, ["html"])
    (output / "notes.html").write_text("<p>mine")
    (output / "notes.txt").write_text("mine")
    before = {path.name for path in (output / "trials").iterdir()}
    second = StoredStudy.load(synthetic.study(tmp_path / "second", 3, 1, 1))
    write_report([second], output, ["html"])
    after = {path.name for path in (output / "trials").iterdir()}
    assert after == {f"{record.trial_id}.html" for record in second.records}
    assert after < before
    assert (output / "notes.html").read_text() == (output / "notes.txt").read_text().replace(
        "mine", "<p>mine"
    )
    stranger = tmp_path / "stranger"
    (stranger / "trials").mkdir(parents=True)
    (stranger / "trials" / "precious.txt").write_text("mine")
    (stranger / "index.html").write_text("<p>mine")
    with pytest.raises(RequestError, match="no earlier report's first page"):
        write_report([second], stranger, ["html"])
    assert (stranger / "index.html").read_text() == "<p>mine"
    assert (stranger / "trials" / "precious.txt").exists()
