"""`benchsuite compare`: two studies, or two selections of one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchsuite.cli import options as given
from benchsuite.cli.output import console, print_json, table

if TYPE_CHECKING:
    from benchsuite.analysis.comparison import Effect, StudyComparison

SELECTION = "A study, or some of its trials: STUDY:field=value,value;field=value"


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help=SELECTION)],
    b: Annotated[str, typer.Argument(metavar="B", help=SELECTION)],
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
    pooled by task over models and seeds, speeds by backend, and all p-values are corrected together.
    """
    from benchsuite.analysis.comparison import compare as hold
    from benchsuite.analysis.comparison import parse_selection
    from benchsuite.cli.studies import open_study

    limit = percent(fail_on_regression) if fail_on_regression else None
    left, right = parse_selection(a), parse_selection(b)
    allowed = allow_damage or limit is None  # what gates should not go by a part of the records
    sides = [
        (one, one.choose(open_study(one.study, results, allow_damage=allowed).records))
        for one in (left, right)
    ]
    found = hold(sides[0][1], sides[1][1], left, right)
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
            {"side": side, "trial": record.trial_id, "label": record.trial.label, "reason": reason}
            for side, record, reason in found.pairing.alone
        ],
        "hardware_differs": {name: list(both) for name, both in found.pairing.foreign_hardware.items()},
        **{
            part: [plain(effect) for effect in getattr(found, part)]
            for part in ("metrics", "by_model", "speeds", "by_trial")
        },
    }


def _print(found: StudyComparison) -> None:
    from rich.text import Text

    out = console()
    out.print(Text(f"A  {found.a}\nB  {found.b}\n{len(found.pairing.pairs)} pairs", style="bold"))
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
        if alone:
            out.print(Text(f"{side}: {len(alone)} trials are not compared"))
            for record, why in alone[:5]:
                out.print(Text(f"  {record.trial.label}: {why.splitlines()[0]}"))
    out.print(Text(f"B is {found.verdict}", style="bold"))


def _row(effect: Effect) -> tuple[str, ...]:
    timed = effect.what.startswith("speed/")
    values = [f"{value:.4g}" for value in (effect.a, effect.b)]
    if timed:
        values = [f"{1000 * value:.4g} ms" for value in (effect.a, effect.b)]
        change = f"{math.expm1(effect.difference):+.1%}"
        bounds = [f"{math.expm1(bound):+.1%}" for bound in (effect.low, effect.high)]
    else:
        change = f"{effect.difference:+.4g}"
        bounds = [f"{bound:+.4g}" for bound in (effect.low, effect.high)]
    known = not math.isnan(effect.low)
    return (
        effect.what,
        effect.where,
        *values,
        change,
        f"{bounds[0]} to {bounds[1]}" if known else f"n = {effect.n}",
        "" if math.isnan(effect.p) else f"{effect.p:.2g}",
        str(effect.verdict),
    )
