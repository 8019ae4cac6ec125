"""What clipping and truncation change, where a study varies them with everything else equal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from benchsuite.analysis.decay import decay_over_seeds
from benchsuite.analysis.gradient_profiles import run_profiles
from benchsuite.analysis.identity import pair_key
from benchsuite.analysis.seeds import Aggregate, aggregate, median_over_seeds
from benchsuite.contracts.report import Block, Column, Paragraph, Table, TableCell, Value
from benchsuite.report.commands import VARY_CLIPPING, VARY_TRUNCATION, vary
from benchsuite.report.data import ReportData, TaskResults
from benchsuite.report.formatting import format_count
from benchsuite.report.pages.gradients_charts import lines_chart
from benchsuite.schema import Status, Trial

MOST_NORMS = 200


@dataclass(frozen=True, eq=False)
class Family:
    """Configurations of one task that differ in the fields under study alone."""

    results: TaskResults
    members: tuple[Aggregate, ...]

    @property
    def name(self) -> str:
        trial = self.members[0].trial
        model = trial.model
        return f"{self.results.title}, {model}, {trial.backend}"


def families(tasks: Iterable[TaskResults], paths: Sequence[str]) -> list[Family]:
    """Sets of two and more configurations, trials that diverged among them, which differ in `paths` alone."""
    found = []
    for results in tasks:
        groups: dict[str, list[Aggregate]] = {}
        for run in aggregate(results.records):
            groups.setdefault(pair_key(run.trial, (*paths, "seed")), []).append(run)
        found += [Family(results, tuple(runs)) for runs in groups.values() if len({*map(_id, runs)}) > 1]
    return found


def _id(run: Aggregate) -> str:
    return run.configuration_id


def clipping(data: ReportData, tasks: Sequence[TaskResults]) -> Iterator[Block]:
    """What clipping by norm or value changes."""
    found = families(tasks, ("recipe.clip", "recipe.clip_at"))
    if not found:
        clips = sorted({clip_words(record.trial) for results in tasks for record in results.records})
        yield Paragraph(
            f"Every configuration was trained with one clipping alone ({', '.join(clips)}). Clipping "
            "shortens a gradient that is too long; it does nothing for one that has vanished. To see what it "
            "changes, into a study of its own:"
        )
        yield from vary(data, VARY_CLIPPING)
        return
    yield Paragraph(
        "Clipping scales the whole gradient down to a given length when it is longer: the direction stays, "
        "one steep place no longer throws the weights far away. It is a remedy for exploding gradients alone."
    )
    drawn = _norms(found[0])
    if drawn:
        yield drawn
    columns = (
        Column("task", filter=True),
        Column("model", filter=True),
        Column("run by", filter=True),
        Column("clipping"),
        Column("trials", "integer"),
        Column("diverged", "integer", "trials whose loss or metric became NaN or infinite"),
        Column("clipped steps", "share", "share of the steps whose gradient was clipped; median over seeds"),
        Column("last loss", "number", "of the last batch; median over seeds"),
        Column("test metric", "number"),
    )
    rows: list[list[Value | TableCell]] = []
    for family in found:
        for run in sorted(family.members, key=lambda one: clip_words(one.trial) != "none"):
            diverged = sum(record.status is Status.DIVERGED for record in run.records)
            rows.append(
                [
                    *_names(family, run),
                    clip_words(run.trial),
                    len(run.records),
                    TableCell(diverged, mark="bad" if diverged else ""),
                    median_over_seeds(run.records, "gradient/clipped_share"),
                    median_over_seeds(run.records, "train/loss_final"),
                    _metric(run),
                ]
            )
    yield Table("Clipping", columns, rows)


def clip_words(trial: Trial) -> str:
    """`none`, `norm at 1`."""
    recipe = trial.recipe
    return recipe.clip if recipe.clip == "none" else f"{recipe.clip} at {recipe.clip_at:g}"


def _names(family: Family, run: Aggregate) -> list[Value | TableCell]:
    trial = run.trial
    model = trial.model
    page = family.results.pages.get(run.records[0].trial_id, "")
    return [family.results.title, TableCell(model, page=page), f"{trial.backend} {trial.execution.unroll}"]


def _metric(run: Aggregate) -> TableCell | None:
    found = run.primary
    return TableCell(found.mean, half=found.half_width) if found else None


def _norms(family: Family) -> Block | None:
    """The gradient's norm before clipping by step, of the first seed of each member."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for run in family.members:
        for one in family.results.curves(run.records[0]):
            if one.name == "gradient/norm_before_clip":
                step = max(1, len(one.x) // MOST_NORMS)
                lines[clip_words(run.trial)] = [
                    (x, max(one.y[at : at + step])) for at, x in enumerate(one.x) if at % step == 0
                ]
    title = f"Gradient norm before clipping: {family.name}"
    return lines_chart(title, lines, "optimiser step", "norm", "clipping") if lines else None


def truncation(data: ReportData, tasks: Sequence[TaskResults]) -> Iterator[Block]:
    """What truncated backpropagation changes."""
    found = families(tasks, ("recipe.truncation",))
    if not found:
        yield Paragraph(
            "No configuration was trained both with full and with truncated backpropagation. Truncation cuts "
            "the chain: nothing further back than so many steps can be learned from. To see what it changes, "
            "into a study of its own:"
        )
        yield from vary(data, VARY_TRUNCATION)
        return
    yield Paragraph(
        "Truncated backpropagation cuts the chain of factors every so many steps: what lies further back "
        "gets no gradient at all, whatever the cell. It buys memory and, in loops, time."
    )
    family = found[0]
    lines = {
        truncation_words(run.trial): [
            (float(lag), float(left))
            for lag, left in zip(*run_profiles(run, family.results.curves).get("end", ((), ())), strict=True)
        ]
        for run in sorted(family.members, key=lambda one: one.trial.recipe.truncation or 10**9)
    }
    title = f"Gradient left after training: {family.name}"
    drawn = lines_chart(title, lines, "steps back in time", "gradient left", "truncation")
    if drawn:
        yield drawn
    columns = (
        Column("task", filter=True),
        Column("model", filter=True),
        Column("run by", filter=True),
        Column("truncated at"),
        Column("trials", "integer"),
        Column("gradient after", help="verdict, after training"),
        Column("left at the first step", "scientific", "of the gradient, after training; median over seeds"),
        Column("test metric", "number"),
        Column("sequences/s", "rate"),
    )
    rows: list[list[Value | TableCell]] = []
    for each in found:
        for run in sorted(each.members, key=lambda one: one.trial.recipe.truncation or 10**9):
            speed, after = run.speed(), decay_over_seeds(run.records, "end")
            rows.append(
                [
                    *_names(each, run),
                    truncation_words(run.trial),
                    len(run.records),
                    after.verdict if after else "",
                    after.change if after else None,
                    _metric(run),
                    speed.mean if speed else None,
                ]
            )
    yield Table("Truncation", columns, rows)


def truncation_words(trial: Trial) -> str:
    """`full`, `10 steps`."""
    return "full" if trial.recipe.truncation is None else format_count(trial.recipe.truncation, "step")
