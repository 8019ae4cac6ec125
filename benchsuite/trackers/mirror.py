"""Mirror: one study in one MLflow store. Sending anything twice stores it once.

Trials are runs of the experiment `benchsuite/TASK`, children of the study's run in `benchsuite/studies`
(a parent in the same experiment would leave the chart page empty). Means over seeds are runs of
`benchsuite/TASK/configurations`, one for each configuration.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from benchsuite.analysis.machines import Machine, machine_of
from benchsuite.analysis.ranking import Ranking, rankings
from benchsuite.analysis.seeds import Aggregate, aggregate
from benchsuite.analysis.validity import breaks_parity
from benchsuite.running.store import ARTIFACTS, DESCRIPTION, StudyStore
from benchsuite.schema import Record, Status, Trial
from benchsuite.trackers import descriptions, views
from benchsuite.trackers import points as terms
from benchsuite.trackers.configurations import configurations_csv
from benchsuite.trackers.datasets import dataset_input
from benchsuite.trackers.experiments import STUDIES, Experiments, task_of
from benchsuite.trackers.models import log_model, model_file
from benchsuite.trackers.report_files import report_files
from benchsuite.trackers.system_metrics import Sampler

if TYPE_CHECKING:
    from mlflow import MlflowClient

RUN_STATUS = {
    Status.OK: "FINISHED",
    Status.DIVERGED: "FAILED",
    Status.FAILED: "FAILED",
    Status.TIMEOUT: "KILLED",
    Status.KILLED: "KILLED",
}
"""A record's status -> its run's. A skipped trial ran nothing, and has no run."""

STUDY_TAG, KEY_TAG, STAMP_TAG = "benchsuite.study_id", "benchsuite.key", "benchsuite.stamp"


@dataclass(frozen=True)
class _Known:
    """A run that MLflow holds: what it is called, of which content it is, and whether all of it arrived."""

    run_id: str
    name: str
    stamp: str
    complete: bool


class Mirror:
    """Sends a study's records to `client`. Any of its methods may raise whatever MLflow raises.

    artifacts  folder for the runs' files where MLflow has no server to keep them, else None
    label      what a trial is called in its study
    sampler    what has sampled the machine's load, where the run asked for it
    with_report  whether the study's report is attached to its run
    """

    def __init__(
        self,
        client: MlflowClient,
        store: StudyStore,
        artifacts: Path | None,
        label: Callable[[Trial], str],
        sampler: Sampler | None = None,
        with_report: bool = False,
    ) -> None:
        self._sampler, self._with_report = sampler, with_report
        self._client, self._store, self._label = client, store, label
        self._experiments = Experiments(client, artifacts)
        self._known: dict[str, dict[str, _Known]] = {}
        self._study_run = ""
        self._source: dict[str, str] = {}

    def start(self) -> None:
        """Find or make the study's run."""
        self._source = descriptions.source_tags(self._store.description())
        known = self._runs(STUDIES).get(self._store.id)
        if known is None:
            tags = {KEY_TAG: self._store.id, STAMP_TAG: ""}
            known = self._create(STUDIES, self._store.name, tags, int(self._created() * 1000))
        elif known.complete:
            self._client.update_run(known.run_id, status="RUNNING")
        self._study_run = known.run_id

    def send(self, record: Record) -> bool:
        """Mirror a record; False when it is there already, or has nothing to show. A run is named by its
        trial's label without the task, which is the experiment."""
        if record.status is Status.SKIPPED:
            return False
        label = self._label(record.trial)
        name = label.partition(" ")[2]
        tags = {**terms.tags(record, label), descriptions.NOTE: descriptions.trial_sentence(record)}
        stamp = f"{record.fingerprint}/{record.started:.6f}"
        key = self._key(record.trial_id, record)
        run = self._claim(_experiment(record), key, stamp, name, record, tags)
        if run is None:
            return False
        series = record.series or self._store.series(record.trial_id, record.attempt)
        self._log(run, terms.params(record.trial), terms.points(record, series), record)
        data = dataset_input(record)
        if data is not None:
            self._client.log_inputs(run, [data])
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "record.json").write_text(record.model_dump_json(indent=1), encoding="utf-8")
            curves = self._store.series_path(record.trial_id, record.attempt)
            if curves.exists():
                (Path(folder) / "series.parquet").write_bytes(curves.read_bytes())
            self._client.log_artifacts(run, folder)
        weights = model_file(record, self._store.folder / ARTIFACTS)
        if weights is not None:
            log_model(self._client, run, weights)
        self._log_system_metrics(run, record)
        self._complete(_experiment(record), key, RUN_STATUS[record.status], record)
        return True

    def _log_system_metrics(self, run: str, record: Record) -> None:
        if self._sampler is None:
            return
        from mlflow.entities import Metric

        metrics = [
            Metric(name, value, int(1000 * sample.when), step)
            for step, sample in enumerate(self._sampler.between(record.started, record.finished))
            for name, value in sample.figures.items()
        ]
        if metrics:
            self._client.log_batch(run, metrics)

    def finish(self, records: Sequence[Record], status: str = "FINISHED") -> None:
        """Mirror the means over seeds and the study's own run, and end it with MLflow's `status`."""
        groups = aggregate(records)
        repeated = {group.trial.task for group in groups if len(group.records) > 1}
        for group in groups:
            if group.trial.task in repeated and group.scalars:
                self._send_configuration(group)
        for experiment in self._known:  # a server that hung may have made runs twice in the meantime
            self._known[experiment] = self._list(experiment)
        last = max((record.finished for record in records), default=0.0)
        counts = Counter(str(record.status) for record in records)
        found = [terms.Point(f"trials/{status}", float(n), 0) for status, n in sorted(counts.items())]
        breaches = sum(map(breaks_parity, records))
        found.append(terms.Point("parity/breaches", float(breaches), 0))
        self._log_points(self._study_run, found, {}, last, last)
        self._client.log_text(
            self._study_run, configurations_csv(groups, self._configuration), "configurations.csv"
        )
        self._show(records, rankings(records))
        description = self._store.folder / DESCRIPTION
        if description.exists():
            self._client.log_artifact(self._study_run, str(description))
        self._client.set_terminated(self._study_run, status, int(last * 1000))
        if self._with_report:
            with tempfile.TemporaryDirectory() as made:
                report_files(self._store.folder, Path(made))
                self._client.log_artifacts(self._study_run, made, "report")

    def link(self, server: str) -> str:
        """The address, in a server's pages, of what to look at first: the charts of the study's task, or the
        study's run, which has a link to each task's; "" where no trial has a run."""
        tasks = self._tasks()
        if not tasks:
            return ""
        if len(tasks) == 1:
            [experiment_id] = tasks.values()
            return views.view_link(server, experiment_id, views.view_key(self._store.id))
        return views.run_link(server, self._experiments.id(STUDIES), self._study_run)

    def _tasks(self) -> dict[str, str]:
        """Task -> id of the experiment that holds its trials, of the tasks in which this study has runs."""
        return {
            task: experiment_id
            for name, experiment_id in self._experiments.known.items()
            if self._known.get(name) and (task := task_of(name))
        }

    def _show(self, records: Sequence[Record], found: Sequence[Ranking]) -> None:
        """Describe the study, and have each task's experiment open on its metric, loss and speed."""
        tasks, key = self._tasks(), views.view_key(self._store.id)
        only = views.study_filter(STUDY_TAG, self._store.id)
        for ranking in reversed(found):  # of several sources the first one's metric is shown
            if ranking.task in tasks:
                metric = terms.legal(f"test/{ranking.metric}")
                shown = views.view(metric, ranking.higher_is_better, only)
                self._client.set_experiment_tag(tasks[ranking.task], views.VIEW_TAG + key, shown)
        shown_rankings = [ranking for ranking in found if ranking.task in tasks]

        def link(task: str) -> str:
            return views.view_link("", tasks[task], key).lstrip("/")

        text = descriptions.study_text(self._store.name, records, shown_rankings, link)
        self._client.set_tag(self._study_run, descriptions.NOTE, text[: terms.MOST_TAG])

    def _send_configuration(self, group: Aggregate) -> None:
        stamp = " ".join(f"{record.fingerprint}/{record.started:.6f}" for record in group.records)
        name = self._configuration(group).partition(" ")[2]
        experiment = f"{_experiment(group.records[0])}/configurations"
        last = max(group.records, key=lambda record: record.finished)
        tags = {"benchsuite.ranked": str(group.ranked).lower(), "benchsuite.seeds": str(group.seeds)}
        key = self._key(group.configuration_id, last)
        run = self._claim(experiment, key, stamp, name, last, tags)
        if run is not None:
            found = terms.estimates(group.scalars, last.primary)
            self._log(run, terms.params(group.trial, seed=False), found, last)
            self._complete(experiment, key, "FINISHED", last)

    def _key(self, name: str, record: Record) -> str:
        """What a run of the trial or configuration `name` is found by: a run for each machine."""
        machine = machine_of(record.environment)
        if machine in (self._home, Machine()):
            return name
        return f"{name}@{hashlib.sha256(repr(machine.facts).encode()).hexdigest()[:8]}"

    @cached_property
    def _home(self) -> Machine:
        """The machine whose runs are found by the plain name: that of the study, else of its first record."""
        home = self._store.home
        if home.facts:
            return home
        first = map(machine_of, (record.environment for record in self._store.latest().values()))
        return next((machine for machine in first if machine.facts), home)

    def _configuration(self, group: Aggregate) -> str:
        """What a configuration is called: its trials' label without the seed."""
        return self._label(group.trial).replace(f" seed {group.trial.seed}", "", 1)

    def _claim(
        self, experiment: str, key: str, stamp: str, name: str, record: Record, tags: Mapping[str, str]
    ) -> str | None:
        """The run to fill for `key`: a new one, or one that was left unfilled; None when it is complete.

        A run of other content is deleted: a trial counts once in a comparison. One that was named when the
        study had fewer trials takes its new name.
        """
        known = self._runs(experiment).get(key)
        if known is not None and known.stamp == stamp:
            if known.name != name:
                self._client.update_run(known.run_id, name=name)
                self._known[experiment][key] = replace(known, name=name)
            return None if known.complete else known.run_id
        if known is not None:
            self._client.delete_run(known.run_id)
        tags = {**tags, KEY_TAG: key, STAMP_TAG: stamp, "mlflow.parentRunId": self._study_run}
        return self._create(experiment, name, tags, int(record.started * 1000)).run_id

    def _create(self, experiment: str, name: str, tags: Mapping[str, str], started: int) -> _Known:
        kept = {key: text[: terms.MOST_TAG] for key, text in tags.items()}
        own = {STUDY_TAG: self._store.id, "benchsuite.study": self._store.name, **self._source}
        experiment_id = self._experiments.id(experiment)
        run = self._client.create_run(experiment_id, started, {**kept, **own}, name)
        known = _Known(run.info.run_id, name, kept[STAMP_TAG], False)
        self._known[experiment][kept[KEY_TAG]] = known
        return known

    def _complete(self, experiment: str, key: str, status: str, record: Record) -> None:
        """End a run, which says that all of it arrived."""
        known = self._known[experiment][key]
        self._client.set_terminated(known.run_id, status, int(record.finished * 1000))
        self._known[experiment][key] = replace(known, complete=True)

    def _log(self, run: str, params: Mapping[str, str], found: Sequence[terms.Point], record: Record) -> None:
        self._log_points(run, found, params, record.started, record.finished)

    def _log_points(
        self,
        run: str,
        found: Sequence[terms.Point],
        params: Mapping[str, str],
        started: float,
        finished: float,
    ) -> None:
        from mlflow.entities import Metric, Param

        # the record's own times, so that a point sent again is the same point
        metrics = [
            Metric(
                point.name,
                point.value,
                int(1000 * (finished if point.seconds is None else min(started + point.seconds, finished))),
                point.step,
            )
            for point in found
        ]
        self._client.log_batch(run, metrics, [Param(name, value) for name, value in params.items()])

    def _runs(self, experiment: str) -> dict[str, _Known]:
        """This study's runs in an experiment by key; asked once, then kept."""
        if experiment not in self._known:
            self._known[experiment] = self._list(experiment)
        return self._known[experiment]

    def _list(self, experiment: str) -> dict[str, _Known]:
        """This study's runs in an experiment by key. Where a key has several, because a server made one whose
        answer came too late, all but one are deleted, an incomplete one before a complete one."""
        found: dict[str, _Known] = {}
        for key, known in list(self._search(experiment)):  # deleting would move the pages
            kept, *others = sorted(
                (known, *filter(None, [found.get(key)])), key=lambda one: (not one.complete, one.run_id)
            )
            found[key] = kept
            for other in others:
                self._client.delete_run(other.run_id)
        return found

    def _search(self, experiment: str) -> Iterator[tuple[str, _Known]]:
        experiment_id, page = self._experiments.id(experiment), None
        while True:
            runs = self._client.search_runs(
                [experiment_id], f"tags.`{STUDY_TAG}` = '{self._store.id}'", max_results=1000, page_token=page
            )
            for run in runs:
                tags = run.data.tags
                complete = run.info.status != "RUNNING"
                name, stamp = run.info.run_name or "", tags.get(STAMP_TAG, "")
                yield tags.get(KEY_TAG, ""), _Known(run.info.run_id, name, stamp, complete)
            page = runs.token
            if not page:
                return

    def _created(self) -> float:
        return float(self._store.description().get("created") or 0.0)


def _experiment(record: Record) -> str:
    return f"benchsuite/{record.trial.task}"
