"""The answer of one task in a few sentences: which model, how certain that is, which backend, and what to be
careful about."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import fmean

from benchsuite.analysis.answers import (
    Answer,
    FastestSteps,
    SoonestTrained,
    answer,
    fastest_steps,
    soonest_trained,
)
from benchsuite.analysis.cautions import CautionKind
from benchsuite.analysis.cautions import cautions as cautions_of
from benchsuite.analysis.ranking import Ranking
from benchsuite.analysis.seeds import Aggregate
from benchsuite.analysis.training_time import training_time
from benchsuite.contracts.report import Card, Paragraph
from benchsuite.report.data import TaskResults
from benchsuite.report.formatting import format_count, format_list, format_number, format_ratio, format_value
from benchsuite.report.pages.exclusions import excluded
from benchsuite.report.pages.rankings import SAID_ELSEWHERE, model_words, seeds_words, settings_words

CLOSE = 1.05
"""Ratio of speeds below which two backends are called about as fast."""
COMPILING = 0.05
"""Share of the time to a trained model above which compilation is named."""
NAMED = 4
"""Models that a sentence names before it counts the others."""


def task_card(results: TaskResults) -> Card:
    """Which model, with whom, and what to beware of."""
    ranking = results.ranking
    found = answer(ranking) if ranking else None
    if ranking is None or found is None:
        what = f"{format_count(len(results.entries), 'trial')}, none of them ranked."
        return Card(results.title, results.key, "No result", "", (Paragraph(what, "warning"),))
    metric = found.best.metric
    assert metric is not None
    value = format_value(metric.mean, metric.half_width)
    lines = [Paragraph(distinction(found, ranking)), *(Paragraph(text) for text in speeds(found, ranking))]
    lines += [Paragraph(text, "warning") for text in cautions(results, found, brief=True)]
    told = f"{ranking.metric.replace('_', ' ')} {value}"
    if ranking.settings:
        lines.insert(0, Paragraph(settings_words(found.best, ranking), "note"))
    return Card(results.title, results.key, found.best.name, told, tuple(lines))


def distinction(found: Answer, ranking: Ranking) -> str:
    """What can be told apart from the best model, in a sentence or two."""
    seeds = seeds_words(found)
    if found.next_best is None:
        return f"The only model with a result ({seeds[0].lower()}{seeds[1:]})."
    if not found.alike and not found.worse:
        follows = found.next_best.metric
        assert follows is not None
        name = model_words(found.next_best, ranking, found.best)
        said = "no interval and no test" if found.seeds == 1 else "too few for a test"
        rank = "Equal in rank is" if ranking.place(found.next_best) == 1 else "Next is"
        value = format_value(follows.mean, follows.half_width)
        return f"{seeds}: {said}. {rank} {name} with {value}."
    tested = f"paired over {seeds}, 5 % level"
    rest = f"; {format_count(len(found.untested), 'model')} untested" if found.untested else ""
    if not found.alike:
        others = (
            "the other model" if len(found.worse) == 1 else f"each of the other {len(found.worse)} models"
        )
        return f"Better than {others} ({tested}{rest})."
    names = [model_words(one.model, ranking, found.best) for one in found.alike]
    needed = [one.needed for one in found.alike if one.needed is not None]
    more = (
        f" Differences as large as the ones seen would take about {max(needed)} seeds to find."
        if needed
        else ""
    )
    n = min(one.n for one in found.alike)
    return (
        f"Not distinguishable from it with n = {n}: {format_list(names, most=NAMED)} ({tested}{rest}).{more}"
    )


def speeds(found: Answer, ranking: Ranking) -> Iterator[str]:
    """Two answers, always together: whose steps are fastest once they run, and who has the best model trained
    soonest."""
    fastest, soonest = fastest_steps(found.best), soonest_trained(found.best)
    yield "No timing is valid." if fastest is None else _fastest(fastest, found, ranking)
    if soonest is None:
        yield "How long training took from its start was not recorded."
        return
    taken = format_value(soonest.seconds, form="seconds")
    how = "with {} alone" if soonest.alone else "soonest with {}"
    said = f"Trained {how.format(ranking.way(soonest.first))}, in {taken} from the start (import apart)"
    if fastest is None or fastest.first is soonest.first:
        yield f"{said}."
    else:
        yield f"{said}; {_later(fastest.first, soonest, ranking)}."


def _later(run: Aggregate, soonest: SoonestTrained, ranking: Ranking) -> str:
    """How long the run with the fastest steps takes until it is trained, and when its steps pay."""
    known = [time for record in run.records if (time := training_time(record)) is not None]
    if not known:
        return f"how long {ranking.way(run)} took was not recorded"
    taken = fmean(time.to_trained for time in known)
    compiled = fmean(time.compiled for time in known)
    said = f"{ranking.way(run)} took {format_value(taken, form='seconds')}"
    if compiled > COMPILING * taken:
        said += f", {format_value(compiled, form='seconds')} of it to compile the first batch's shape"
    if soonest.pays_from is None:
        return said
    if math.isinf(soonest.pays_from):
        return f"{said}, and by wall time its steps are not faster"
    steps = format_count(known[0].steps, "step")
    pays = format_number(soonest.pays_from, 2)
    return f"{said}: its faster steps pay from about {pays} steps on (trained here: {steps})"


def _fastest(fastest: FastestSteps, found: Answer, ranking: Ranking) -> str:
    rough = found.best.is_unsteady(fastest.first)
    speed = format_value(fastest.speed, unit="sequences/s", rough=rough)
    speed = f"about {speed}" if rough else speed
    name = ranking.way(fastest.first)
    if fastest.second is None:
        return f"Timed with {name} alone: {speed}."
    second = ranking.way(fastest.second)
    if fastest.ratio < CLOSE:
        return f"Fastest steps with {name}, {speed}; {second} is about as fast."
    return f"Fastest steps with {name}, {speed}: {format_ratio(fastest.ratio)} times as fast as {second}."


def cautions(results: TaskResults, found: Answer, brief: bool = False) -> Iterator[str]:
    """What a reader should know before believing the answer.

    :param brief: whether several timings that are not steady are counted, without the reason of each.
    """
    ranking = results.ranking
    assert ranking is not None
    best, metric = found.best, found.best.metric
    assert metric is not None
    kinds: dict[CautionKind, list[str]] = {}
    for caution in cautions_of(ranking, best):
        if caution.kind not in SAID_ELSEWHERE:
            kinds.setdefault(caution.kind, []).append(f"{caution.sentence[0].upper()}{caution.sentence[1:]}.")
    for kind, sentences in kinds.items():
        if brief and kind is CautionKind.UNSTEADY and len(sentences) > 1:
            yield f"The timings of {len(sentences)} backends are not steady (~)."
        else:
            yield " ".join(sentences)
    if best.is_baseline and len(ranking.models) > 1:
        yield "The best model has no recurrence."
    spread = best.spread
    if spread is not None and metric.half_width is not None and spread > metric.half_width > 0:
        yield f"Backends differ by {format_number(spread)} in this metric, more than the interval."
    worst = best.worst_parity
    if worst is not None and worst > 0.5:
        yield f"Parity holds narrowly: the largest error is {100 * worst:.0f} % of its tolerance."
    missing = excluded(results)
    if missing:
        yield f"Not ranked: {missing}."
