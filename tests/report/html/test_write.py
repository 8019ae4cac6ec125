"""A site takes the place of an earlier one and of nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchsuite.errors import RequestError
from benchsuite.report.html.write import MADE, clear


def test_somebody_elses_page_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<!doctype html><title>mine</title>")
    with pytest.raises(RequestError, match=r"index\.html is no earlier report's first page"):
        clear(tmp_path)
    assert (tmp_path / "index.html").exists()


def test_an_earlier_report_makes_room_and_other_files_stay(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(f'<meta {MADE}1.0">')
    (tmp_path / "mine.html").write_text("<title>mine</title>")
    (tmp_path / "assets").mkdir()
    clear(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.html"]
