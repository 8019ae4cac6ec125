"""The table of one ranking in the terminal: models by rank, with the marks and cautions that the site shows
too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from benchsuite.analysis.answers import MOST_SEEDS, Answer, answer
from benchsuite.analysis.cautions import MEANING, CautionKind, cautions
from benchsuite.analysis.comparison.effects import LEAST_REPLICATES
from benchsuite.analysis.decay import Moment, decay_over_seeds
from benchsuite.analysis.ranking import BOUNDS, Model, Ranking
from benchsuite.analysis.seeds import Aggregate, Estimate
from benchsuite.cli.output import NO_VALUE, table, table_width
from benchsuite.report.formatting import format_list, format_value

BEST = 12
"""Models that the table of a task holds."""
LEAST_NEEDED = (">differ by", ">memory", "gradient before", "gradient after", ">parity")
"""Columns that a narrow terminal goes without, the first one first."""
TIE = "≈"
"""Printed behind the rank of a model that a test over seeds does not tell from the best one."""
MOST_SENTENCES = 3
"""Different sentences of one kind of caution, above which its general meaning is printed."""


def print_models(console: Console, ranking: Ranking, title: str) -> None:
    """One row per model, then the computed baselines; below the table what the marks mean. Memory and gradients
    are those of the model's fastest run."""
    shown = list(ranking.models[:BEST])
    shown += [model for model in ranking.models[BEST:] if model.is_baseline][:1]
    found = answer(ranking)
    alike = {id(one.model) for one in found.alike} if found is not None else set()
    several = any(len(model.runs) > 1 for model in ranking.models)
    metric = f">{ranking.metric} {'↑' if ranking.higher_is_better else '↓'}"
    columns = {
        "": [f"{ranking.place(model)}{f' {TIE}' if id(model) in alike else ''}" for model in shown],
        "model": [model.name for model in shown],
        "settings": [ranking.setting(model) for model in shown],
        metric: [estimate_words(model.metric) for model in shown],
        ">differ by": [format_value(model.spread, rough=True) or NO_VALUE for model in shown],
        ">memory": [_memory(model.fastest) for model in shown],
        "gradient before": [gradient_words(model.fastest, "start") for model in shown],
        "gradient after": [gradient_words(model.fastest, "end") for model in shown],
        ">parity": [_parity(model) for model in shown],
        "cautions": [
            ", ".join(dict.fromkeys(one.kind for one in cautions(ranking, model))) for model in shown
        ],
    }
    if not ranking.settings:
        del columns["settings"]
    if not several:
        del columns[">differ by"]
    console.print(Text(title, style="bold"))
    for column in LEAST_NEEDED:
        if table_width(columns) > console.width:
            columns.pop(column, None)
    made = table("", list(columns))
    for row in zip(*columns.values(), strict=True):
        made.add_row(*map(Text, row))
    for name, value in ranking.baselines.items():
        bound = " (a bound)" if name in BOUNDS else ""
        cells = {"model": name.replace("_", " ") + bound, metric: format_value(value)}
        made.add_row(*(Text(cells.get(column, "")) for column in columns), style="dim")
    console.print(made)
    for line in _below(ranking, found, shown):
        console.print(Text(f"  {line}", style="dim"))
    if len(ranking.models) > len(shown):
        console.print(Text(f"  and {len(ranking.models) - len(shown)} more models\n", style="dim"))


def _below(ranking: Ranking, found: Answer | None, shown: Sequence[Model]) -> Iterable[str]:
    if found is not None:
        yield from _ties(ranking, found)
    for kind, sentences in _explained(ranking, shown).items():
        if len(sentences) > MOST_SENTENCES:
            sentences = [MEANING[kind]]
        yield f"{kind}: {'; '.join(sentences)}"


def _ties(ranking: Ranking, found: Answer) -> Iterable[str]:
    """What a test over seeds says of the best model and of those that it does not tell from it."""
    groups: dict[int, list[str]] = {}
    for one in found.alike:
        more = f"{one.needed} seeds would tell" if one.needed else f"not even {MOST_SEEDS:,} seeds would tell"
        groups.setdefault(one.n, []).append(f"{_called(ranking, one.model)} ({more})")
    for n, names in sorted(groups.items()):
        best = _called(ranking, found.best)
        yield f"{TIE} not distinguishable from {best} with n = {n}: {format_list(names, most=5)}"
    if found.untested and max(found.seeds, 1) > 1:
        names = [_called(ranking, model) for model in found.untested]
        yield (
            f"not tested, fewer than {LEAST_REPLICATES} seeds in common with the best model: "
            f"{format_list(names, most=5)}"
        )


def _called(ranking: Ranking, model: Model) -> str:
    return f"{model.name} {ranking.setting(model)}".strip()


def _explained(ranking: Ranking, models: Sequence[Model]) -> dict[CautionKind, list[str]]:
    """Kind of a caution -> what it says, each sentence once."""
    found: dict[CautionKind, list[str]] = {}
    for model in models:
        for caution in cautions(ranking, model):
            known = found.setdefault(caution.kind, [])
            if caution.sentence not in known:
                known.append(caution.sentence)
    return found


def estimate_words(estimate: Estimate | None) -> str:
    """`0.981 ± 0.004 (n=3)`: mean and half the 95 % interval; one seed has none."""
    if estimate is None:
        return NO_VALUE
    text = format_value(estimate.mean, estimate.half_width)
    return f"{text} (n={estimate.n})" if estimate.n > 1 else text


def gradient_words(run: Aggregate, moment: Moment) -> str:
    """`vanishing, 3.5 steps`: verdict and half-life of the snapshot before or after training."""
    found = decay_over_seeds(run.records, moment)
    if found is None:
        return NO_VALUE
    half_life = format_value(found.half_life, unit="steps", rough=True)
    return ", ".join(text for text in (found.verdict, half_life) if text)


def _memory(run: Aggregate) -> str:
    memory = run.scalars.get("memory/peak_bytes") or run.scalars.get("memory/resident_bytes")
    return format_value(memory.mean, form="bytes") if memory else NO_VALUE


def _parity(model: Model) -> str:
    ratio = model.worst_parity
    return "ok" if ratio is None else f"ok {format_value(ratio, rough=True)}"
