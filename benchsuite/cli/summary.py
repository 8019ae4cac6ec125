"""The table at the end of a run: by task the best models beside baselines, and what went wrong."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from benchsuite.analysis.cautions import cautions
from benchsuite.analysis.exclusions import Excluded, exclusions
from benchsuite.analysis.identity import Labels, task_title
from benchsuite.analysis.ranking import Model, Ranking, rankings
from benchsuite.analysis.seeds import Aggregate, Estimate
from benchsuite.analysis.validity import is_failure, unsteady
from benchsuite.cli.output import table
from benchsuite.schema import Record

BEST = 12
"""Models that the table of a task holds."""
LEAST_NEEDED = (">differ by", ">half-life", ">memory", "gradient")
"""Columns that a narrow terminal goes without, the first one first."""
EXAMPLES = 5
"""Trials that are named for each reason something went wrong."""
UNSURE = "~"
"""Stands before a speed whose timing was not stable."""


def print_summary(console: Console, records: Sequence[Record]) -> None:
    """Print the tables of every ranking and the list of what is not in them."""
    found = rankings(records)
    for ranking in found:
        title = _title(ranking, found)
        _print_models(console, ranking, title)
        _print_speeds(console, ranking, title)
    if any(map(unsteady, records)):
        console.print(Text(f"{UNSURE} the timing was not steady: a rough figure\n", style="dim"))
    for heading, lines in problems(records):
        console.print(Text(heading, style="bold"))
        for line in lines:
            console.print(Text(f"  {line}"))
    if not records:
        console.print("no records")


def _title(ranking: Ranking, others: Sequence[Ranking]) -> str:
    """`time_series / etth1 horizon=24`: the options that tell it from other rankings of the source."""
    trials = [one.models[0].fastest.trial for one in others if one.models]
    if not ranking.models:
        return f"{ranking.task} / {ranking.source}"
    return task_title(ranking.models[0].fastest.trial, trials)


def _print_models(console: Console, ranking: Ranking, title: str) -> None:
    """One row a model. Its metric, speed, memory and gradients are those of its fastest run."""
    shown = list(ranking.models[:BEST])
    shown += [model for model in ranking.models[BEST:] if model.is_baseline][:1]
    several = any(len(model.runs) > 1 for model in ranking.models)
    arrow = "↑" if ranking.higher_is_better else "↓"
    columns = {
        "": [str(ranking.place(model)) for model in shown],
        "model": [model.name for model in shown],
        "settings": [ranking.setting(model) for model in shown],
        f">{ranking.metric} {arrow}": [estimate_words(model.metric) for model in shown],
        ">differ by": [_number(model.spread) for model in shown],
        "fastest" if several else "backend": [ranking.way(model.fastest) for model in shown],
        ">seq/s": [_speed(model, model.fastest) for model in shown],
        ">memory": [_memory(model.fastest) for model in shown],
        "gradient": [model.fastest.verdict("gradient") for model in shown],
        ">half-life": [_half_life(model.fastest) for model in shown],
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
        if _width(columns) > console.width:
            columns.pop(column, None)
    made = table("", list(columns))
    for row in zip(*columns.values(), strict=True):
        made.add_row(*map(Text, row))
    for name, value in ranking.baselines.items():
        cells = {"model": name.replace("_", " "), f">{ranking.metric} {arrow}": f"{value:.4g}"}
        made.add_row(*(Text(cells.get(column, "")) for column in columns), style="dim")
    console.print(made)
    for kind, sentences in _explained(ranking, shown).items():
        console.print(Text(f"  {kind}: {'; '.join(sentences)}", style="dim"))
    if len(ranking.models) > len(shown):
        console.print(Text(f"  and {len(ranking.models) - len(shown)} more models\n", style="dim"))


def _explained(ranking: Ranking, models: Sequence[Model]) -> dict[str, list[str]]:
    """Kind of a caution -> what it says, each sentence once."""
    found: dict[str, list[str]] = {}
    for model in models:
        for caution in cautions(ranking, model):
            known = found.setdefault(str(caution.kind), [])
            if caution.sentence not in known:
                known.append(caution.sentence)
    return found


def _width(columns: dict[str, list[str]]) -> int:
    """Characters that a table needs so that no cell is broken."""
    return sum(max(len(text) for text in (heading, *cells)) + 2 for heading, cells in columns.items())


def _print_speeds(console: Console, ranking: Ranking, title: str) -> None:
    """Training speed by model and by who runs it, where there is something to compare."""
    ways = sorted({ranking.way(run) for model in ranking.models for run in model.runs})
    if len(ways) < 2:
        return
    columns = ["model", *(["settings"] if ranking.settings else []), *(f">{way}" for way in ways)]
    console.print(Text(f"{title}: training, sequences a second", style="bold"))
    made = table("", columns)
    for model in ranking.models[: 2 * BEST]:
        by_way = {ranking.way(run): _speed(model, run) for run in model.runs}
        left = [model.name, *([ranking.setting(model)] if ranking.settings else [])]
        made.add_row(*map(Text, [*left, *(by_way.get(way, "") for way in ways)]))
    console.print(made)
    console.print(Text(f"kernels: {_kernels(ranking, ways)}\n", style="dim"))


def _kernels(ranking: Ranking, ways: Sequence[str]) -> str:
    """`jax scan; torch aten, onednn`: what really ran, asked of the frameworks."""
    runs = [(ranking.way(run), run) for model in ranking.models for run in model.runs]
    found = {
        way: sorted(
            {record.kernel for of, run in runs if of == way for record in run.records if record.kernel}
        )
        for way in ways
    }
    return "; ".join(f"{way} {', '.join(kernels)}" for way, kernels in found.items() if kernels)


def _speed(model: Model, run: Aggregate) -> str:
    speed = model.speed(run)
    if speed is None:
        return ""
    return f"{UNSURE if model.is_unsteady(run) else ''}{speed:,.0f}"


def _memory(run: Aggregate) -> str:
    memory = run.scalars.get("memory/peak_bytes") or run.scalars.get("memory/resident_bytes")
    return bytes_words(memory.mean) if memory else ""


def _half_life(run: Aggregate) -> str:
    steps = run.scalars.get("gradient/half_life_steps")
    return f"{steps.mean:.3g} steps" if steps and math.isfinite(steps.mean) else ""


def _parity(model: Model) -> str:
    ratio = model.worst_parity
    return "ok" if ratio is None else f"ok {ratio:.2f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2g}"


def estimate_words(estimate: Estimate | None) -> str:
    """`0.981 ± 0.004 (n=3)`: mean and half the 95 % interval; one seed has none."""
    if estimate is None:
        return ""
    if estimate.half_width is None:
        return f"{estimate.mean:.4g}" + (f" (n={estimate.n})" if estimate.n > 1 else "")
    return f"{estimate.mean:.4g} ± {estimate.half_width:.2g} (n={estimate.n})"


def bytes_words(count: float) -> str:
    """Bytes in powers of 1024: `413 MiB`."""
    if not math.isfinite(count):
        return ""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.3g} {unit}" if count < 100 else f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.3g} GiB"


def problems(records: Iterable[Record]) -> list[tuple[str, list[str]]]:
    """What keeps trials out of the ranking or refuses their timing: (heading, lines), gravest first, equal
    reasons together."""
    found = list(records)
    label = Labels(record.trial for record in found)
    kinds: dict[str, list[Excluded]] = {}
    for one in exclusions(found):
        kinds.setdefault(one.kind, []).append(one)
    made = []
    for kind, members in kinds.items():
        lines: list[str] = []
        for one in members:
            count = len(one.records)
            lines.append(f"{one.reason} ({count} trial{'s' if count > 1 else ''})")
            lines += [f"  {label(record.trial)} [{record.trial_id}]" for record in one.records[:EXAMPLES]]
            if count > EXAMPLES:
                lines.append(f"  and {count - EXAMPLES} more")
        made.append((f"{kind}: {sum(len(one.records) for one in members)}", lines))
    return made


def failed(records: Iterable[Record]) -> bool:
    """Whether the command that made these records must end with 1."""
    return any(map(is_failure, records))
