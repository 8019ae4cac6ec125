"""The table at the end of a run: by task the best models beside baselines, and what went wrong."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from benchsuite.analysis.ranking import SPEED, Model, Section, sections, words
from benchsuite.analysis.seeds import Aggregate, Estimate
from benchsuite.cli.output import table
from benchsuite.schema import INVALID_TIMING, Record, Status

BEST = 12
"""Models that the table of a task holds."""
LEAST_NEEDED = (">differ by", ">half-life", ">memory", "gradient")
"""Columns that a narrow terminal goes without, the first one first."""
EXAMPLES = 5
"""Trials that are named for each reason something went wrong."""
UNSURE = "~"
"""Stands before a speed whose timing was not stable."""


def print_summary(console: Console, records: Sequence[Record]) -> None:
    """Print the tables of every section and the list of what is not in them."""
    found = sections(records)
    for section in found:
        title = _title(section, found)
        _print_models(console, section, title)
        _print_speeds(console, section, title)
    if any(record.verdicts.get("speed", "stable") != "stable" for record in records):
        console.print(Text(f"{UNSURE} the timing was not steady: a rough figure\n", style="dim"))
    for heading, lines in problems(records):
        console.print(Text(heading, style="bold"))
        for line in lines:
            console.print(Text(f"  {line}"))
    if not records:
        console.print("no records")


def _title(section: Section, others: Sequence[Section]) -> str:
    """`time_series / etth1 horizon=24`: the options that tell it from other sections of the source."""
    same = [other for other in others if (other.task, other.source) == (section.task, section.source)]
    told = [
        f"{name}={value}"
        for name, value in section.options.items()
        if any(other.options.get(name) != value for other in same)
    ]
    return " ".join([f"{section.task} / {section.source}", *told])


def _print_models(console: Console, section: Section, title: str) -> None:
    """One row a model. Its metric, speed, memory and gradients are those of its fastest run."""
    shown = list(section.models[:BEST])
    shown += [model for model in section.models[BEST:] if model.is_baseline][:1]
    several = any(len(model.runs) > 1 for model in section.models)
    arrow = "↑" if section.higher_is_better else "↓"
    columns = {
        "": [str(section.models.index(model) + 1) for model in shown],
        "model": [model.name for model in shown],
        "settings": [" ".join(words(model.best, section.settings)) for model in shown],
        f">{section.metric} {arrow}": [estimate_words(model.metric) for model in shown],
        ">differ by": [_number(model.spread) for model in shown],
        "fastest" if several else "backend": [section.way(model.best) for model in shown],
        ">seq/s": [_speed(model.best) for model in shown],
        ">memory": [_memory(model.best) for model in shown],
        "gradient": [model.best.verdict("gradient") for model in shown],
        ">half-life": [_half_life(model.best) for model in shown],
        ">parity": [_parity(model) for model in shown],
    }
    if not section.settings:
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
    for name, value in section.baselines.items():
        cells = {"model": name.replace("_", " "), f">{section.metric} {arrow}": f"{value:.4g}"}
        made.add_row(*(Text(cells.get(column, "")) for column in columns), style="dim")
    console.print(made)
    if len(section.models) > len(shown):
        console.print(Text(f"  and {len(section.models) - len(shown)} more models\n", style="dim"))


def _width(columns: dict[str, list[str]]) -> int:
    """Characters that a table needs so that no cell is broken."""
    return sum(max(len(text) for text in (heading, *cells)) + 2 for heading, cells in columns.items())


def _print_speeds(console: Console, section: Section, title: str) -> None:
    """Training speed by model and by who runs it, where there is something to compare."""
    ways = sorted({section.way(run) for model in section.models for run in model.runs})
    if len(ways) < 2:
        return
    columns = ["model", *(["settings"] if section.settings else []), *(f">{way}" for way in ways)]
    console.print(Text(f"{title}: training, sequences a second", style="bold"))
    made = table("", columns)
    for model in section.models[: 2 * BEST]:
        by_way = {section.way(run): _speed(run) for run in model.runs}
        left = [model.name, *([" ".join(words(model.best, section.settings))] if section.settings else [])]
        made.add_row(*map(Text, [*left, *(by_way.get(way, "") for way in ways)]))
    console.print(made)
    console.print(Text(f"kernels: {_kernels(section, ways)}\n", style="dim"))


def _kernels(section: Section, ways: Sequence[str]) -> str:
    """`jax scan; torch aten, onednn`: what really ran, asked of the frameworks."""
    runs = [(section.way(run), run) for model in section.models for run in model.runs]
    found = {
        way: sorted(
            {record.kernel for of, run in runs if of == way for record in run.records if record.kernel}
        )
        for way in ways
    }
    return "; ".join(f"{way} {', '.join(kernels)}" for way, kernels in found.items() if kernels)


def _speed(run: Aggregate) -> str:
    speed = run.scalars.get(SPEED)
    if speed is None:
        return ""
    mark = UNSURE if run.verdict("speed") not in ("stable", "") else ""
    return f"{mark}{speed.mean:,.0f}"


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
    """What keeps trials out of the ranking: (heading, lines), gravest first, equal reasons together."""
    kinds: dict[str, dict[str, list[str]]] = {}
    for record in records:
        kind = _trouble(record)
        if kind:
            known = record.reason or record.exception or INVALID_TIMING.get(kind, "no reason given")
            reason = known.strip().splitlines()[0]
            kinds.setdefault(kind, {}).setdefault(reason, []).append(
                f"{record.trial.label} [{record.trial_id}]"
            )
    found = []
    for kind in (*GRAVEST_FIRST, *(kind for kind in kinds if kind not in GRAVEST_FIRST)):
        lines: list[str] = []
        for reason, labels in kinds.get(kind, {}).items():
            lines.append(f"{reason} ({len(labels)} trial{'s' if len(labels) > 1 else ''})")
            lines += [f"  {label}" for label in labels[:EXAMPLES]]
            if len(labels) > EXAMPLES:
                lines.append(f"  and {len(labels) - EXAMPLES} more")
        if lines:
            count = sum(map(len, kinds[kind].values()))
            found.append((f"{kind}: {count}", lines))
    return found


GRAVEST_FIRST = ("parity breach", "failed", "killed", "timeout", *INVALID_TIMING, "diverged", "skipped")


def _trouble(record: Record) -> str:
    """The heading a record is listed under, or "" when nothing is wrong with it."""
    if record.status is not Status.OK:
        return str(record.status)
    if record.verdicts.get("parity") == "breach":
        return "parity breach"
    if record.verdicts.get("speed") in INVALID_TIMING:
        return record.verdicts["speed"]
    return "" if record.ranked else "parity not checked"


def failed(records: Iterable[Record]) -> bool:
    """Whether the command that made these records must end with 1: a trial failed or broke parity.

    A diverged training is a result, and a skipped trial a known limit: neither fails.
    """
    fatal = (Status.FAILED, Status.TIMEOUT, Status.KILLED)
    return any(record.status in fatal or record.verdicts.get("parity") == "breach" for record in records)
