"""The plugin that mirrors studies to MLflow. Nothing here, and no worker, imports mlflow before it is used.

The journal is the truth and MLflow a copy of it: whatever MLflow does, the study goes on, and
`benchsuite sync` sends what is missing.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from benchsuite.contracts import StudyInfo
from benchsuite.errors import BenchsuiteError, MissingFrameworkError, RequestError
from benchsuite.hookspecs import hookimpl
from benchsuite.schema import Record, Trial

if TYPE_CHECKING:
    from benchsuite.trackers.mirror import Mirror

NOWHERE = "none"
SQLITE = "sqlite:///"
LOCAL_SERVER = "http://127.0.0.1:5000"
REACH_SECONDS = 3.0
"""How long a tracking server may take to show that it is there."""

MLFLOW_VARIABLES = {
    # the defaults block a study for minutes when the server is gone
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}

_mirrors: dict[Path, Mirror | None] = {}
"""The studies that run in this process: their mirror, or None for one that is not mirrored (any more)."""


@hookimpl
def benchsuite_study_started(study: StudyInfo, trials: Sequence[Trial]) -> None:
    del trials
    _mirrors[study.folder] = None
    uri = tracking_uri(study)
    if uri == NOWHERE:
        return
    try:
        mirror = connect(study.folder, uri, study.label)
        mirror.start()
    except Exception as error:  # MLflow may fail in any way; its failure is a warning
        _give_up(study, error)
    else:
        _mirrors[study.folder] = mirror


@hookimpl
def benchsuite_trial_finished(study: StudyInfo, record: Record) -> None:
    mirror = _mirrors.get(study.folder)
    if mirror is None:
        return
    try:
        mirror.send(record)
    except Exception as error:
        _give_up(study, error)


@hookimpl
def benchsuite_study_finished(study: StudyInfo, records: Sequence[Record]) -> None:
    mirror = _mirrors.pop(study.folder, None)
    if mirror is None:
        return
    try:
        for record in records:
            mirror.send(record)
        mirror.finish(records)
    except Exception as error:
        _give_up(study, error)
    else:
        print("\n".join(links(mirror, study.folder, tracking_uri(study))))


def sync(folder: Path, uri: str) -> tuple[int, list[str]]:
    """Mirror a recorded study to the MLflow store at `uri`; what is there already is left as it is.

    Returns how many trials were sent, and lines that say where to look at them. Raises StoreError,
    MissingFrameworkError, or RequestError when MLflow cannot be reached or refuses.
    """
    from benchsuite.analysis.identity import Labels
    from benchsuite.running.store import StudyStore

    records = list(StudyStore.open(folder).latest().values())
    try:
        mirror = connect(folder, uri, Labels(record.trial for record in records))
        mirror.start()
        sent = sum([mirror.send(record) for record in records])
        mirror.finish(records)
    except BenchsuiteError:
        raise
    except Exception as error:
        raise RequestError(f"MLflow at {uri} failed: {_first_line(error)}") from error
    return sent, links(mirror, folder, uri)


def tracking_uri(study: StudyInfo) -> str:
    """Where a study is mirrored: its setting `tracking_uri`, or a database beside the studies."""
    return study.settings.get("tracking_uri") or f"sqlite:///{study.folder.parent / 'mlflow.db'}"


def connect(folder: Path, uri: str, label: Callable[[Trial], str] = lambda trial: trial.label) -> Mirror:
    """A study's mirror, in which trials are called what `label` gives. Raises MissingFrameworkError,
    RequestError, or whatever MLflow raises."""
    missing = [name for name in ("mlflow", "sqlalchemy", "alembic") if not importlib.util.find_spec(name)]
    if missing:
        raise MissingFrameworkError("the MLflow mirror", missing, "mlflow")
    served = urlsplit(uri).scheme in ("http", "https")
    if served:
        _reach(uri)
    elif uri.startswith(SQLITE) and "?" not in uri:
        _make_database(Path(uri.removeprefix(SQLITE)))
    for name, value in MLFLOW_VARIABLES.items():
        os.environ.setdefault(name, value)
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    from mlflow import MlflowClient

    from benchsuite.running.store import StudyStore
    from benchsuite.trackers.mirror import Mirror

    store = StudyStore(folder)
    artifacts = None if served else folder.parent.absolute() / "mlartifacts"
    return Mirror(MlflowClient(uri), store, artifacts, label)


def links(mirror: Mirror, folder: Path, uri: str) -> list[str]:
    """Lines that tell a person how to look at a mirrored study; none where no trial of it has a run there."""
    from benchsuite.running.store import StudyStore
    from benchsuite.trackers.mirror import STUDIES, comparison_link

    served = urlsplit(uri).scheme in ("http", "https")
    server, study_id = (uri if served else LOCAL_SERVER), StudyStore(folder).id
    found = [
        f"  {name}: {comparison_link(server, experiment_id, study_id)}"
        for name, experiment_id in sorted(mirror.experiments().items())
        if name != STUDIES
    ]
    if served or not found:
        return found
    return [f"MLflow: mlflow server --backend-store-uri {_shorten(uri)}", "then open:", *found]


def _shorten(uri: str) -> str:
    """A database below the working directory by its relative path, as a person would type it."""
    return uri.replace(f"sqlite:///{Path.cwd()}{os.sep}", "sqlite:///")


def _make_database(path: Path) -> None:
    """A new database keeps a write-ahead log: each of the half dozen transactions of a run waits for the disk
    once and not three times, and a server reads while a study writes. One that exists is left as it is.
    """
    import sqlite3

    if path.exists() or not path.parent.is_dir():
        return
    # what is wrong with the database, MLflow says
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")


def _reach(uri: str) -> None:
    """Raise RequestError when no server answers: MLflow's own client would try for minutes."""
    try:
        urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=REACH_SECONDS).close()
    except urllib.error.HTTPError:
        return  # a server that refuses this address is a server
    except (OSError, ValueError) as error:
        raise RequestError(f"no MLflow server answers at {uri}: {error}") from error


def _give_up(study: StudyInfo, error: Exception) -> None:
    """Say once that the study is not mirrored, and how to do it later."""
    _mirrors[study.folder] = None
    print(
        f"warning: not mirrored to MLflow: {_first_line(error)}. The study goes on; "
        f"later: benchsuite sync {study.name} --tracking-uri {tracking_uri(study)}",
        file=sys.stderr,
    )


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(".")
