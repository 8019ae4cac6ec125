"""The plugin that mirrors studies to MLflow. Nothing here, and no worker, imports mlflow before it is used.

The journal is the truth and MLflow a copy of it: whatever MLflow does, the study goes on, and
`benchsuite sync` sends what is missing.
"""

from __future__ import annotations

import atexit
import contextlib
import http.client
import importlib.util
import logging
import os
import shlex
import shutil
import sys
import tempfile
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
from benchsuite.schema.texts import MOST_REASON, capped
from benchsuite.trackers.addresses import SQLITE, database_path, database_uri, is_served, without_password
from benchsuite.trackers.sender import Sender
from benchsuite.trackers.system_metrics import Sampler

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from benchsuite.trackers.mirror import Mirror

NOWHERE = "none"
LOCAL_SERVER = "http://127.0.0.1:5000"
REACH_SECONDS = 3.0
"""How long a tracking server may take to show that it is there, and a database to be free."""
LOCK_ENDING, LOCK_SECONDS = ".lock", 60.0
"""Of the lock under which a database is made."""

MLFLOW_VARIABLES = {
    # the defaults block a study for minutes when the server is gone; and a request that is sent again to a
    # server that hangs is done twice when it goes on
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}

_senders: dict[Path, Sender] = {}
"""The studies that run in this process and are mirrored."""
_samplers: dict[Path, Sampler] = {}
"""Of those studies, the ones that asked for the machine's load."""
_pending: dict[Path, set[str]] = {}
"""Trials of these studies that have not ended."""
_warned: set[Path] = set()
"""Studies of which was said that they are not mirrored."""


@hookimpl
def benchsuite_study_started(study: StudyInfo, trials: Sequence[Trial]) -> None:
    uri = tracking_uri(study)
    if uri == NOWHERE:
        return
    _warned.discard(study.folder)
    try:
        check_extra()
    except BenchsuiteError as error:
        _warn(study, error)
        return
    _pending[study.folder] = {trial.id for trial in trials}
    sampler = None
    if study.settings.get("system_metrics"):
        sampler = _samplers[study.folder] = Sampler()
    with_report = bool(study.settings.get("log_report"))
    _senders[study.folder] = Sender(lambda: connect(study.folder, uri, study.label, sampler, with_report))
    _report(study)


@hookimpl
def benchsuite_trial_finished(study: StudyInfo, record: Record) -> None:
    sender = _senders.get(study.folder)
    if sender is None:
        return
    _pending[study.folder].discard(record.trial_id)
    sender.send(record)
    _report(study)


@hookimpl
def benchsuite_study_finished(study: StudyInfo, records: Sequence[Record]) -> None:
    sender, pending = _senders.pop(study.folder, None), _pending.pop(study.folder, set())
    sampler = _samplers.pop(study.folder, None)
    if sampler is not None:
        sampler.stop()
    if sender is None:
        return
    sender.finish(records, "KILLED" if pending else "FINISHED")
    if sender.mirror is not None:
        print("\n".join(links(sender.mirror, tracking_uri(study))))
    elif sender.problem is not None:
        _warn(study, sender.problem)


def _report(study: StudyInfo) -> None:
    """Say once that something is wrong with the mirror."""
    problem = _senders[study.folder].problem
    if problem is not None:
        _warn(study, problem)


def sync(folder: Path, uri: str, with_report: bool = False) -> tuple[int, list[str]]:
    """Mirror a recorded study to the MLflow store at `uri`; what is there already is left as it is.

    :param with_report: whether the study's report is attached to its run.

    Returns how many trials were sent, and lines that say where to look at them. Raises StoreError,
    MissingFrameworkError, or RequestError when MLflow cannot be reached or refuses.
    """
    from benchsuite.analysis.identity import Labels
    from benchsuite.running.study import StoredStudy

    records = StoredStudy.read(folder).records
    try:
        label = Labels(record.trial for record in records)
        mirror = connect(folder, uri, label, with_report=with_report)
        mirror.start()
        sent = sum([mirror.send(record) for record in records])
        mirror.finish(records)
    except BenchsuiteError:
        raise
    except Exception as error:
        raise RequestError(f"MLflow at {without_password(uri)} failed: {_first_line(error)}") from error
    return sent, links(mirror, uri)


def tracking_uri(study: StudyInfo) -> str:
    """Where a study is mirrored: its setting `tracking_uri`, or a database beside the studies."""
    return study.settings.get("tracking_uri") or database_uri(study.folder.parent / "mlflow.db")


def check_extra() -> None:
    """Raise MissingFrameworkError unless MLflow and what it needs are installed."""
    missing = [name for name in ("mlflow", "sqlalchemy", "alembic") if not importlib.util.find_spec(name)]
    if missing:
        raise MissingFrameworkError("the MLflow mirror", missing, "mlflow")


def connect(
    folder: Path,
    uri: str,
    label: Callable[[Trial], str] = lambda trial: trial.label,
    sampler: Sampler | None = None,
    with_report: bool = False,
) -> Mirror:
    """A study's mirror, in which trials are called what `label` gives, with what `sampler` has seen. Raises
    MissingFrameworkError, RequestError, or whatever MLflow raises.

    :param with_report: whether the study's report is attached to its run.
    """
    check_extra()
    for name, value in MLFLOW_VARIABLES.items():
        os.environ.setdefault(name, value)
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    from benchsuite.running.store import StudyStore
    from benchsuite.trackers.mirror import Mirror

    store, database = StudyStore(folder), database_path(uri)
    if database is not None:
        client = _open_database(database)
    else:
        if is_served(uri):
            _reach(uri)
        from mlflow import MlflowClient

        client = MlflowClient(uri)
    artifacts = None if is_served(uri) else folder.parent.absolute() / "mlartifacts"
    return Mirror(client, store, artifacts, label, sampler, with_report)


def links(mirror: Mirror, uri: str) -> list[str]:
    """Lines that tell a person how to look at a mirrored study; none where no trial of it has a run there."""
    served = is_served(uri)
    address = mirror.link(without_password(uri) if served else LOCAL_SERVER)
    if served or not address:
        return [f"MLflow: {address}"] if address else []
    store = shlex.quote(without_password(_shorten(uri)))
    return [f"MLflow: mlflow server --backend-store-uri {store}", f"then open: {address}"]


def _shorten(uri: str) -> str:
    """A database below the working directory by its relative path, as a person would type it."""
    return uri.replace(f"sqlite:///{Path.cwd()}{os.sep}", "sqlite:///")


def _open_database(path: Path) -> MlflowClient:
    """The client of a SQLite database, which is made where it is missing. One process at a time: MLflow's own
    making of tables fails where two do it at once. Raises RequestError for a file that is no such database, and
    where another process makes it for too long: MLflow itself would try for minutes.
    """
    import filelock

    path = path.absolute()
    if not path.parent.is_dir():
        raise RequestError(f"there is no folder {path.parent} for the database {path.name}")
    try:
        with filelock.FileLock(f"{path}{LOCK_ENDING}", timeout=LOCK_SECONDS):
            _check_database(path)
            from mlflow import MlflowClient

            client = MlflowClient(f"{SQLITE}{_plain(path)}")
            client.search_experiments(max_results=1)  # makes the tables
            return client
    except filelock.Timeout:
        raise RequestError(f"another process has been making the database {path} for long") from None
    except OSError as error:
        raise RequestError(f"the database {path} cannot be opened: {error}") from error


def _check_database(path: Path) -> None:
    """A new database keeps a write-ahead log: each of the half dozen transactions of a run waits for the disk
    once and not three times, and a server reads while a study writes. One that exists is left as it is. Raises
    RequestError where SQLite cannot open it."""
    import sqlite3

    new = not path.exists()
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=REACH_SECONDS)) as connection:
            if new:
                connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        raise RequestError(f"SQLite cannot open {path}: {error}") from error


def _plain(path: Path) -> Path:
    """A path to the same file that an address can hold as it is: through a link, where need be."""
    if database_uri(path) == f"{SQLITE}{path}":
        return path
    folder = Path(tempfile.mkdtemp(prefix="benchsuite-mlflow-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "results").symlink_to(path.parent)
    return folder / "results" / path.name


def _reach(uri: str) -> None:
    """Raise RequestError when no server answers: MLflow's own client would try for minutes."""
    parts = urlsplit(uri)
    host = parts.netloc.rpartition("@")[2]
    address = parts._replace(netloc=host, path=f"{parts.path.rstrip('/')}/health", query="", fragment="")
    try:
        urllib.request.urlopen(address.geturl(), timeout=REACH_SECONDS).close()
    except urllib.error.HTTPError:
        return  # a server that refuses this address is a server
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise RequestError(f"no MLflow server answers at {without_password(uri)}: {error}") from error


def _warn(study: StudyInfo, error: Exception) -> None:
    """Say once that the study is not mirrored, or not all of it, and how to do it later."""
    if study.folder in _warned:
        return
    _warned.add(study.folder)
    again = shlex.join(["benchsuite", "sync", str(study.folder), "--tracking-uri"])
    print(
        f"warning: not mirrored to MLflow: {_first_line(error)}. The study goes on; it is tried again, and "
        f"later: {again} {shlex.quote(without_password(tracking_uri(study)))}",
        file=sys.stderr,
    )


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return without_password(capped(text, MOST_REASON).splitlines()[0]).rstrip(".")
