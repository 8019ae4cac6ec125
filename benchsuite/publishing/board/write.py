"""write_board: the site of a results repository, as a folder of files."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from benchsuite.errors import MissingFrameworkError, RequestError, StoreError
from benchsuite.publishing.repository.folder import BUNDLE, Repository
from benchsuite.report.site import Page, Site


def write_board(
    repository: Repository,
    output: Path,
    *,
    title: str = "",
    address: str = "",
    on_problem: Callable[[str], None] = print,
) -> Path:
    """Write the board of `repository` into the folder `output`, in place of an earlier one; returns its first
    page.

    :param address: where it will be published, for citations and badges. :param on_problem: hears what was left
        out.

    Raises MissingFrameworkError without the libraries of the extra `site`, RequestError where `output` is the
    repository or somebody else's, StoreError for a repository that cannot be read.
    """
    try:
        import jinja2  # noqa: F401
        import latex2mathml  # noqa: F401
    except ImportError as error:
        raise MissingFrameworkError("a board", [str(error.name)], "site") from error
    from benchsuite.publishing.board.accepted import read_accepted
    from benchsuite.publishing.board.change_points import is_available
    from benchsuite.publishing.board.rows import collect_board
    from benchsuite.publishing.board.told import Told
    from benchsuite.report.html import write_html

    own, folder = output.absolute().resolve(), repository.folder.absolute().resolve()
    if own == folder or own in folder.parents:
        raise RequestError(
            f"the site cannot be written to {output}: the results repository {folder} lies there"
        )
    if not is_available():
        on_problem(
            "no change of level is looked for: that needs ruptures; run: pip install 'benchsuite[site]'"
        )
    board = collect_board(repository)
    told = Told(board, read_accepted(repository.folder), title or f"benchsuite: {folder.name}", address)
    try:
        output.mkdir(parents=True, exist_ok=True)
        first = write_html(make_board(told), output, on_problem)[0]
        _files(told, output)
    except OSError as error:
        raise RequestError(f"the site cannot be written to {output}: {error}") from error
    return first


def make_board(told: object) -> Site:
    """All pages of the board."""
    from benchsuite.publishing.board.pages.configuration import configuration_page
    from benchsuite.publishing.board.pages.methods import methods_page
    from benchsuite.publishing.board.pages.overview import overview_page
    from benchsuite.publishing.board.pages.submissions import submission_page
    from benchsuite.publishing.board.pages.suite import machine_page, suite_page
    from benchsuite.publishing.board.told import Told, badge_path, bundle_path, citation_path

    assert isinstance(told, Told)
    board = told.board
    pages = [overview_page(told), *(suite_page(told, suite) for suite in board.suites), methods_page(told)]
    makers: dict[str, Callable[[], Page]] = {}
    for suite in board.suites:
        for machine in suite.machines:
            makers[machine.key] = lambda suite=suite, machine=machine: machine_page(told, suite, machine)  # type: ignore[misc]
    for one in board.submissions:
        makers[told.submission_page(one)] = lambda one=one: submission_page(told, one)  # type: ignore[misc]
    for name in board.configurations:
        makers[f"configuration:{name}"] = lambda name=name: configuration_page(told, name)  # type: ignore[misc]
    files = {
        f"file:{path(one)}" for one in board.submissions for path in (bundle_path, badge_path, citation_path)
    }

    def further(share: int, of: int) -> Iterator[Page]:
        for make in islice(makers.values(), share, None, of):
            yield make()

    keys = {page.key for page in pages} | set(makers) | files
    return Site(told.title, tuple(pages), further, frozenset(keys), f"results repository {told.title}")


def _files(told: object, output: Path) -> None:
    """The bundles, citations and badges of all submissions."""
    from benchsuite.publishing.board.citations import badge, bibtex
    from benchsuite.publishing.board.told import Told, badge_path, bundle_path, citation_path

    assert isinstance(told, Told)
    for one in told.board.submissions:
        for path in (bundle_path, badge_path, citation_path):
            (output / path(one)).parent.mkdir(exist_ok=True)
        bundle = output / bundle_path(one)
        shutil.copyfile(told.board.repository.study(one.id) / BUNDLE, bundle)
        if hashlib.sha256(bundle.read_bytes()).hexdigest() != one.bundle:
            raise StoreError(
                f"the bundle of {one.id} is not the file whose hash its summary has; `benchsuite site "
                f"{told.board.repository.folder} --check` says what else differs"
            )
        (output / badge_path(one)).write_text(badge(told.levels[one.id]), encoding="utf-8")
        (output / citation_path(one)).write_text(bibtex(one, told.title, told.address), encoding="utf-8")
