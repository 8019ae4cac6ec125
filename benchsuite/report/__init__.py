"""The report of one or several studies: a site, and its tables for papers and READMEs."""

from benchsuite.report.write import FORMATS, write_report

__all__ = ["FORMATS", "write_report"]
