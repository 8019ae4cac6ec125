"""`benchsuite merge`: studies of several machines or shards into one."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchsuite.cli import options as given
from benchsuite.cli import request
from benchsuite.cli.interrupts import ended_by_signals
from benchsuite.cli.output import warn

if TYPE_CHECKING:
    from benchsuite.running.merge import Merged, Missing

MOST_IDS = 5
"""Missing trials that are named of each shard."""


def merge(
    studies: Annotated[
        list[str],
        typer.Argument(metavar="STUDY...", help="Names in the results folder, paths, or bundles."),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="STUDY", help="Name or path of the merged study.")
    ],
    keep: Annotated[
        str | None,
        typer.Option(
            metavar="newest|all",
            help="Of several records of one trial on one machine, go by the newest; `all` keeps the others in "
            "the journal [dim](default: refuse)[/dim].",
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Refuse what would only be warned of: differences and damage.")
    ] = False,
    results: given.Results = None,
) -> None:
    """Merge studies of several machines or shards into one that every command reads.

    What the output holds already stays, so that studies can be merged as they come, and twice. Records of
    different machines are kept apart and never ranked together. What is missing is listed with the command that
    runs it.
    """
    from benchsuite.cli.studies import named_folder, open_study
    from benchsuite.errors import RequestError
    from benchsuite.running.merge import KEEP, merge_studies

    request.check_choice("--keep", keep, KEEP)
    if output.endswith(".zip"):
        raise RequestError(
            f"--output {output}: a merged study is a folder; `benchsuite bundle` makes a zip of it"
        )
    folder = named_folder(output, results)
    found = [open_study(name, results) for name in studies]
    kept = next((one for one in KEEP if one == keep), None)
    with ended_by_signals():
        merged = merge_studies(found, folder, kept, strict)
    _print(merged, output, results)


def _print(merged: Merged, name: str, results: Path | None) -> None:
    from benchsuite.report.formatting import format_count

    for source in merged.sources:
        shard = f"shard {source.shards}, " if source.shards else ""
        where = "; ".join(machine.name for machine in source.machines) or "no record"
        typer.echo(f"{source.name}: {shard}{format_count(len(source.records), 'record')} ({where})")
    for sentence in merged.warnings:
        warn(sentence)
    lacking = sum(len(one.trials) for one in merged.missing)
    held = f"{format_count(merged.trials, 'trial')}, {format_count(merged.records, 'record')}"
    typer.echo(f"merged: {held} in {merged.folder}")
    machines = {machine for source in merged.sources for machine in source.machines}
    if len(machines) > 1:
        typer.echo(f"{len(machines)} machines: each has rankings of its own")
    if merged.missing:
        typer.echo(f"missing: {format_count(lacking, 'trial')}; run, and merge again:")
    for one in merged.missing:
        typer.echo(
            f"  {one.command}   # {_share(one)} of {f'shard {one.shard}' if one.shard else 'the matrix'}"
        )
    more = [] if results is None else ["--results", str(results)]
    typer.echo(f"look at it: {shlex.join(['benchsuite', 'show', name, *more])}")


def _share(missing: Missing) -> str:
    """`all`, or `2 of 9 (ids)`."""
    if len(missing.trials) == missing.total:
        return "all"
    named = ", ".join(missing.trials[:MOST_IDS]) + (", ..." if len(missing.trials) > MOST_IDS else "")
    return f"{len(missing.trials)} of {missing.total} ({named})"
