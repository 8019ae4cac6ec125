"""Ten thousand trials: planned, recorded, read, and mirrored to MLflow beside as many others.

The published quick study lends its records. Mirroring all ten thousand of them would take minutes, so a hundred
are mirrored into an empty database, and a hundred more into one where ten thousand runs stand already.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np
import pluggy
import pytest
from fixtures.scripted import scripted_executor, scripted_trial
from fixtures.sources import published_bundle

from benchmarks.conftest import Set
from benchsuite import hookspecs
from benchsuite.analysis.validity import is_ranked
from benchsuite.plugins import Registry, registry
from benchsuite.running.matrix import Matrix, expand, make_plan
from benchsuite.running.store import StudyStore
from benchsuite.running.study import run_study
from benchsuite.schema import Record, Trial
from benchsuite.trackers import mlflow as tracker
from benchsuite.trackers.mirror import Mirror

P = ParamSpec("P")
T = TypeVar("T")
TRIALS, FEW = 10_000, 1_000
SAMPLE = 100
MEMORY = Path("/dev/shm")
"""Where a flush takes no time: the disk's is the machine's."""


def matrix(trials: int) -> Matrix:
    rates = [1e-3 * (1 + number / 1000) for number in range(trials // 100)]
    axes = {
        "task": "mnist_rows",
        "source": "digits",
        "cell": "lstm",
        "architecture": "plain",
        "backend": "numpy",
        "recipe.learning_rate": rates,
        "seed": list(range(100)),
    }
    return Matrix("large", {"axes": axes})


def seconds(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> tuple[float, T]:
    """CPU seconds of a call, and its answer."""
    begin = time.process_time()
    found = call(*args, **kwargs)
    return time.process_time() - begin, found


def expanded(count: int) -> Sequence[Trial]:
    return expand(matrix(count), registry()).trials


def test_planning(goal: Set) -> None:
    """Expansion, a worker's answer on every trial, and what becomes of each."""
    spent = {}
    for count in (FEW, TRIALS):
        expansion, trials = seconds(expanded, count)
        assert len(trials) == count
        asked = [trial.model_copy(update={"backend": "scripted"}) for trial in trials]
        with scripted_executor() as executor:
            executor.describe_backends(["scripted"])
            checking, found = seconds(executor.check_support, asked)
        planning, plan = seconds(make_plan, asked, found)
        assert len(plan.of("run")) == count
        spent[count] = expansion, checking, planning
    whole = {count: sum(parts) for count, parts in spent.items()}
    parts = "expanded {:.1f}, checked {:.1f}, planned {:.1f} s".format(*spent[TRIALS])
    goal("scale: planning 10,000 trials, CPU", whole[TRIALS], at_most=10.0, unit="s", note=parts)
    growth = whole[TRIALS] / TRIALS / (whole[FEW] / FEW)
    goal("scale: planning, a trial of 10,000 over one of 1,000", growth, at_most=1.25)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> StudyStore:
    folder = tmp_path_factory.mktemp("published")
    with zipfile.ZipFile(published_bundle()) as archive:
        archive.extractall(folder)
    return StudyStore.open(folder / "study")


@pytest.fixture(scope="module")
def measured(published: StudyStore) -> list[Record]:
    """Records that ended well, with their curves."""
    found = [record for record in published.latest().values() if is_ranked(record)]
    return [record.model_copy(update={"series": published.series(record.trial_id)}) for record in found]


def many(records: list[Record], count: int) -> Iterator[Record]:
    """The records again and again, of other seeds, and so of other trials."""
    for number in range(count):
        record = records[number % len(records)]
        trial = record.trial.model_copy(update={"seed": 1000 + number})
        yield record.model_copy(update={"trial": trial})


def test_journal(goal: Set, measured: list[Record], tmp_path_factory: pytest.TempPathFactory) -> None:
    records = list(many(measured, TRIALS))
    base = MEMORY if MEMORY.is_dir() else tmp_path_factory.mktemp("journal")
    folder = base / f"benchsuite-journal-{time.monotonic_ns()}"
    try:
        store = StudyStore(folder)
        with store.writing():
            spent = [seconds(store.append, record)[0] for record in records]
        reading, latest = seconds(StudyStore(folder).latest)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert len(latest) == TRIALS
    last, first = np.median(spent[-FEW:]), np.median(spent[:FEW])
    note = f"journal line and curves, flushes of the disk apart; all {sum(spent):.0f} s"
    goal("scale: storing a record, CPU", 1e3 * last, at_most=5.0, unit="ms", note=note)
    goal("scale: storing, the last 1,000 of 10,000 over the first", last / first, at_most=1.25)
    goal("scale: reading 10,000 records, CPU", reading, at_most=10.0, unit="s")


def copy_of(published: StudyStore, folder: Path, records: list[Record]) -> StudyStore:
    """A study of its own that holds `records` and their curves."""
    store = StudyStore(folder)
    with store.writing():
        store.describe({key: value for key, value in published.description().items() if key == "matrix"})
        for record in records:
            store.append(record)
    return store


def mirrored(mirror: Mirror, records: list[Record]) -> tuple[np.ndarray, np.ndarray]:
    """Wall and CPU seconds of sending each record."""
    wall, cpu = [], []
    for record in records:
        begin = time.perf_counter()
        cpu.append(seconds(mirror.send, record)[0])
        wall.append(time.perf_counter() - begin)
    return np.array(wall), np.array(cpu)


def crowd(database: Path, runs: int) -> int:
    """Clone the runs of a database, with params, tags and scalars, until there are about `runs`; how many."""
    with sqlite3.connect(database) as connection:
        (there,) = connection.execute("SELECT count(*) FROM runs").fetchone()
        tables = {
            "runs": "",
            "params": "",
            "tags": "",
            "latest_metrics": "",
            "metrics": "WHERE step = 0 AND length(run_uuid) = 32",
        }
        columns = {
            table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")] for table in tables
        }
        copies = runs // there
        for table, where in tables.items():
            names = columns[table]
            taken = [
                "printf('%s-%d', substr(run_uuid, 6), n)" if name == "run_uuid" else name for name in names
            ]
            connection.execute(
                f"WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < {copies}) "
                f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(taken)} FROM {table}, k {where}"
            )
        (found,) = connection.execute("SELECT count(*) FROM runs").fetchone()
    return int(found)


def test_mirror(goal: Set, published: StudyStore, measured: list[Record], tmp_path: Path) -> None:
    pytest.importorskip("mlflow")
    database = tmp_path / "mlflow.db"
    uri = f"sqlite:///{database}"
    found = {}
    for name in ("first", "second"):
        records = list(many(measured, SAMPLE))
        store = copy_of(published, tmp_path / name, records)
        mirror = tracker.connect(store.folder, uri)
        mirror.start()
        mirrored(mirror, records[:5])  # imports, experiments, connections
        found[name] = mirrored(mirror, records[5:])
        if name == "first":
            there = crowd(database, TRIALS)
    wall, cpu = (1e3 * float(np.median(each)) for each in found["first"])
    beside, beside_cpu = (1e3 * float(np.median(each)) for each in found["second"])
    points = np.mean([len(record.scalars) + sum(len(one.x) for one in record.series) for record in measured])
    goal(
        "mirror: a trial to MLflow on SQLite",
        wall,
        at_most=150.0,
        unit="ms",
        note=f"wall; CPU {cpu:.0f} ms; {points:.0f} points a record on average",
    )
    goal(
        "mirror: the same beside 10,000 runs",
        beside,
        at_most=150.0,
        unit="ms",
        note=f"{there} runs there",
    )
    goal("mirror: CPU beside 10,000 runs over an empty database", beside_cpu / cpu, at_most=1.25)


def test_the_mirror_is_off_the_timed_path(goal: Set, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No trial is at work while a record is mirrored."""
    pytest.importorskip("mlflow")
    spans: list[tuple[float, float]] = []
    send = Mirror.send

    def noted(mirror: Mirror, record: Record) -> bool:
        begin = time.time()
        sent = send(mirror, record)
        spans.append((begin, time.time()))
        return sent

    monkeypatch.setattr(Mirror, "send", noted)
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(tracker, "mlflow")
    trials: list[Trial] = [scripted_trial("sleep", seed=seed, seconds=0.05) for seed in range(10)]
    with scripted_executor() as executor:
        study = run_study("s", trials, executor, Registry(manager), tmp_path)
    busy = [(record.started, record.finished) for record in study.records]
    shared = sum(max(0.0, min(a, b) - max(s, t)) for s, a in spans for t, b in busy)
    mirroring = sum(end - begin for begin, end in spans)
    assert len(spans) >= len(trials)
    note = f"{mirroring:.1f} s of mirroring, {sum(b - a for a, b in busy):.1f} s of trials"
    goal("mirror: seconds while a trial is at work", shared, at_most=0.0, unit="s", note=note)
