"""Results of a check that was interrupted, kept until it is finished: one file per check, one line per case."""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from benchsuite.measure.worker.channel import CaseId, CaseResult

MOST_DAYS = 30
"""A file that nobody has gone on with for so long is removed."""


def checks_folder() -> Path:
    """Where results of unfinished checks are kept: a folder of the user's cache."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("benchsuite")) / "checks"


class KeptResults:
    """The results of one check so far.

    :param folder: where files of results lie; it need not exist yet.
    :param name: what is checked, for the file's name. :param facts: all that the results depend on: results
        of other facts are never read.

    A folder that cannot be written costs the resuming alone: `problem` then says why.
    """

    def __init__(self, folder: Path, name: str, facts: Mapping[str, str]) -> None:
        mark = hashlib.sha256(json.dumps(sorted(facts.items())).encode()).hexdigest()[:16]
        self._path = folder / f"{name}-{mark}.jsonl"
        self.problem = ""

    def read(self) -> dict[CaseId, CaseResult]:
        """What has ended well, or is not supported. What failed is to be run again: the cause may lie outside
        of what the facts say."""
        found: dict[CaseId, CaseResult] = {}
        try:
            lines = self._path.read_bytes().splitlines()
        except OSError:
            return {}
        for line in lines:
            try:
                result = CaseResult.model_validate_json(line)
            except ValidationError:  # the last line of a process that was killed
                continue
            case = CaseId(check=result.check, unroll=result.unroll)
            if result.status in ("ok", "unsupported"):
                found[case] = result
            else:
                found.pop(case, None)
        return found

    def add(self, result: CaseResult) -> None:
        """Keep a result; it is in the file when this returns."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                # a line of its own also after one that was cut off
                file.write(b"\n" + result.model_dump_json().encode(errors="replace") + b"\n")
        except OSError as error:
            self.problem = self.problem or f"results are not kept, an interruption loses them: {error}"

    def forget(self) -> None:
        """Remove the file: the check is finished, or begins anew. Files that are too old go with it."""
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
            for other in self._path.parent.glob("*.jsonl"):
                if other.stat().st_mtime < time.time() - MOST_DAYS * 86_400:
                    other.unlink(missing_ok=True)
