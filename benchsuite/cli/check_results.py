"""What a check prints: a failure as it comes, a table at the end, why cases are not supported, the verdict."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import typer

from benchsuite.cli.check_progress import case_name
from benchsuite.cli.output import console, table

if TYPE_CHECKING:
    from benchsuite.measure.worker.channel import CaseResult

STATES = ("ok", "failed", "unsupported", "absent")
LONGEST_MESSAGE, MOST_MESSAGE_LINES = 800, 8
"""Letters and lines of a message that are shown: frameworks print whole arrays."""


@dataclass(frozen=True)
class TypedCommand:
    """A command line that can be typed: `words` with options that are left out where they are empty."""

    words: tuple[str, ...]
    options: dict[str, str] = field(default_factory=dict)

    def text(self, **changed: str) -> str:
        """The command in one line, with some options set otherwise."""
        given = {**self.options, **changed}
        parts = [*self.words]
        for name, value in given.items():
            if value:
                parts += [f"--{name}"] if value == "yes" else [f"--{name}", value]
        return shlex.join(["benchsuite", *parts])


def print_failure(result: CaseResult, part: str, again: str, verbose: bool) -> None:
    """A case that failed: what, where it begins, the smallest input, the plugin's line, how to run it again."""
    name = case_name(result.check, result.unroll)
    typer.echo(f"failed  {name}{f', {part}' if part else ''}: {_shown(result.message, verbose)}")
    for word, text in (
        ("begins at", result.begins),
        ("smallest", result.smallest),
        ("in", result.place),
        ("again", again),
    ):
        if text:
            typer.echo(f"        {word}  {_shown(text, verbose)}")
    if verbose and result.trace:
        for line in result.trace.rstrip().splitlines():
            typer.echo(f"        | {line}")


def _shown(text: str, verbose: bool) -> str:
    """A message, or its beginning where it is long and --verbose is not given."""
    kept = "\n".join(text[:LONGEST_MESSAGE].splitlines()[:MOST_MESSAGE_LINES])
    if verbose or kept == text:
        return text
    return f"{kept} ... (the whole message: --verbose)"


def print_table(title: str, results: Sequence[CaseResult]) -> None:
    """How many cases of each check ended how: a row per check, a column per unroll in which anything ran."""
    counts: dict[str, dict[str, Counter[str]]] = {}
    for result in results:
        check = result.check.partition("[")[0].replace("_", " ")
        counts.setdefault(check, {}).setdefault(result.unroll, Counter())[result.status] += 1
    ran = {result.unroll for result in results if result.status != "unsupported"}
    unrolls = [unroll for unroll in dict.fromkeys(result.unroll for result in results) if unroll in ran]
    if not unrolls:
        return
    rows = [
        [check, *(_cell(by_unroll.get(unroll, Counter())) for unroll in unrolls)]
        for check, by_unroll in counts.items()
    ]
    typer.echo(title)  # as the title of a narrow table it would be broken
    console().print(table("", ["check", *(unroll or "cases" for unroll in unrolls)], rows))


def _cell(counts: Counter[str]) -> str:
    return ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])


def print_sources(results: Iterable[CaseResult]) -> None:
    """A line for each source of a task that is well, or not here."""
    for result in results:
        if result.status == "ok":
            typer.echo(f"ok      {result.check}")
        elif result.status == "absent":
            typer.echo(f"absent  {result.check}: {result.message}")


def print_reasons(results: Iterable[CaseResult]) -> None:
    """Why cases are not supported: one line per reason, with how many cases have it."""
    by_reason: dict[str, list[CaseResult]] = {}
    for result in results:
        if result.status == "unsupported":
            by_reason.setdefault(result.message, []).append(result)
    for reason, those in sorted(by_reason.items(), key=lambda pair: -len(pair[1])):
        unrolls = ", ".join(dict.fromkeys(result.unroll for result in those if result.unroll))
        number = f"{len(those)} case{'' if len(those) == 1 else 's'}"
        typer.echo(f"unsupported  {number}{f' ({unrolls})' if unrolls else ''}: {reason}")


def verdict(name: str, results: Sequence[CaseResult], left: int = 0, kept: int = 0) -> tuple[str, bool]:
    """`numpy conforms: 463 ok, 12 unsupported`, and whether it does.

    :param left: how many cases were not run. :param kept: how many results are from an earlier run.
    """
    counts = Counter(result.status for result in results)
    more = [f"{counts[state]} {state}" for state in ("unsupported", "absent") if counts[state]]
    more += [f"{kept} of them from the run before"] if kept else []
    if counts["failed"]:
        more += [f"{left} not checked"] if left else []
        told = ", ".join([f"{counts['failed']} of {len(results)} failed", *more])
        return f"{name} does NOT conform: {told}", False
    if left:
        told = ", ".join([f"{counts['ok']} ok", *more, f"{left} not checked"])
        return f"{name} is not checked to the end: {told}", False
    if not counts["ok"]:
        why = "no case is supported" if counts["unsupported"] else "there was no case"
        why = "its data are not on this machine" if counts["absent"] else why
        return f"nothing of {name} was checked: {why}", False
    told = ", ".join([f"{counts['ok']} ok", *more])
    return f"{name} conforms: {told}", True
