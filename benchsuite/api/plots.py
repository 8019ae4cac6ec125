"""Charts of a study for a notebook, as Altair charts that a user can change: those of the report, and
intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from benchsuite.contracts.report import Chart
from benchsuite.contracts.study import StudyReader
from benchsuite.errors import MissingFrameworkError, RequestError, UnknownNameError

if TYPE_CHECKING:
    from benchsuite.report.data import TaskResults

AltairChart = Any
"""altair.Chart, LayerChart or VConcatChart."""
WIDTH = 480
"""Pixels of a chart that the report makes as wide as its place."""


def check_altair() -> None:
    """Raise MissingFrameworkError unless Altair is installed."""
    try:
        import altair  # noqa: F401
    except ImportError as error:
        raise MissingFrameworkError("charts", ["altair"], "report") from error


def chosen_tasks(study: StudyReader, task: str | None) -> list[TaskResults]:
    """The study's tasks that have a ranking, or those that `task` names: a task, or the title of a
    ranking."""
    from benchsuite.report.data import collect

    found = [one for one in collect([study]).tasks if one.ranking is not None and one.ranking.models]
    if task is None:
        if not found:
            raise RequestError(f"{study.name} has no ranking to draw: none of its trials has a result")
        return found
    kept = [one for one in found if one.ranking is not None and task in (one.title, one.ranking.task)]
    if not kept:
        raise UnknownNameError(f"task of {study.name}", task, [one.title for one in found])
    return kept


def altair_chart(chart: Chart, title: str = "") -> AltairChart:
    """A report's chart as one of Altair's, to be shown or changed."""
    import altair as alt

    spec: dict[str, Any] = _with_values(chart.spec, chart.spec.get("datasets", {}))
    spec.pop("$schema", None)  # which a chart among others may not have
    if spec.get("width") == "container":
        spec["width"] = WIDTH
    spec.setdefault("title", title or chart.title)
    return alt.Chart.from_dict(spec)


def _with_values(spec: Any, datasets: Mapping[str, Any]) -> Any:
    """The specification with each data set in place of its name: charts that are joined may not share names."""
    if isinstance(spec, Mapping):
        return {
            key: {"values": datasets[value["name"]]}
            if key == "data" and isinstance(value, Mapping) and value.get("name") in datasets
            else _with_values(value, datasets)
            for key, value in spec.items()
            if key != "datasets"
        }
    return [_with_values(one, datasets) for one in spec] if isinstance(spec, list) else spec


def joined(charts: Sequence[AltairChart], nothing: str) -> AltairChart:
    """One chart, or several above each other. Raises RequestError(nothing) for none."""
    import altair as alt

    if not charts:
        raise RequestError(nothing)
    if len(charts) == 1:
        return charts[0]
    return alt.vconcat(*charts).resolve_scale(color="independent", shape="independent")


def ranking_chart(results: TaskResults) -> AltairChart:
    """The test metric of every model, the best first, with its 95 % interval where there are seeds."""
    import altair as alt

    from benchsuite.api.tables import metric_words
    from benchsuite.report.charts import cell_legend, chart, named
    from benchsuite.report.pages.rankings import model_words

    ranking = results.ranking
    assert ranking is not None
    rows = [
        {
            "model": model_words(model, ranking),
            "cell": model.fastest.trial.cell,
            "value": model.metric.mean,
            "low": model.metric.mean if model.metric.low is None else model.metric.low,
            "high": model.metric.mean if model.metric.high is None else model.metric.high,
            "shown": metric_words(model.metric),
        }
        for model in ranking.models
        if model.metric is not None
    ]
    names = [row["model"] for row in rows]
    legend = cell_legend(str(row["cell"]) for row in rows)
    y = alt.Y("model:N", sort=names, title=None, axis=alt.Axis(labelLimit=260))
    scale = alt.Scale(zero=False)
    name = ranking.metric.replace("_", " ")
    bars = (
        alt.Chart(named())
        .mark_rule(strokeWidth=2)
        .encode(
            x=alt.X("low:Q", title=name, scale=scale), x2="high:Q", y=y, color=legend.colour(legend=False)
        )
    )
    dots = (
        alt.Chart(named())
        .mark_point(size=70, opacity=1)
        .encode(
            x=alt.X("value:Q", title=name, scale=scale),
            y=y,
            color=legend.colour(),
            fill=legend.fill(),
            shape=legend.shape(),
            tooltip=[alt.Tooltip("model:N"), alt.Tooltip("shown:N", title=name)],
        )
    )
    better = "higher" if ranking.higher_is_better else "lower"
    made = chart(results.title, alt.layer(bars, dots), rows, "", height=max(60, 22 * len(rows)))
    return altair_chart(made, f"{results.title}: {name}, {better} is better")


def speed_chart(results: TaskResults) -> AltairChart:
    """Training sequences per second of every model by everyone who ran it."""
    import altair as alt

    from benchsuite.analysis.runs import runs_of
    from benchsuite.report.charts import backend_legend, chart, named
    from benchsuite.report.formatting import format_number
    from benchsuite.report.pages.rankings import model_words

    ranking = results.ranking
    assert ranking is not None
    rows = [
        {
            "model": model_words(run.model, ranking),
            "run by": run.runner,
            "backend": run.aggregate.trial.backend,
            "speed": run.speed,
            "shown": f"{format_number(run.speed)}/s",
        }
        for run in runs_of([ranking])
        if run.speed
    ]
    names = list(dict.fromkeys(str(row["model"]) for row in rows))
    legend = backend_legend(str(row["backend"]) for row in rows)
    points = (
        alt.Chart(named())
        .mark_point(size=70, opacity=1)
        .encode(
            x=alt.X(
                "speed:Q",
                title="training, sequences per second",
                scale=alt.Scale(type="log", nice=False, padding=15),
            ),
            y=alt.Y("model:N", sort=names, title=None, axis=alt.Axis(labelLimit=260, grid=True)),
            color=legend.colour(),
            fill=legend.fill(),
            shape=legend.shape(),
            tooltip=[alt.Tooltip("model:N"), alt.Tooltip("run by:N"), alt.Tooltip("shown:N", title="speed")],
        )
    )
    made = chart(results.title, points, rows, "", height=max(60, 22 * len(names)))
    return altair_chart(made, f"{results.title}: training speed")


def tradeoff_charts(tasks: Sequence[TaskResults]) -> list[AltairChart]:
    """The metric against training speed, of tasks with at least two models that have both."""
    from benchsuite.report.pages.overview_charts import tradeoff_chart

    found = [made for one in tasks if (made := tradeoff_chart(one)) is not None]
    return [altair_chart(one) for one in found]


def learning_charts(results: TaskResults) -> list[AltairChart]:
    """The validation metric by epoch and the training loss by step."""
    from benchsuite.report.pages import task_charts
    from benchsuite.report.site import charts

    assert results.ranking is not None
    found = charts(task_charts.learning_charts(results, results.ranking))
    return [altair_chart(one, f"{results.title}: {one.title.lower()}") for one in found]


def gradient_charts(tasks: Sequence[TaskResults]) -> list[AltairChart]:
    """What is left of the gradient by steps back in time, before and after training, by cell."""
    from benchsuite.report.pages.gradients import shown_groups
    from benchsuite.report.pages.gradients_charts import curves_chart

    made = []
    for results, group in shown_groups(tasks):
        for when in ("start", "end"):
            one = curves_chart(group, when)
            if one is not None:
                made.append(altair_chart(one, f"{results.title}: {one.title.lower()}"))
    return made
