"""Study: a study in a program or a notebook: its tables, charts, comparisons and report."""

from __future__ import annotations

import contextlib
import dataclasses
import warnings
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchsuite.analysis.comparison import Selection
from benchsuite.analysis.exclusions import exclusions
from benchsuite.analysis.ranking import Ranking, rankings
from benchsuite.api.compared import ComparedStudies
from benchsuite.api.opening import locate
from benchsuite.report.formatting import format_count
from benchsuite.running.study import StoredStudy
from benchsuite.schema import Scalar

if TYPE_CHECKING:
    import pandas as pd

    from benchsuite.api.plots import AltairChart

CURVE_COLUMNS: dict[str, str] = {
    "trial_id": "as in Study.frame()",
    "label": "what the trial is called in its study",
    "name": "the curve: `train/loss`, `val/accuracy`, `gradient/state/...`",
    "axis": "what x counts: `step`, `epoch`, `lag` (steps back in time) or `sample`",
    "x": "counted from 1; a lag from 0",
    "y": "the value",
}
"""Column of Study.curves() -> what it is. docs/reference/frames.md is made from it."""


@dataclass(frozen=True, repr=False)
class Study(StoredStudy):
    """A study on disk: what `benchsuite.run()` and `Study.load()` give.

    name         the study's name
    folder       where study.json, records.jsonl and series/ lie
    records      the latest record of each trial on each machine
    left         trials that were to run and did not, because the run was interrupted
    interrupted  whether it was
    damage       lines of the journal that are no records, and so are in nothing that is read here
    origin       the bundle that it was read from; "" for a study's own folder
    selected     field -> values: which trials where() kept; empty for all
    """

    selected: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    held: object = field(default=None, repr=False, compare=False)
    """What has to live as long as the study: an unpacked bundle is removed with it."""

    @classmethod
    def load(cls, study: str | Path, results: str | Path | None = None) -> Study:
        """Open a study by name, by the path of its folder, by the path of its bundle (X.crate.zip), or as it is
        published in a results repository (`results/quick@1`: by its board or its id). Warns of every line of
        its journal that is no record.

        :param results: folder in which names are looked for; BENCHSUITE_RESULTS, else `results`, by default.

        Raises UnknownNameError for a name that is not there, StoreError for a folder that is no study and a
        file that is no bundle.
        """
        held = _Held()
        found = locate(study, results, held.stack)
        stored = StoredStudy.read(found.folder)
        for one in stored.damage:
            warnings.warn(one.sentence(stored.name), stacklevel=2)
        made = cls.of(stored)
        return dataclasses.replace(made, name=found.name or made.name, origin=found.origin, held=held)

    @classmethod
    def of(cls, stored: StoredStudy) -> Study:
        """The same study, with tables and charts."""
        return cls(**{one.name: getattr(stored, one.name) for one in dataclasses.fields(StoredStudy)})

    def where(self, **fields: Scalar | Iterable[Scalar]) -> Study:
        """Those of its trials that have one of the values of every field: `where(cell="lstm", hidden=[32,
        64])`. Fields are named as in `benchsuite run --set`, groups with two underscores: `recipe__epochs=5`.

        Raises RequestError for an unknown field, and for a value that no trial has.
        """
        from benchsuite.analysis.comparison import parse_selection

        words = []
        for name, values in fields.items():
            given = [values] if isinstance(values, (str, bool, int, float)) else list(values)
            words.append(f"{name.replace('__', '.')}={','.join(map(_word, given))}")
        chosen = parse_selection(f"{self.name}:{';'.join(words)}")
        kept = Selection(self.name, {**self.selected, **chosen.fields})
        return dataclasses.replace(self, records=kept.choose(self.records), selected=kept.fields)

    def rankings(self) -> list[Ranking]:
        """The rankings of what may be compared: one for each machine, task, source and set of options."""
        return rankings(self.records)

    def ranking(self) -> pd.DataFrame:
        """One row per task and model, the best first: its metric with an interval over seeds, who runs it
        fastest, and what to be careful about. The columns are described in docs/reference/frames.md."""
        from benchsuite.api.tables import ranking_frame

        return ranking_frame(self.rankings())

    def table(self) -> pd.DataFrame:
        """Models by tasks, as papers print them: `0.981 ± 0.004`, the mean over seeds and half of its 95 %
        interval. Of models of one name the best one of each task."""
        from benchsuite.api.tables import results_frame

        return results_frame(self.rankings())

    def curves(self, *names: str) -> pd.DataFrame:
        """One row per point of the curves of these names, of all curves for none: `curves("train/loss")`.
        The columns are described in docs/reference/frames.md. Raises StoreError."""
        import pandas as pd

        rows: dict[str, list[Any]] = {column: [] for column in CURVE_COLUMNS}
        for record in self.records:
            label = self.label(record.trial)
            for one in self.series(record.trial_id, record.attempt):
                if names and one.name not in names:
                    continue
                values = (record.trial_id, label, one.name, one.axis)
                for column, value in zip(CURVE_COLUMNS, values, strict=False):
                    rows[column] += [value] * len(one.x)
                rows["x"] += one.x
                rows["y"] += one.y
        return pd.DataFrame(rows)

    def compare(self, other: Study | str | Path) -> ComparedStudies:
        """Whether `other` (B) is better than this study (A), as `benchsuite compare` says it. Trials are
        paired by configuration; what two selections differ in is what is compared:
        `study.where(cell="rnn").compare( study.where(cell="lstm"))`.

        :param other: a study, or what Study.load() takes.
        """
        from benchsuite.analysis.comparison import compare

        b = other if isinstance(other, Study) else type(self).load(other)
        left, right = (Selection(one.name, dict(one.selected)) for one in (self, b))
        return ComparedStudies(compare(self.records, b.records, left, right))

    def report(self, output: str | Path = "report", formats: str | Sequence[str] = ("html",)) -> Path:
        """Write its report into the folder `output`; returns what to open.

        :param formats: `html`, `markdown`, `latex`: one or several.

        Raises MissingFrameworkError without the extra `report`, UnknownNameError for another format.
        """
        from benchsuite.report import write_report

        wanted = [formats] if isinstance(formats, str) else list(formats)
        return write_report(
            [self], Path(output), wanted, on_problem=lambda text: warnings.warn(text, stacklevel=3)
        )[0]

    def plot_ranking(self, task: str | None = None) -> AltairChart:
        """The test metric of every model with its 95 % interval over seeds, the best first.

        :param task: a task, or what Study.ranking() calls it; by default all, one chart above the other.

        All charts are Altair's. Raises MissingFrameworkError without the extra `report`, RequestError where
        there is nothing to draw.
        """
        from benchsuite.api import plots

        plots.check_altair()
        tasks = plots.chosen_tasks(self, task)
        return plots.joined([plots.ranking_chart(one) for one in tasks], "no ranking to draw")

    def plot_learning(self, task: str | None = None) -> AltairChart:
        """The validation metric by epoch and the training loss by step, a line for each model with what its
        seeds span. Argument and errors as of plot_ranking()."""
        from benchsuite.api import plots

        plots.check_altair()
        made = [chart for one in plots.chosen_tasks(self, task) for chart in plots.learning_charts(one)]
        return plots.joined(made, f"no trial of {self.name} recorded curves")

    def plot_speed(self, task: str | None = None) -> AltairChart:
        """Training sequences per second of every model, a point for each way that it was run. Argument and
        errors as of plot_ranking()."""
        from benchsuite.api import plots

        plots.check_altair()
        tasks = plots.chosen_tasks(self, task)
        return plots.joined([plots.speed_chart(one) for one in tasks], "no speed to draw")

    def plot_tradeoff(self, task: str | None = None) -> AltairChart:
        """The test metric against training speed, and the Pareto front. Argument and errors as of
        plot_ranking()."""
        from benchsuite.api import plots

        plots.check_altair()
        made = plots.tradeoff_charts(plots.chosen_tasks(self, task))
        return plots.joined(made, f"no task of {self.name} has two models with a metric and a speed")

    def plot_gradients(self, task: str | None = None) -> AltairChart:
        """What is left of the gradient by steps back in time, before and after training, a line for each
        cell. Argument and errors as of plot_ranking()."""
        from benchsuite.api import plots

        plots.check_altair()
        made = plots.gradient_charts(plots.chosen_tasks(self, task))
        return plots.joined(made, f"no trial of {self.name} has gradients by time step")

    def __repr__(self) -> str:
        return f"<Study {self.name}: {format_count(len(self.records), 'trial')}>"

    def _repr_html_(self) -> str:
        """What Jupyter shows: the ranking of one task, or the models by tasks; and what is not in it."""
        import html

        from benchsuite.api.tables import ranking_html, results_html

        found = [one for one in self.rankings() if one.models]
        said = [
            f"<b>{html.escape(self.name)}</b>: {format_count(len(self.records), 'trial')}",
            *(
                html.escape(f"{one.kind}: {len(one.records)} ({one.reason})")
                for one in exclusions(self.records)
            ),
        ]
        if self.left:
            said.append(f"interrupted: {format_count(len(self.left), 'trial')} left")
        shown = "" if not found else ranking_html(found[0]) if len(found) == 1 else results_html(found)
        return f"<p>{'<br>'.join(said)}</p>{shown}"


class _Held:
    """Closes its stack when nothing refers to it any more, and at the end of the process."""

    def __init__(self) -> None:
        self.stack = contextlib.ExitStack()
        weakref.finalize(self, self.stack.close)


def _word(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
