"""Who runs the models of a ranking fast: two answers that are always printed together.

One is how many sequences per second a program trains on once it runs, the other in how many seconds from its
start the model was trained. They often name different backends: whose steps are fast may take long to
compile.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import median

from rich.console import Console
from rich.text import Text

from benchsuite.analysis.answers import fastest_steps, soonest_trained
from benchsuite.analysis.ranking import Model, Ranking
from benchsuite.analysis.seeds import Aggregate
from benchsuite.analysis.training_time import TrainingTime, seconds_to_trained, training_time
from benchsuite.analysis.validity import invalid_timing
from benchsuite.cli.output import NO_VALUE, table, table_width
from benchsuite.report.formatting import format_ratio, format_value

MOST_TIMED = 24
"""Models that the table of a task holds."""
UNSTEADY = "~"
"""Printed before a speed whose timing was not steady."""
REFUSED = "refused"
"""Printed in place of a speed whose timing was refused."""

Columns = dict[str, list[str]]


def print_runs(console: Console, ranking: Ranking, title: str) -> None:
    """One row per model: its speed and its seconds by each way to run it, the fastest steps, who was trained
    first, and from how many steps on the faster steps pay. In a terminal that is too narrow for both answers in
    one cell, each has a table."""
    models = ranking.models[:MOST_TIMED]
    ways = sorted({ranking.way(run) for model in models for run in model.runs})
    if not ways:
        return
    left: Columns = {"model": [model.name for model in models]}
    if ranking.settings:
        left["settings"] = [ranking.setting(model) for model in models]
    faster: Columns = {}
    sooner: Columns = {}
    if len(ways) > 1:
        faster = {"fastest steps": [_fastest(ranking, model) for model in models]}
        sooner = {
            "trained first": [_first(ranking, model) for model in models],
            ">pays from step": [_pays(model) for model in models],
        }
    both = left | _by_way(ranking, models, ways, _both) | faster | sooner
    speeds = f"{title}: training, sequences per second once it runs, {_clocks(models)}"
    seconds = "seconds from the start to trained"
    if table_width(both) <= console.width:
        _print(console, f"{speeds} · {seconds}", both)
    else:
        names = {column: [text.partition(" (")[0] for text in texts] for column, texts in faster.items()}
        _print(console, speeds, left | _by_way(ranking, models, ways, speed_words) | names)
        _print(console, f"{title}: {seconds}", left | _by_way(ranking, models, ways, seconds_words) | sooner)
    if len(ranking.models) > len(models):
        console.print(Text(f"  and {len(ranking.models) - len(models)} more models", style="dim"))
    if any(model.is_unsteady(run) for model in models for run in model.runs):
        console.print(Text(f"  {UNSTEADY} the timing was not steady: a rough figure", style="dim"))
    for line in _costs(ranking, ways):
        console.print(Text(f"  {line}", style="dim"))
    console.print()


def _print(console: Console, title: str, columns: Columns) -> None:
    console.print(Text(title, style="bold"))
    made = table("", list(columns))
    for row in zip(*columns.values(), strict=True):
        made.add_row(*map(Text, row))
    console.print(made)


def _by_way(
    ranking: Ranking, models: Sequence[Model], ways: Sequence[str], cell: Callable[[Model, Aggregate], str]
) -> Columns:
    runs = [{ranking.way(run): run for run in model.runs} for model in models]
    return {
        f">{way}": [
            cell(model, found[way]) if way in found else NO_VALUE
            for model, found in zip(models, runs, strict=True)
        ]
        for way in ways
    }


def speed_words(model: Model, run: Aggregate) -> str:
    """`21,000`, `~21,000` where the timing was not steady, `refused` where it does not count."""
    speed = model.speed(run)
    if speed is None:
        return REFUSED if any(invalid_timing(record) for record in run.records) else NO_VALUE
    return f"{UNSTEADY}{format_value(speed, rough=True)}" if model.is_unsteady(run) else format_value(speed)


def seconds_words(model: Model, run: Aggregate) -> str:
    """`31 s`: from the start to the trained model, compilation included, the framework's import apart."""
    del model
    found = seconds_to_trained(run)
    return NO_VALUE if found is None else format_value(found.mean, form="seconds")


def _both(model: Model, run: Aggregate) -> str:
    return f"{speed_words(model, run)} · {seconds_words(model, run)}"


def _fastest(ranking: Ranking, model: Model) -> str:
    """`torch (2.1 times jax)`."""
    found = fastest_steps(model)
    if found is None:
        return NO_VALUE
    way = ranking.way(found.first)
    if found.second is None:
        return way
    return f"{way} ({format_ratio(found.ratio)} times {ranking.way(found.second)})"


def _first(ranking: Ranking, model: Model) -> str:
    found = soonest_trained(model)
    return NO_VALUE if found is None else ranking.way(found.first)


def _pays(model: Model) -> str:
    """`1,200`: the optimiser steps from which the fastest steps pay, to two digits; `-` where they are those of
    the run that was trained first."""
    found = soonest_trained(model)
    if found is None or found.pays_from is None:
        return NO_VALUE
    if math.isinf(found.pays_from):
        return "never"
    return format_value(found.pays_from, rough=True)


def _clocks(models: Sequence[Model]) -> str:
    """`by CPU time`, `by wall time`, or both, as the models' clocks are."""
    names = {"cpu": "CPU", "wall": "wall"}
    return f"by {' or '.join(names[clock] for clock in sorted({model.clock for model in models}))} time"


def _costs(ranking: Ranking, ways: Sequence[str]) -> list[str]:
    """What is paid before the steps: the import once per process, which is apart, and compilation, which is
    in the seconds; and which kernels ran, as the frameworks name them."""
    records = {
        way: [
            record
            for model in ranking.models
            for run in model.runs
            if ranking.way(run) == way
            for record in run.records
        ]
        for way in ways
    }
    times = {
        way: [time for record in members if (time := training_time(record)) is not None]
        for way, members in records.items()
    }
    kernels = {
        way: ", ".join(sorted({record.kernel for record in members if record.kernel}))
        for way, members in records.items()
    }
    found = {
        "import, not within the seconds": _middle(times, lambda time: time.imported),
        "compilation and whatever else the first step takes beyond a later one, within the seconds": _middle(
            times, lambda time: time.compiled
        ),
        "kernels": {way: text for way, text in kernels.items() if text},
    }
    return [
        f"{what}: {'; '.join(f'{way} {text}' for way, text in texts.items())}"
        for what, texts in found.items()
        if texts
    ]


def _middle(times: dict[str, list[TrainingTime]], part: Callable[[TrainingTime], float]) -> dict[str, str]:
    """Way -> the median of a part of its training times."""
    return {
        way: format_value(median(map(part, found)), form="seconds") for way, found in times.items() if found
    }
