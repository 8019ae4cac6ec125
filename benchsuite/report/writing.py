"""write_report: gathers the material, makes the pages, and hands them to whoever writes each format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from benchsuite.errors import MissingFrameworkError, RequestError, UnknownNameError
from benchsuite.report.content import make_site
from benchsuite.report.material import gather
from benchsuite.report.site import Site
from benchsuite.study import Study


def _html(site: Site, output: Path) -> list[Path]:
    from benchsuite.report.html import write_html

    return write_html(site, output)


FORMATS: dict[str, Callable[[Site, Path], list[Path]]] = {"html": _html}


def write_report(studies: Sequence[Study], output: Path, formats: Sequence[str]) -> list[Path]:
    """Write the report of `studies` into the folder `output`, in each of `formats`; returns what to open.

    Raises MissingFrameworkError without the libraries of the extra `report`, UnknownNameError for another
    format, RequestError when a file cannot be written.
    """
    for name in formats:
        if name not in FORMATS:
            raise UnknownNameError("format", name, FORMATS)
    try:
        import altair  # noqa: F401
        import jinja2  # noqa: F401
        import vl_convert  # noqa: F401
    except ImportError as error:
        raise MissingFrameworkError("a report", [str(error.name)], "report") from error
    site = make_site(gather(studies))
    try:
        output.mkdir(parents=True, exist_ok=True)
        return [path for name in dict.fromkeys(formats) for path in FORMATS[name](site, output)]
    except OSError as error:
        raise RequestError(f"the report cannot be written to {output}: {error}") from error
