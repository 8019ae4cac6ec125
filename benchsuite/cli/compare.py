"""`benchsuite compare`: two studies, or two selections of one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchsuite.cli import options as given
from benchsuite.cli.output import console, print_json, table, warn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchsuite.analysis.comparison import Effect, Selection, StudyComparison
    from benchsuite.contracts.report import Form
    from benchsuite.running.study import StoredStudy
    from benchsuite.schema import Record

CLOCK_NAMES = {"cpu": "CPU time", "wall": "wall time"}
MOST_NAMED = 5
"""Trials that are named of each kind that is not compared."""
SELECTION = "A study, or some of its trials: STUDY:field=value,value;field=value"


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help=SELECTION)],
    b: Annotated[str, typer.Argument(metavar="B", help=SELECTION)] = "",
    published: Annotated[
        Path | None,
        typer.Option(
            "--with",
            metavar="REPOSITORY",
            help="Compare A with what is published in a results repository, in place of B.",
        ),
    ] = None,
    results: given.Results = None,
    fail_on_regression: Annotated[
        str,
        typer.Option(metavar="PERCENT", help="End with 1 if anything is worse by more than this, as in 5%."),
    ] = "",
    allow_damage: given.AllowDamage = False,
    json: given.AsJson = False,
) -> None:
    """Say whether B is better than A, worse, the same, or whether that is unclear.

    Trials are paired by configuration; what the two selections differ in is what is compared. Metrics are
    pooled by task over models and seeds, speeds by backend and clock, and all p-values are corrected together.
    With --fail-on-regression it ends with 1 where anything is worse by more than that, where B does not rank or
    time what A does, and where nothing could be compared.

    With --with REPOSITORY the study is B, and A is the latest verified record of each of its trials there, of
    the same machine where there is one.
    """
    from benchsuite.analysis.comparison import compare as compare_records
    from benchsuite.analysis.comparison import parse_selection
    from benchsuite.cli.studies import open_study
    from benchsuite.errors import RequestError

    limit = percent(fail_on_regression) if fail_on_regression else None
    allowed = allow_damage or limit is None  # what gates should not go by a part of the records
    if bool(b) is (published is not None):
        raise RequestError("name two studies, or one study and --with REPOSITORY")
    right = parse_selection(b or a)
    study = open_study(right.study, results, allow_damage=allowed)
    if published is not None:
        found = _with_published(study, right, published)
    else:
        left = parse_selection(a)
        other = open_study(left.study, results, allow_damage=allowed)
        found = compare_records(left.choose(other.records), right.choose(study.records), left, right)
    if json:
        print_json(as_json(found))
    else:
        _print(found)
    if limit is not None:
        reasons = found.gate(limit)
        for reason in reasons:
            typer.echo(f"regression: {reason}", err=True)
        if reasons:
            raise typer.Exit(1)


def _with_published(study: StoredStudy, mine: Selection, published: Path) -> StudyComparison:
    """What the chosen trials of `study` are, compared with those of a results repository."""
    import dataclasses

    from benchsuite.analysis.comparison import compare as compare_records
    from benchsuite.publishing.comparable import comparable
    from benchsuite.publishing.repository import Repository
    from benchsuite.report.formatting import format_count, format_list

    machines = dict(zip(map(id, study.records), study.machines(), strict=True))
    records = mine.choose(study.records)
    known = comparable(Repository.open(published), records, [machines[id(one)] for one in records])
    # the conditions hold for both sides, so that what they name is not what is compared
    theirs = dataclasses.replace(mine, study=f"{published}: {format_list(known.sources, most=5)}")
    if known.foreign:
        warn(f"no trial is published of this machine: the metrics of {format_count(known.foreign, 'trial')} of "
             "other machines are compared, and no speeds")  # fmt: skip
    return compare_records(known.records, records, theirs, mine)


def percent(text: str) -> float:
    """`5%` or `5` as .05. Raises RequestError."""
    from benchsuite.errors import RequestError

    try:
        value = float(text.strip().removesuffix("%")) / 100
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise RequestError(f"--fail-on-regression {text!r} is no percentage; write 5% or 5")
    return value


def as_json(found: StudyComparison) -> dict[str, Any]:
    """The comparison for programs; what is not a number is None."""

    def plain(effect: Effect) -> dict[str, Any]:
        fields = {**vars(effect), "verdict": str(effect.verdict)}
        return {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in fields.items()
        }

    return {
        "a": found.a,
        "b": found.b,
        "verdict": str(found.verdict),
        "pairs": len(found.pairing.pairs),
        "alone": [
            {"side": side, "trial": record.trial_id, "label": found.label(record.trial), "reason": reason}
            for side, record, reason in found.pairing.alone
        ],
        "refused": [
            {"side": side, "trial": record.trial_id, "label": found.label(record.trial), "reason": reason}
            for side, record, reason in found.pairing.untimed
        ],
        "hardware_differs": {name: list(both) for name, both in found.pairing.foreign_hardware.items()},
        **{
            part: [plain(effect) for effect in getattr(found, part)]
            for part in ("metrics", "by_model", "speeds", "by_trial")
        },
    }


def _print(found: StudyComparison) -> None:
    from rich.text import Text

    from benchsuite.report.formatting import format_count

    out = console()
    pairs = format_count(len(found.pairing.pairs), "pair")
    out.print(Text(f"A  {found.a}\nB  {found.b}\n{pairs}", style="bold"))
    for name, (here, there) in found.pairing.foreign_hardware.items():
        out.print(Text(f"HARDWARE DIFFERS, speeds are not compared: {name} is {here} in A, {there} in B"))
    titles = {
        "metrics": "metrics, by task",
        "by_model": "metrics, by model",
        "speeds": "time of a training step, by backend",
        "by_trial": "trials whose time stands out",
    }
    for part, title in titles.items():
        effects: tuple[Effect, ...] = getattr(found, part)
        if effects:
            out.print(table(title, ["", "where", ">A", ">B", ">B - A", ">95 % interval", ">p", "B is"],
                            [_row(effect) for effect in effects]))  # fmt: skip
    for side in ("A", "B"):
        alone = [(record, why) for at, record, why in found.pairing.alone if at == side]
        _print_trials(found, f"not compared of {side}", alone)
        refused = [(record, why) for at, record, why in found.pairing.untimed if at == side]
        _print_trials(found, f"speeds not compared of {side}", refused)
    if not found.pairing.pairs:
        out.print(Text("no trial of A could be compared with one of B", style="bold"))
    else:
        out.print(Text(f"B is {found.verdict}", style="bold"))


def _print_trials(found: StudyComparison, what: str, trials: Sequence[tuple[Record, str]]) -> None:
    from rich.text import Text

    from benchsuite.report.formatting import format_count

    if not trials:
        return
    out = console()
    out.print(Text(f"{what}: {format_count(len(trials), 'trial')}"))
    for record, why in trials[:MOST_NAMED]:
        out.print(Text(f"  {found.label(record.trial)}: {why.splitlines()[0]}"))
    if len(trials) > MOST_NAMED:
        out.print(Text(f"  and {len(trials) - MOST_NAMED} more"))


def _row(effect: Effect) -> tuple[str, ...]:
    """The cells of an effect; a difference of times is a share of A's."""
    from benchsuite.report.formatting import format_value

    timed = bool(effect.clock)
    form: Form = "seconds" if timed else "number"
    differences = (effect.difference, effect.low, effect.high)
    change, low, high = (
        signed(math.expm1(value), "share") if timed else signed(value) for value in differences
    )
    return (
        effect.what,
        f"{effect.where}, {CLOCK_NAMES[effect.clock]}" if timed else effect.where,
        format_value(effect.a, form=form),
        format_value(effect.b, form=form),
        change,
        f"n = {effect.n}" if math.isnan(effect.low) else f"{low} to {high}",
        "" if math.isnan(effect.p) else format_value(effect.p, rough=True),
        str(effect.verdict),
    )


def signed(value: float, form: Form = "number") -> str:
    """`+33 %`, `−0.01`, `0`: three digits are enough of a difference."""
    from benchsuite.report.formatting import format_value

    rounded = float(f"{value:.2e}") if math.isfinite(value) else value
    text = format_value(rounded, form=form)
    return f"+{text}" if value > 0 else text
