"""The report of a study as files that MLflow shows: its first page as one file, and all pages' pictures."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchsuite.errors import RequestError
from benchsuite.schema.texts import MOST_REASON, capped

PAGE, PICTURES = "overview.html", "pictures"
MOST_SECONDS = 1800.0

_STYLE = re.compile(r'<link rel="stylesheet" href="([^":]+)">')
_SCRIPT = re.compile(r'<script src="([^":]+)"></script>')
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
"""Allows files of the site alone: what is within the page would be left out."""
_LINK = re.compile(r'<a href="(?!#|[a-z]+:)[^"]*"')
"""To another page or file of the site, which is not there."""
_CHARTS = "assets/charts.js"
"""Draws charts in place of their pictures, and needs files beside the page."""
_PICTURE = re.compile(r'<noscript>(<img src=")([^":]+\.svg)("[^>]*>)</noscript>')


def report_files(study: Path, output: Path) -> None:
    """Write the report of the study in the folder `study` and put PAGE and PICTURES into `output`. It is made
    by a process of its own: a report may start further ones.

    Raises RequestError where there is no report.
    """
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        command = [sys.executable, "-m", "benchsuite", "report", str(study.absolute()), "--output", str(site)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=MOST_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise RequestError(f"the report for MLflow was not made: {error}") from error
        if done.returncode:
            said = capped(done.stderr.strip() or "it gave no reason", MOST_REASON).splitlines()[-1]
            raise RequestError(f"the report for MLflow was not made: {said}")
        (output / PAGE).write_text(single_file(site / "index.html"), encoding="utf-8")
        (output / PICTURES).mkdir()
        for picture in sorted((site / "charts").glob("*.png")):
            shutil.copyfile(picture, output / PICTURES / picture.name)


def single_file(page: Path) -> str:
    """A page of a report with its style, scripts and pictures within: what MLflow shows has no files beside
    it."""

    def text(name: str) -> str:
        return (page.parent / name).read_text(encoding="utf-8")

    def script(found: re.Match[str]) -> str:
        return "" if found[1] == _CHARTS else f"<script>{text(found[1])}</script>"

    def picture(found: re.Match[str]) -> str:
        data = base64.b64encode((page.parent / found[2]).read_bytes()).decode()
        return f"{found[1]}data:image/svg+xml;base64,{data}{found[3]}"

    made = _LINK.sub("<a", _POLICY.sub("", page.read_text(encoding="utf-8")))
    made = _STYLE.sub(lambda found: f"<style>{text(found[1])}</style>", made)
    return _PICTURE.sub(picture, _SCRIPT.sub(script, made))
