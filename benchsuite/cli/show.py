"""`benchsuite show`: the table of a study, or all that is known of one trial."""

from __future__ import annotations

from json import loads as json_of
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchsuite.cli import options as given
from benchsuite.cli.output import NO_VALUE, console, print_json, table

if TYPE_CHECKING:
    from benchsuite.analysis.decay import Moment
    from benchsuite.running.study import StoredStudy
    from benchsuite.schema import Record

WHEN: dict[Moment, str] = {"start": "before", "end": "after"}


def show(
    study: given.StudyName,
    trial: Annotated[str, typer.Argument(metavar="TRIAL", help="The first digits of a trial's id.")] = "",
    results: given.Results = None,
    trials: Annotated[bool, typer.Option("--trials", help="List every trial with its id.")] = False,
    json: given.AsJson = False,
) -> None:
    """Show a study's table of results, its trials, or one trial with all its figures."""
    from benchsuite.cli.studies import find_records, open_study

    found = open_study(study, results)
    if trial:
        records = find_records(found, trial)
        if json:
            plain = [_plain(found, one) for one in records]
            print_json(plain if len(plain) > 1 else plain[0])
        else:
            for record in records:
                _print_record(found, record)
    elif json:
        print_json([_plain(found, record) for record in found.records])
    elif trials:
        _print_trials(found)
    else:
        from benchsuite.cli.summary import print_summary

        print_summary(console(), found.records, found.label)
        where = found.origin or found.folder
        typer.echo(f"study: {where} ({len(found.records)} records); `--trials` lists them")


def _plain(study: StoredStudy, record: Record) -> Any:
    """The record as its journal line has it, where what is not a finite number is text; with its label, and
    what is wrong with it. Of a timing that is refused there is no figure."""
    from benchsuite.analysis.validity import problem, problem_reason, unsteady, valid_scalars

    plain = json_of(record.model_dump_json())
    plain["scalars"] = {name: plain["scalars"][name] for name in valid_scalars(record)}
    return plain | {
        "label": study.label(record.trial),
        "problem": problem(record),
        "problem_reason": problem_reason(record),
        "unsteady": unsteady(record),
    }


def _print_trials(study: StoredStudy) -> None:
    from benchsuite.analysis.validity import problem, problem_reason
    from benchsuite.report.formatting import format_value

    machines = study.machines()
    several = len(set(machines)) > 1
    rows = [
        (
            record.trial_id,
            problem(record) or str(record.status),
            study.label(record.trial) + (f" on {machine.name}" if several else ""),
            format_value(record.scalars.get(f"test/{record.primary}")) or NO_VALUE,
            problem_reason(record),
        )
        for record, machine in zip(study.records, machines, strict=True)
    ]
    console().print(table(study.name, ["id", "", "trial", ">metric", "reason"], rows))


def _print_record(study: StoredStudy, record: Record) -> None:
    from rich.text import Text

    from benchsuite.analysis.decay import MOMENTS, verdicts
    from benchsuite.analysis.machines import machine_of
    from benchsuite.analysis.validity import (
        problem,
        problem_reason,
        reasons_left_out,
        unsteady,
        valid_scalars,
        valid_series,
    )
    from benchsuite.report.formatting import format_count
    from benchsuite.schema.fields import flatten
    from benchsuite.schema.texts import MOST_TRACE, capped

    out = console()
    out.print(Text(f"{study.label(record.trial)}  [{record.trial_id}]", style="bold"))
    facts = {
        "status": str(record.status),
        "machine": machine_of(record.environment).name,
        "problem": ": ".join(text for text in (problem(record), problem_reason(record)) if text),
        "reason": capped(record.reason, MOST_TRACE),
        "not steady": unsteady(record),
        "figures left out": "; ".join(reasons_left_out(record)),
        "kernel": record.kernel,
        "way": _way_words(record),
    }
    facts |= {
        f"verdict: {name}": word
        for name, word in sorted(verdicts(record).items())
        if not name.startswith("gradient_")
    }
    facts |= {f"gradient {WHEN[moment]} training": _decay_words(record, moment) for moment in MOMENTS}
    groups = {
        "": {name: text for name, text in facts.items() if text},
        "trial": dict(flatten(record.trial.model_dump(mode="json"))),
        "scalars": {name: scalar_words(name, value) for name, value in sorted(valid_scalars(record).items())},
        "baselines": {name: scalar_words(name, value) for name, value in flatten(record.baselines)},
        "environment": dict(sorted(record.environment.items())),
        "curves": {
            one.name: f"{format_count(len(one.x), 'point')} by {one.axis}"
            for one in valid_series(record, study.series(record.trial_id, record.attempt))
        },
    }
    for title, values in groups.items():
        if values:
            out.print(table(title, ["", ""], values.items(), show_header=False))
    for title, text in (("exception", record.exception), ("output", record.output_tail)):
        if text:
            out.print(Text(f"{title}\n{capped(text, MOST_TRACE)}"))


def _way_words(record: Record) -> str:
    """`fused; dynamic takes 1.2 times as long`; "" where the record does not say it."""
    from benchsuite.analysis.ways import way_that_ran
    from benchsuite.report.formatting import COST_DIGITS, format_number

    found = way_that_ran(record)
    if found is None:
        return ""
    others = [
        f"{name} takes {format_number(cost, COST_DIGITS)} times as long"
        for name, cost in found.others.items()
    ]
    return "; ".join([found.name, *others])


def _decay_words(record: Record, moment: Moment) -> str:
    """`vanishing, half-life 2.6 steps, 0.24 % left at the first step`; "" where nothing is known."""
    from benchsuite.analysis.decay import gradient_decay
    from benchsuite.report.formatting import format_value

    found = gradient_decay(record, moment)
    if found is None:
        return ""
    words = [found.verdict]
    if found.half_life is not None:
        words.append(f"half-life {format_value(found.half_life, unit='steps', rough=True)}")
    if found.change is not None:
        words.append(f"{format_value(100 * found.change, unit='%', rough=True)} left at the first step")
    return ", ".join(word for word in words if word)


def scalar_words(name: str, value: float) -> str:
    """A scalar in the unit that its name tells: `1.25 ms`, `413 MiB`, `0.9812`."""
    from benchsuite.report.formatting import format_value

    if "seconds" in name and "per_second" not in name:
        return format_value(value, form="seconds")
    if name.endswith("_bytes"):
        return format_value(value, form="bytes")
    return format_value(value, form="integer" if float(value).is_integer() else "number")
