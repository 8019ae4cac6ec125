"""`benchsuite reproduce`: run recorded trials again and compare every figure with the recorded one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchsuite.cli import options as given
from benchsuite.cli import request
from benchsuite.cli.output import console, print_json, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchsuite.analysis.reproduction import Reproduction
    from benchsuite.schema import Record

MOST_FIGURES = 12
"""Figures that are printed of a trial that was not reproduced."""


def reproduce(
    study: given.StudyName,
    trial: Annotated[
        str,
        typer.Argument(metavar="TRIAL", help="The first digits of a trial's id; all ranked ones without."),
    ] = "",
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="STUDY",
            help="Keep the new records as a study of this name or path, to compare or to publish it.",
        ),
    ] = None,
    results: given.Results = None,
    executor: given.ExecutorName = "local",
    timeout: given.Timeout = request.DEFAULT_TIMEOUT,
    memory: given.Memory = request.DEFAULT_MEMORY,
    pin: given.Pin = True,
    pythons: given.Pythons = None,
    json: given.AsJson = False,
) -> None:
    """Run trials of a study again, from the study's own files, and say of every figure whether it is bit-equal,
    within tolerance, or different; and what differs in versions, hardware, data and code.

    Ends with 1 where anything came out different. Nothing is written to the study; --output keeps the new
    records as a study of its own.
    """
    import contextlib

    from benchsuite.analysis.reproduction import Likeness, compare_records
    from benchsuite.analysis.validity import is_ranked
    from benchsuite.cli.studies import find_records, named_folder, open_study
    from benchsuite.contracts import Finished
    from benchsuite.errors import RequestError
    from benchsuite.plugins import registry
    from benchsuite.running.study.again import kept_again

    source = open_study(study, results)
    ranked = [one for one in source.records if is_ranked(one)]
    chosen = _of_this_machine(find_records(source, trial) if trial else ranked)
    if not chosen:
        raise RequestError(f"{source.name} holds no ranked trial to run again; `benchsuite show` lists them")
    recorded = {record.trial.id: record for record in chosen}
    options = request.run_options("worker", 1, timeout, pythons, pin, memory)
    found: list[Reproduction] = []
    with contextlib.ExitStack() as stack:
        kept = output and stack.enter_context(kept_again(named_folder(output, results), source.description()))
        runner = stack.enter_context(registry().start_executor(executor, options))
        for event in runner.run([record.trial for record in chosen]):
            if isinstance(event, Finished):
                known = recorded[event.record.trial_id]
                one = compare_records(known, source.series(known.trial_id, known.attempt), event.record)
                found.append(one)
                if kept:
                    kept.append(event.record)
                if not json:
                    _print(one, source.label(known.trial))
    if json:
        print_json([as_json(one, source.label(one.recorded.trial)) for one in found])
    else:
        counts = {word: sum(one.likeness is word for one in found) for word in Likeness}
        said = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
        typer.echo(f"{len(found)} trials run again: {said}")
        if output:
            typer.echo(
                f"kept in study {output}; publish it with: benchsuite publish {output} --to REPOSITORY"
            )
    if any(one.likeness is Likeness.DIFFERENT for one in found):
        raise typer.Exit(1)


def _of_this_machine(records: Sequence[Record]) -> list[Record]:
    """One record of each trial: that of this machine, where several ran it, else the last one."""
    from benchsuite.analysis.machines import machine_of
    from benchsuite.measure.provenance import hardware

    if len({record.trial_id for record in records}) == len(records):
        return list(records)
    here = machine_of(hardware())
    ordered = sorted(records, key=lambda record: machine_of(record.environment) == here)
    return list({record.trial_id: record for record in ordered}.values())


def as_json(found: Reproduction, label: str) -> dict[str, Any]:
    """The reproduction for programs; what is not a number is None."""

    def number(value: float) -> float | None:
        return value if math.isfinite(value) else None

    return {
        "trial": found.recorded.trial_id,
        "label": label,
        "likeness": str(found.likeness),
        "changes": {name: list(both) for name, both in found.changes.items()},
        "figures": [
            {
                "name": one.name,
                "recorded": number(one.old),
                "again": number(one.new),
                "error": number(one.error),
                "likeness": str(one.likeness),
            }
            for one in found.figures
        ],
    }


def _print(found: Reproduction, label: str) -> None:
    from rich.text import Text

    from benchsuite.analysis.reproduction import Likeness

    out = console()
    held = [one for one in found.figures if one.likeness is not Likeness.MEASURED]
    equal = sum(one.likeness is Likeness.EQUAL for one in held)
    out.print(
        Text(
            f"{label} [{found.recorded.trial_id}]: {found.likeness} "
            f"({equal} of {len(held)} figures bit-equal)",
            style="bold",
        )
    )
    if found.data_changed:
        out.print(Text("  THE DATA DIFFER from those of the record"))
    for name, (old, new) in found.changes.items():
        out.print(Text(f"  {name}: {_short(old)} then, {_short(new)} now"))
    unequal = sorted((one for one in held if one.likeness is not Likeness.EQUAL), key=lambda one: -one.error)
    if unequal:
        rows = [
            (one.name, f"{one.old:.9g}", f"{one.new:.9g}", f"{one.error:.1e}", str(one.likeness))
            for one in unequal[:MOST_FIGURES]
        ]
        out.print(table("", ["figure", ">recorded", ">now", ">error", ""], rows))
        if len(unequal) > MOST_FIGURES:
            out.print(Text(f"  and {len(unequal) - MOST_FIGURES} more"))


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[:most]}..."
