"""The report as a static site: no network request, one script of its own, one shared chart library."""

from benchsuite.report.html.write import write_html

__all__ = ["write_html"]
