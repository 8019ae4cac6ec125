"""write_report: gathers the material, makes the pages, and hands them to whoever writes each format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from benchsuite.contracts.study import StudyReader
from benchsuite.errors import MissingFrameworkError, RequestError, UnknownNameError
from benchsuite.plugins import Registry, registry
from benchsuite.report.contributions import contributions
from benchsuite.report.data import collect
from benchsuite.report.files import write_csv, write_parquet
from benchsuite.report.flow import all_tables
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


def _csv(site: Site, output: Path, on_problem: Listener) -> list[Path]:
    del on_problem
    for one in all_tables(site):
        write_csv(one.table, output / "csv" / f"{one.name}.csv")
    return [output / "csv"]


def _parquet(site: Site, output: Path, on_problem: Listener) -> list[Path]:
    del on_problem
    for one in all_tables(site):
        write_parquet(one.table, output / "parquet" / f"{one.name}.parquet")
    return [output / "parquet"]


FORMATS: dict[str, Callable[[Site, Path, Listener], list[Path]]] = {
    "html": _html,
    "markdown": _markdown,
    "latex": _latex,
    "csv": _csv,
    "parquet": _parquet,
}


def ignore(problem: str) -> None:
    """Hear of a problem and say nothing."""


def write_report(
    studies: Sequence[StudyReader],
    output: Path,
    formats: Sequence[str],
    *,
    plugins: Registry | None = None,
    on_problem: Listener = ignore,
) -> list[Path]:
    """Write the report of `studies` into the folder `output`, in each of `formats`; returns what to open.

    :param plugins: whose sections are added; those installed by default.
    :param on_problem: hears what was left out and why.

    Raises MissingFrameworkError without the libraries of the extra `report`, UnknownNameError for another
    format, RequestError for no study and when a file cannot be written, StoreError for a study that cannot be
    read.
    """
    if not studies:
        raise RequestError("a report needs at least one study")
    for name in formats:
        if name not in FORMATS:
            raise UnknownNameError("format", name, FORMATS)
    try:
        import altair  # noqa: F401
        import jinja2  # noqa: F401
        import vl_convert  # noqa: F401
    except ImportError as error:
        raise MissingFrameworkError("a report", [str(error.name)], "report") from error
    from benchsuite.report.content import make_site

    material = collect(studies)
    added = contributions(plugins or registry(), material.records)
    for name, problem in added.problems.items():
        on_problem(f"plugin {name} adds nothing to the report: {problem}")
    site = make_site(material, added)
    try:
        output.mkdir(parents=True, exist_ok=True)
        return [path for name in dict.fromkeys(formats) for path in FORMATS[name](site, output, on_problem)]
    except OSError as error:
        raise RequestError(f"the report cannot be written to {output}: {error}") from error
