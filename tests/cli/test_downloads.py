"""The bar of a download: on a terminal, and nowhere else."""

import os
import pty
import subprocess
import sys

import pytest

CODE = """
from benchsuite.cli.downloads import download_bar
with download_bar("large.bin") as bar:  # as pooch tells of a download
    bar.total = 200_000
    for _ in range(4):
        bar.update(50_000)
    bar.reset()
    bar.update(200_000)
    bar.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_sees_the_file_by_name() -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    done = subprocess.run(
        [sys.executable, "-c", CODE], stdout=subprocess.PIPE, stderr=theirs, env=environment, check=False
    )
    os.close(theirs)
    said = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert (done.returncode, done.stdout) == (0, b"")
    assert "large.bin" in said
    assert "200.0" in said


def test_nothing_is_drawn_where_nobody_looks() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
