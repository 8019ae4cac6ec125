"""write_report: collects the records, makes the pages, and hands them to the renderer of each format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchsuite.errors import MissingFrameworkError, RequestError, UnknownNameError

if TYPE_CHECKING:
    from benchsuite.contracts.study import StudyReader
    from benchsuite.plugins import Registry
    from benchsuite.report.site import Site

Listener = Callable[[str], None]


def _html(site: Site, output: Path, on_problem: Listener) -> list[Path]:
    from benchsuite.report.html import write_html

    return write_html(site, output, on_problem)


def _markdown(site: Site, output: Path, on_problem: Listener) -> list[Path]:
    from benchsuite.report.markdown import write_markdown

    del on_problem
    return write_markdown(site, output)


def _latex(site: Site, output: Path, on_problem: Listener) -> list[Path]:
    from benchsuite.report.latex import write_latex

    del on_problem
    return write_latex(site, output)


FORMATS: dict[str, Callable[[Site, Path, Listener], list[Path]]] = {
    "html": _html,
    "markdown": _markdown,
    "latex": _latex,
}
EXPORTED = ("csv", "parquet", "json")
"""Formats of the records themselves, which another command writes."""


def ignore(problem: str) -> None:
    """Hear of a problem and say nothing."""


def check_formats(formats: Sequence[str]) -> None:
    """Raise RequestError, or UnknownNameError, for a format that a report does not have."""
    for name in formats:
        if name in EXPORTED:
            raise RequestError(
                f"a report has no format {name}: its formats are {', '.join(FORMATS)}. For the records as "
                f"{name} use: benchsuite export STUDY --format {name}"
            )
        if name not in FORMATS:
            raise UnknownNameError("format", name, FORMATS)
    if not formats:
        raise RequestError(f"a report needs at least one format: {', '.join(FORMATS)}")


def write_report(
    studies: Sequence[StudyReader],
    output: Path,
    formats: Sequence[str],
    *,
    plugins: Registry | None = None,
    on_problem: Listener = ignore,
) -> list[Path]:
    """Write the report of `studies` into the folder `output`, in each of `formats`; returns what to open.

    :param formats: of FORMATS. :param plugins: whose sections are added; those installed by default.
    :param on_problem: hears what was left out and why.

    Raises MissingFrameworkError without the libraries of the extra `report`, UnknownNameError for another
    format, RequestError for no study and when a file cannot be written, StoreError for a study that cannot be
    read.
    """
    if not studies:
        raise RequestError("a report needs at least one study")
    check_formats(formats)
    try:
        import altair  # noqa: F401
        import jinja2  # noqa: F401
        import vl_convert  # noqa: F401
    except ImportError as error:
        raise MissingFrameworkError("a report", [str(error.name)], "report") from error
    from benchsuite.plugins import registry
    from benchsuite.report.content import make_site
    from benchsuite.report.contributions import contributions
    from benchsuite.report.data import collect
    from benchsuite.report.raw import write_raw

    data = collect(studies)
    added = contributions(plugins or registry(), data.records)
    for name, problem in added.problems.items():
        on_problem(f"plugin {name} adds nothing to the report: {problem}")
    site = make_site(data, added)
    try:
        output.mkdir(parents=True, exist_ok=True)
        made = [path for name in dict.fromkeys(formats) for path in FORMATS[name](site, output, on_problem)]
        if "html" in formats:
            write_raw(data, output)
        return made
    except OSError as error:
        raise RequestError(f"the report cannot be written to {output}: {error}") from error
