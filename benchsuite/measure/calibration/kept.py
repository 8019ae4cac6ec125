"""Where the results of calibrations are kept: a folder for each machine and backend, a file by size class.

Setting, read at every call:

    BENCHSUITE_CALIBRATION  the folder; unset, in the user's cache folder of this platform
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from benchsuite.schema.trial import Frozen

CALIBRATION_VARIABLE = "BENCHSUITE_CALIBRATION"
MACHINE_FILE = "machine.json"


class KeptChoice(Frozen):
    """The result of one calibration.

    chosen   the way that is taken, of those in `seconds`
    seconds  way -> median seconds of a training step when it was measured; the first is the default
    made     when, in seconds since 1970
    """

    backend: str
    size_class: str
    chosen: str
    seconds: dict[str, float]
    made: float


def calibration_folder() -> Path:
    """The folder of all machines; it need not exist yet."""
    if given := os.environ.get(CALIBRATION_VARIABLE):
        return Path(given).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("benchsuite")) / "calibration"


def machine_name(facts: Mapping[str, str]) -> str:
    """The name of a machine's folder: a hash of everything that a choice may depend on."""
    text = json.dumps(dict(facts), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def find(machine: Mapping[str, str], backend: str, size_class: str) -> KeptChoice | None:
    """What was chosen before on this machine; None where nothing was, or where the file is damaged."""
    found = _read(_file(machine, backend, size_class))
    same = found is not None and (found.backend, found.size_class) == (backend, size_class)
    return found if same else None


def keep(
    machine: Mapping[str, str],
    backend: str,
    size_class: str,
    chosen: str,
    seconds: Mapping[str, float],
    since: float = 0.0,
) -> KeptChoice:
    """Keep a choice, and return the one that is kept: another process may have made one at the same time, and
    every run of a machine makes the same choice. One that was made before `since` is replaced. A folder that
    cannot be written keeps nothing."""
    mine = KeptChoice(
        backend=backend, size_class=size_class, chosen=chosen, seconds=dict(seconds), made=time.time()
    )
    file = _file(machine, backend, size_class)
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        described = file.parent / MACHINE_FILE
        if not described.exists():
            described.write_text(json.dumps(dict(machine), indent=1, sort_keys=True), "utf-8")
        if file.exists():
            known = find(machine, backend, size_class)
            if known is None or known.made < since:
                file.unlink()  # damaged, or too old
        _create(file, mine.model_dump_json(indent=1))
    return find(machine, backend, size_class) or mine


def kept_choices() -> list[KeptChoice]:
    """All that are kept, of every machine that this folder has seen, the newest last."""
    files = sorted(calibration_folder().glob("*/*.json"))
    found = [_read(file) for file in files if file.name != MACHINE_FILE]
    return sorted((one for one in found if one is not None), key=lambda one: one.made)


def _file(machine: Mapping[str, str], backend: str, size_class: str) -> Path:
    name = hashlib.sha256(size_class.encode()).hexdigest()[:16]
    return calibration_folder() / machine_name(machine) / f"{backend}-{name}.json"


def _read(file: Path) -> KeptChoice | None:
    try:
        return KeptChoice.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None


def _create(file: Path, text: str) -> None:
    """Write a file at once, unless it exists."""
    handle, name = tempfile.mkstemp(dir=file.parent, suffix=".partial")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as partial:
            partial.write(text)
        try:
            os.link(name, file)
        except FileExistsError:
            pass
        except OSError:  # a file system without links
            Path(name).replace(file)
    finally:
        Path(name).unlink(missing_ok=True)
