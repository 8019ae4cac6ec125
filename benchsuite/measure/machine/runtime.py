"""The folder in which the benchsuite processes of one user on one machine find each other's locks."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from benchsuite.errors import RequestError

RUNTIME_VARIABLE = "BENCHSUITE_RUNTIME"
"""Names another folder: for containers that share a machine, or runs that shall not wait for each other."""


def runtime_folder() -> Path:
    """The folder, which is made where there is none: BENCHSUITE_RUNTIME, else one in /tmp by the user's id.

    TMPDIR and XDG_RUNTIME_DIR are not asked: two runs of one user may have different ones.
    Raises RequestError where the folder belongs to somebody else, OSError where it cannot be made.
    """
    asked = os.environ.get(RUNTIME_VARIABLE)
    folder = Path(asked) if asked else Path(f"/tmp/benchsuite-{os.getuid()}")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not asked and (found.st_uid != os.getuid() or not stat.S_ISDIR(found.st_mode)):
        raise RequestError(f"{folder} is not a folder of this user's: set {RUNTIME_VARIABLE} to one that is")
    return folder
