"""README.md of a results repository: the first page of its board, between two lines of the file."""

from __future__ import annotations

import re
from pathlib import Path

from benchsuite.errors import RequestError
from benchsuite.publishing.board.accepted import read_accepted
from benchsuite.publishing.board.pages.front import front_page
from benchsuite.publishing.board.rows import collect_board
from benchsuite.publishing.board.told import Told, bundle_path
from benchsuite.publishing.repository.folder import BUNDLE, Repository
from benchsuite.publishing.repository.submission import check_plain
from benchsuite.report.markdown import Address, escape, page_lines
from benchsuite.report.site import page_path
from benchsuite.running.store import STUDIES_FOLDER, atomic_write

README = "README.md"
BOARD_BEGIN, BOARD_END = "<!-- board -->", "<!-- end of board -->"
_BOARD = re.compile(rf"^{BOARD_BEGIN}[ \t]*$.*?^{BOARD_END}[ \t]*$", re.MULTILINE | re.DOTALL)


def write_readme(repository: Repository, *, title: str = "", address: str = "") -> Path:
    """Write the board's first page into the README.md of `repository` and return the file. Where there is none,
    it is made; of one that is there, what stands between the lines BOARD_BEGIN and BOARD_END is replaced.

    :param address: where the site is published; without it links lead to files of the repository.

    Raises RequestError where README.md lacks those lines or cannot be written, StoreError for a repository that
    cannot be read.
    """
    path = repository.folder / README
    check_plain(path)
    title = title or repository.folder.absolute().resolve().name
    board = board_text(repository, title=title, address=address)
    empty = f"# {escape(title)}\n\n{BOARD_BEGIN}\n{BOARD_END}\n"
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else empty
        if not _BOARD.search(text):
            raise RequestError(
                f"{path} has no place for the board: put these two lines where it belongs\n{BOARD_BEGIN}\n"
                f"{BOARD_END}"
            )
        with atomic_write(path) as file:
            file.write(_BOARD.sub(lambda _: f"{BOARD_BEGIN}\n\n{board}\n{BOARD_END}", text, count=1).encode())
    except (OSError, UnicodeError) as error:
        raise RequestError(f"{path} cannot be written: {error}") from error
    return path


def board_text(repository: Repository, *, title: str = "", address: str = "") -> str:
    """The board's first page as Markdown, without its title. Raises StoreError."""
    board = collect_board(repository)
    told = Told(board, read_accepted(repository.folder), title, address)
    return "\n".join(page_lines(front_page(told), 2, _addresses(told)))


def _addresses(told: Told) -> Address:
    """Where links lead: to the site where its address is known, else bundles and studies to their folders."""
    within = {}
    for one in told.board.submissions:
        folder = f"{STUDIES_FOLDER}/{one.id}"
        within[f"file:{bundle_path(one)}"] = f"{folder}/{BUNDLE}"
        within[told.submission_page(one)] = f"{folder}/"
    site = told.address.rstrip("/")

    def address(key: str) -> str:
        return f"{site}/{page_path(key)}" if site else within.get(key, "")

    return address
