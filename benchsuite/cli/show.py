"""`benchsuite show`: the table of a study, or all that is known of one trial."""

from __future__ import annotations

from json import loads as json_of
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchsuite.cli import options as given
from benchsuite.cli.output import console, print_json, table

if TYPE_CHECKING:
    from benchsuite.running.study import Study
    from benchsuite.schema import Record


def show(
    study: given.Study,
    trial: Annotated[str, typer.Argument(metavar="TRIAL", help="The first digits of a trial's id.")] = "",
    results: given.Results = None,
    trials: Annotated[bool, typer.Option("--trials", help="List every trial with its id.")] = False,
    json: given.AsJson = False,
) -> None:
    """Show a study's table of results, its trials, or one trial with all its figures."""
    from benchsuite.cli.studies import find_record, open_study

    found = open_study(study, results)
    if trial:
        record = find_record(found, trial)
        if json:
            print_json(_plain(record))
        else:
            _print_record(found, record)
    elif json:
        print_json([_plain(record) for record in found.records])
    elif trials:
        _print_trials(found)
    else:
        from benchsuite.cli.summary import print_summary

        print_summary(console(), found.records)
        typer.echo(f"study: {found.folder} ({len(found.records)} records); `--trials` lists them")


def _plain(record: Record) -> Any:
    """The record as its journal line has it: what is not a finite number is written as text."""
    return json_of(record.model_dump_json())


def _print_trials(study: Study) -> None:
    rows = [
        (
            record.trial_id,
            str(record.status),
            record.trial.label,
            _number(record.scalars.get(f"test/{record.primary}")),
            (record.reason.splitlines() or [""])[0],
        )
        for record in study.records
    ]
    console().print(table(study.name, ["id", "status", "trial", ">metric", "reason"], rows))


def _print_record(study: Study, record: Record) -> None:
    from rich.text import Text

    from benchsuite.schema.fields import flatten

    out = console()
    out.print(Text(f"{record.trial.label}  [{record.trial_id}]", style="bold"))
    facts = {"status": str(record.status), "reason": record.reason, "kernel": record.kernel}
    facts |= {f"verdict: {name}": word for name, word in sorted(record.verdicts.items())}
    groups = {
        "": {name: text for name, text in facts.items() if text},
        "trial": dict(flatten(record.trial.model_dump(mode="json"))),
        "scalars": {name: _number(value) for name, value in sorted(record.scalars.items())},
        "baselines": {name: _number(value) for name, value in flatten(record.baselines)},
        "environment": dict(sorted(record.environment.items())),
        "curves": {one.name: f"{len(one.x)} points by {one.axis}" for one in study.series(record.trial_id)},
    }
    for title, values in groups.items():
        if values:
            out.print(table(title, ["", ""], values.items(), show_header=False))
    for title, text in (("exception", record.exception), ("output", record.output_tail)):
        if text:
            out.print(Text(f"{title}\n{text}"))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"
