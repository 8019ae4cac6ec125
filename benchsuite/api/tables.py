"""Rankings as data frames and as HTML. What they say is decided in benchsuite.analysis."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from benchsuite.analysis.answers import answer, fastest_steps, soonest_trained
from benchsuite.analysis.cautions import cautions
from benchsuite.analysis.identity import task_title
from benchsuite.analysis.ranking import Model, Ranking
from benchsuite.analysis.seeds import Estimate
from benchsuite.report.formatting import format_value

if TYPE_CHECKING:
    import pandas as pd

RANKING_COLUMNS: dict[str, str] = {
    "task": "task, source, and the options that tell them from others of the study",
    "machine": "where it ran; models of two machines are never ranked together",
    "rank": "from 1; equal where the values are equal within what float32 leaves of the same mathematics",
    "model": "cell and architecture",
    "settings": "what tells the model from others of its name, such as `hidden=64`",
    "metric": "the test metric that ranks",
    "higher_is_better": "whether more of it is better",
    "value": "its mean over seeds; the mean over backends for each seed",
    "low": "lower bound of the 95 % interval over seeds (Student's t); missing with one seed",
    "high": "upper bound",
    "seeds": "number of seeds",
    "tied_with_best": "whether a paired test over seeds does not tell the model from the best one",
    "fastest": "who runs its training steps fastest, as `torch unroll=fused`",
    "sequences_per_second": "of that run, in training, by the clock that counts",
    "trained_first": "who has it trained first",
    "seconds_to_trained": "of that run, from the start to the trained model",
    "parameters": "number of trainable parameters",
    "cautions": "what a reader must know beside the rank, as `one seed, below baseline`",
}
"""Column of Study.ranking() -> what it is. docs/reference/frames.md is made from it."""


def titles(rankings: Sequence[Ranking]) -> list[str]:
    """What each ranking is called: `time_series / etth1 horizon=24`, with its machine where there are
    several."""
    trials = [one.models[0].fastest.trial for one in rankings if one.models]
    several = len({one.machine for one in rankings}) > 1
    made = []
    for one in rankings:
        name = task_title(one.models[0].fastest.trial, trials) if one.models else f"{one.task} / {one.source}"
        made.append(f"{name} on {one.machine.name}" if several else name)
    return made


def ranking_frame(rankings: Sequence[Ranking]) -> pd.DataFrame:
    """One row per ranking and model, the best first; columns as RANKING_COLUMNS."""
    import pandas as pd

    rows = [
        row
        for title, ranking in zip(titles(rankings), rankings, strict=True)
        for row in _ranking_rows(title, ranking)
    ]
    return pd.DataFrame(rows, columns=list(RANKING_COLUMNS))


def _ranking_rows(title: str, ranking: Ranking) -> Iterable[dict[str, Any]]:
    found = answer(ranking)
    tied = [] if found is None else [found.best, *(one.model for one in found.alike)]
    for model in ranking.models:
        steps, first = fastest_steps(model), soonest_trained(model)
        size = model.fastest.scalars.get("model/parameters")
        yield {
            "task": title,
            "machine": ranking.machine.name,
            "rank": ranking.place(model),
            "model": model.name,
            "settings": ranking.setting(model),
            "metric": ranking.metric,
            "higher_is_better": ranking.higher_is_better,
            "value": model.metric.mean if model.metric else math.nan,
            "low": _or_nan(model.metric.low if model.metric else None),
            "high": _or_nan(model.metric.high if model.metric else None),
            "seeds": len(model.seed_values),
            "tied_with_best": any(model is one for one in tied),
            "fastest": "" if steps is None else ranking.way(steps.first),
            "sequences_per_second": math.nan if steps is None else steps.speed,
            "trained_first": "" if first is None else ranking.way(first.first),
            "seconds_to_trained": math.nan if first is None else first.seconds,
            "parameters": math.nan if size is None else size.mean,
            "cautions": ", ".join(dict.fromkeys(str(one.kind) for one in cautions(ranking, model))),
        }


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def results_frame(rankings: Sequence[Ranking]) -> pd.DataFrame:
    """Models (rows) by tasks (columns), as papers print them: `0.981 ± 0.004`. Of models of one name the
    best one of each task."""
    import pandas as pd

    cells = _cells(rankings)
    columns = _headings(rankings)
    rows = {name: [text for text, _ in row] for name, row in cells.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns).rename_axis("model")


def _headings(rankings: Sequence[Ranking]) -> list[str]:
    return [
        f"{title}: {one.metric.replace('_', ' ')} {'↑' if one.higher_is_better else '↓'}"
        for title, one in zip(titles(rankings), rankings, strict=True)
    ]


def _cells(rankings: Sequence[Ranking]) -> dict[str, list[tuple[str, bool]]]:
    """Model name -> of each ranking the metric, and whether it is the best one; "" where there is none."""
    rows: dict[str, list[tuple[str, bool]]] = {}
    for at, ranking in enumerate(rankings):
        found = answer(ranking)
        for model in ranking.models:
            row = rows.setdefault(model.name, [("", False)] * len(rankings))
            if not row[at][0]:
                best = found is not None and ranking.place(model) == ranking.place(found.best)
                row[at] = (metric_words(model.metric), best and _is_number(model))
    return rows


def _is_number(model: Model) -> bool:
    return model.metric is not None and math.isfinite(model.metric.mean)


def metric_words(estimate: Estimate | None) -> str:
    """`0.981 ± 0.004`: mean and half of the 95 % interval."""
    return "" if estimate is None else format_value(estimate.mean, estimate.half_width)


def results_html(rankings: Sequence[Ranking]) -> str:
    """results_frame() as HTML, the best of each column in bold."""
    rows = [
        [
            html.escape(name),
            *(f"<b>{html.escape(text)}</b>" if best else html.escape(text) for text, best in row),
        ]
        for name, row in _cells(rankings).items()
    ]
    return html_table(["model", *map(html.escape, _headings(rankings))], rows)


def ranking_html(ranking: Ranking) -> str:
    """One ranking as HTML: rank, model, metric, speed and cautions."""
    frame = ranking_frame([ranking])
    rows = []
    for (_, row), model in zip(frame.iterrows(), ranking.models, strict=True):
        tie = " ≈" if row["tied_with_best"] and row["rank"] > 1 else ""
        words = [
            f"{row['rank']}{tie}",
            f"{row['model']} {row['settings']}".strip(),
            metric_words(model.metric),
            "" if math.isnan(row["sequences_per_second"]) else f"{row['sequences_per_second']:,.0f}/s",
            str(row["fastest"]),
            str(row["cautions"]),
        ]
        rows.append([html.escape(word) for word in words])
    arrow = "↑" if ranking.higher_is_better else "↓"
    metric = html.escape(f"{ranking.metric.replace('_', ' ')} {arrow}")
    return html_table(["", "model", metric, "training speed", "fastest with", "cautions"], rows)


def html_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts that are HTML already."""
    head = "".join(f"<th style='text-align:left'>{text}</th>" for text in headings)
    body = "".join(
        "<tr>" + "".join(f"<td style='text-align:left'>{text}</td>" for text in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
