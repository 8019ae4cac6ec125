"""The table at the end of a run: by task the best configurations beside baselines, and what went wrong."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.text import Text

from benchsuite.cli.output import table
from benchsuite.matrix.fields import flatten
from benchsuite.spec import Record, Status
from benchsuite.spec.names import NO_CELL
from benchsuite.stats import Aggregate, Estimate, aggregate

BEST = 10
"""Configurations that the table of a task holds."""
EXAMPLES = 5
"""Trials that are named for each reason something went wrong."""
UNSURE = "~"
"""Stands before a speed whose timing was not stable."""
SETTINGS = ("size.", "execution.", "recipe.", "protocol.")


@dataclass(frozen=True)
class Section:
    """Configurations that may be ranked against each other: one task, source and set of options.

    ranked   best first: every seed ended well and at parity
    varying  dotted fields of the trial that tell configurations of one architecture apart
    """

    task: str
    source: str
    options: dict[str, Any]
    metric: str
    higher_is_better: bool
    ranked: tuple[Aggregate, ...]
    baselines: dict[str, float]
    varying: tuple[str, ...]


def sections(records: Iterable[Record]) -> list[Section]:
    """The records by what may be compared; a group without any result is left out."""
    groups: dict[str, list[Record]] = {}
    for record in records:
        trial = record.trial
        key = json.dumps([trial.task, trial.source, trial.options], sort_keys=True)
        groups.setdefault(key, []).append(record)
    return [_section(group) for group in groups.values() if any(record.primary for record in group)]


def _section(records: list[Record]) -> Section:
    known = next(record for record in records if record.primary)
    sign = -1 if known.higher_is_better else 1
    ranked = [each for each in aggregate(records) if each.ranked and each.primary is not None]
    ranked.sort(key=lambda each: _order(each.primary, sign))
    baselines = {
        name: metrics[known.primary]
        for record in records
        for name, metrics in record.baselines.items()
        if known.primary in metrics
    }
    trial = known.trial
    return Section(
        trial.task,
        trial.source,
        trial.options,
        known.primary,
        known.higher_is_better,
        tuple(ranked),
        baselines,
        _varying(ranked),
    )


def _order(estimate: Estimate | None, sign: int) -> tuple[bool, float]:
    """Sorts the best first and what is not a number last."""
    value = math.nan if estimate is None else estimate.mean
    return (math.isnan(value), 0.0 if math.isnan(value) else sign * value)


def _varying(found: Sequence[Aggregate]) -> tuple[str, ...]:
    values: dict[tuple[str, str], set[Any]] = {}
    for each in found:
        for path, value in flatten(each.trial.model_dump(mode="json")):
            if path.startswith(SETTINGS):
                values.setdefault((path, each.trial.architecture), set()).add(value)
    return tuple(dict.fromkeys(path for (path, _), several in values.items() if len(several) > 1))


def print_summary(console: Console, records: Sequence[Record]) -> None:
    """Print the tables of every section and the list of what is not in them."""
    found = sections(records)
    for section in found:
        _print_section(console, section, _title(section, found))
    if any(record.verdicts.get("speed", "stable") != "stable" for record in records):
        console.print(Text(f"{UNSURE} the timing was not steady; take the figure as a rough one\n", style="dim"))
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


def _print_section(console: Console, section: Section, title: str) -> None:
    arrow = "↑" if section.higher_is_better else "↓"
    shown = list(section.ranked[:BEST])
    shown += [each for each in section.ranked[BEST:] if each.trial.cell == NO_CELL][:1]
    columns = ["", "model", "backend", "settings", f">{section.metric} {arrow}"]
    columns += [">training seq/s", ">peak memory", "gradient", ">parity, of tolerance"]
    made = table(title, columns if section.varying else [name for name in columns if name != "settings"])
    for each in shown:
        place = section.ranked.index(each) + 1
        cells = [str(place), model_words(each), each.trial.backend]
        if section.varying:
            cells.append(settings_words(each, section.varying))
        cells += [estimate_words(each.primary), *_measures(each)]
        made.add_row(*map(Text, cells))
    rest = ["", "", "", ""]
    for name, value in section.baselines.items():
        middle = ["baseline", ""] if section.varying else ["baseline"]
        made.add_row("", *map(Text, [name.replace("_", " "), *middle, f"{value:.4g}", *rest]), style="dim")
    console.print(made)
    hidden = len(section.ranked) - len(shown)
    if hidden > 0:
        console.print(Text(f"  and {hidden} more configurations\n", style="dim"))
    _print_speed(console, section)


def _print_speed(console: Console, section: Section) -> None:
    """Training speed by model and backend, where more than one backend stands to compare."""
    backends = sorted({each.trial.backend for each in section.ranked})
    if len(backends) < 2:
        return
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for each in section.ranked:
        key = (model_words(each), settings_words(each, section.varying))
        rows.setdefault(key, {})[each.trial.backend] = _speed(each)
    title = f"{section.task} / {section.source}: training sequences per second"
    columns = ["model", *(["settings"] if section.varying else []), *(f">{name}" for name in backends)]
    made = table(title, columns)
    for (model, settings), by_backend in sorted(rows.items()):
        left = [model, settings] if section.varying else [model]
        made.add_row(*map(Text, [*left, *(by_backend.get(name, "") for name in backends)]))
    console.print(made)


def _measures(each: Aggregate) -> list[str]:
    memory = each.scalars.get("memory/peak_bytes") or each.scalars.get("memory/resident_bytes")
    half_life = each.scalars.get("gradient/half_life_steps")
    gradient = each.verdict("gradient")
    if half_life and math.isfinite(half_life.mean):
        gradient += f", half-life {half_life.mean:.3g} steps"
    ratio = each.scalars.get("parity/worst_ratio")
    parity = each.verdict("parity") + (f" {ratio.mean:.2f}" if ratio else "")
    return [_speed(each), bytes_words(memory.mean) if memory else "", gradient, parity]


def _speed(each: Aggregate) -> str:
    speed = each.scalars.get("speed/sequences_per_second")
    if speed is None:
        return ""
    mark = UNSURE if each.verdict("speed") not in ("stable", "") else ""
    return f"{mark}{speed.mean:,.0f}"


def model_words(each: Aggregate) -> str:
    """`lstm bidirectional`, or `cnn` alone."""
    trial = each.trial
    return trial.architecture if trial.cell == NO_CELL else f"{trial.cell} {trial.architecture}"


def settings_words(each: Aggregate, varying: Sequence[str]) -> str:
    """`unroll=fused learning_rate=0.01`: the fields of `varying`, without their groups."""
    values = dict(flatten(each.trial.model_dump(mode="json")))
    return " ".join(f"{path.rpartition('.')[2]}={values[path]}" for path in varying)


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
            reason = (record.reason or record.exception or "no reason given").strip().splitlines()[0]
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


GRAVEST_FIRST = ("parity breach", "failed", "killed", "timeout", "unsynchronised", "diverged", "skipped")


def _trouble(record: Record) -> str:
    """The heading a record is listed under, or "" when nothing is wrong with it."""
    if record.status is not Status.OK:
        return str(record.status)
    if record.verdicts.get("parity") == "breach":
        return "parity breach"
    if record.verdicts.get("speed") == "unsynchronised":
        return "unsynchronised"
    return "" if record.ranked else "parity not checked"


def failed(records: Iterable[Record]) -> bool:
    """Whether the command that made these records must end with 1: a trial failed or broke parity.

    A diverged training is a result, and a skipped trial a known limit: neither fails.
    """
    fatal = (Status.FAILED, Status.TIMEOUT, Status.KILLED)
    return any(record.status in fatal or record.verdicts.get("parity") == "breach" for record in records)
