"""Runs the parts of a check one after the other: progress, results that are kept, the end."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import typer

from benchsuite.cli.check_progress import CheckState, progress
from benchsuite.cli.check_results import (
    TypedCommand,
    print_failure,
    print_reasons,
    print_sources,
    print_table,
    verdict,
)
from benchsuite.cli.interrupts import ended_by_signals, interrupted_code
from benchsuite.cli.output import print_json, warn
from benchsuite.errors import BenchsuiteError
from benchsuite.measure.worker.channel import CaseId, CaseResult, CheckCell, CheckTask
from benchsuite.running.case_patterns import check_patterns, chosen
from benchsuite.running.checks import KitCheck
from benchsuite.running.kept_checks import KeptResults, checks_folder


@dataclass
class CheckPart:
    """What one worker checks.

    title    heads its table; facts: what the command line says of it, such as its precision
    names    of all its cases; cases: those that are chosen; None before they are known
    results  of those that were checked; kept: how many of them are from the run before
    """

    title: str
    facts: dict[str, str]
    check: KitCheck
    names: list[str] = field(default_factory=list)
    cases: list[CaseId] | None = None
    results: list[CaseResult] = field(default_factory=list)
    kept: int = 0

    @property
    def left(self) -> int:
        """How many of the cases that are known are not checked."""
        return len(self.cases or ()) - len(self.results)

    def described(self, result: CaseResult) -> dict[str, Any]:
        """A result as JSON has it."""
        return {**result.model_dump(), **self.facts}


@dataclass(frozen=True)
class CheckOptions:
    """What the options ask for.

    patterns   of the names of cases; none: all
    list_only  print the names and end
    fail_fast  end at the first failure
    fresh      do not go on with an interrupted check
    folder     where results are kept; None: in the user's cache
    """

    patterns: Sequence[str]
    list_only: bool
    fail_fast: bool
    fresh: bool
    folder: Path | None
    verbose: bool
    json: bool


def run_parts(name: str, parts: Sequence[CheckPart], wanted: CheckOptions, command: TypedCommand) -> None:
    """Check all parts; print failures as they come, then tables, reasons and the verdict.

    Ends with 1 unless all that is supported conforms, with 130 where it was interrupted.
    """
    if wanted.list_only:
        _print_names(parts, wanted)
        return
    ended: BenchsuiteError | KeyboardInterrupt | None = None
    with ended_by_signals():
        try:
            with progress(wanted.json) as state:
                for number, part in enumerate(parts):
                    _run_part(part, wanted, command, state, parts[number + 1 :])
                    if wanted.fail_fast and any(result.status == "failed" for result in part.results):
                        break
        except (BenchsuiteError, KeyboardInterrupt) as error:
            ended = error
        if isinstance(ended, BenchsuiteError) and not any(part.results for part in parts):
            raise ended
        if ended is None:
            check_patterns([name for part in parts for name in part.names], wanted.patterns)
        well = _print_end(name, parts, wanted, state)
    if isinstance(ended, BenchsuiteError):
        raise ended
    if ended is not None:
        kept = (
            ""
            if any(isinstance(part.check.asked, CheckTask) for part in parts)
            else "what was found is kept, "
        )
        typer.echo(f"interrupted; {kept}this goes on: {command.text()}", err=True)
        raise typer.Exit(interrupted_code())
    if not well:
        raise typer.Exit(1)


def _print_names(parts: Sequence[CheckPart], wanted: CheckOptions) -> None:
    names: dict[str, None] = {}
    for kind in dict.fromkeys(_kind(part) for part in parts):
        part = next(part for part in parts if _kind(part) == kind)
        try:
            names |= dict.fromkeys(case.check for case in part.check.list().cases)
        finally:
            part.check.close()
    check_patterns(list(names), wanted.patterns)
    found = chosen(names, wanted.patterns)
    if wanted.json:
        print_json(found)
    else:
        typer.echo("\n".join(found))


def _kind(part: CheckPart) -> tuple[str, bool]:
    """Parts of one kind have the same cases, up to those that a backend's limits add."""
    return part.check.asked.kind, bool(getattr(part.check.asked, "unrolls", ()))


def _run_part(
    part: CheckPart,
    wanted: CheckOptions,
    command: TypedCommand,
    state: CheckState,
    later: Sequence[CheckPart],
) -> None:
    listed = part.check.list()
    part.names = [case.check for case in listed.cases]
    if part.check.asked.kind == "check_backend":
        check_patterns(part.names, wanted.patterns)
    meant = set(chosen(part.names, wanted.patterns))
    part.cases = [case for case in listed.cases if case.check in meant]
    alike = sum(_kind(other) == _kind(part) for other in later)
    before = state.kept + state.done
    state.total = before + len(part.cases) * (1 + alike)
    kept = None if isinstance(part.check.asked, CheckTask) else _kept(part, wanted, listed.fingerprint)
    known: dict[CaseId, CaseResult] = {}
    if kept is not None:
        if wanted.fresh:
            kept.forget()
        known = {case: result for case, result in kept.read().items() if case in set(part.cases)}
        if known:
            message = (
                f"{len(known)} of {len(part.cases)} cases of {part.title} are kept from a check that was "
            )
            typer.echo(f"{message}interrupted; --fresh begins anew", err=True)
    part.results += known.values()
    part.kept = len(known)
    state.kept += part.kept
    with ExitStack() as stack:
        stack.callback(part.check.close)
        for event in part.check.run([case for case in part.cases if case not in known]):
            state.update(event)
            if not isinstance(event, CaseResult):
                continue
            part.results.append(event)
            if kept is not None:
                kept.add(event)
            if event.status == "failed":
                if not wanted.json:
                    print_failure(
                        event, ", ".join(part.facts.values()), _again(command, part, event), wanted.verbose
                    )
                if wanted.fail_fast:
                    return
    if kept is not None:
        if kept.problem:
            warn(kept.problem)
        if not part.left:
            kept.forget()


def _kept(part: CheckPart, wanted: CheckOptions, fingerprint: str) -> KeptResults:
    """Where results of the part are kept. They depend on the plugin's code and all versions (the fingerprint),
    the interpreter and the version of benchsuite, and are gone on with by the same command alone."""
    facts = {key: str(value) for key, value in part.check.asked.model_dump(exclude={"cases"}).items()}
    facts |= {
        "fingerprint": fingerprint,
        "benchsuite": version("benchsuite"),
        "patterns": str(sorted(wanted.patterns)),
        "backend": part.check.key.backend,
        "python": part.check.key.python,
    }
    return KeptResults(wanted.folder or checks_folder(), part.title.replace(" ", "-").replace(",", ""), facts)


def _again(command: TypedCommand, part: CheckPart, result: CaseResult) -> str:
    """The command that runs a case alone."""
    if isinstance(part.check.asked, CheckTask):
        return command.text(source=result.check.rpartition(" ")[2])
    if isinstance(part.check.asked, CheckCell) and not part.check.asked.unrolls:
        return command.text(case=result.check, backend=part.check.key.backend, precision="float64")
    return command.text(case=result.check, unroll=result.unroll, core="", **part.facts)


def _print_end(name: str, parts: Sequence[CheckPart], wanted: CheckOptions, state: CheckState) -> bool:
    """Tables, reasons, and the verdict as the last line; whether all is well."""
    results = [result for part in parts for result in part.results]
    left = max(state.total - len(results), sum(part.cases is None for part in parts))
    text, well = verdict(name, results, left, state.kept)
    if wanted.json:
        print_json([part.described(result) for part in parts for result in part.results])
        typer.echo(text, err=True)
        return well
    for part in parts:
        if isinstance(part.check.asked, CheckTask):
            print_sources(part.results)
        elif part.results:
            print_table(part.title, part.results)
    print_reasons(results)
    typer.echo(text)
    return well
