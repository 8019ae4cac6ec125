"""`benchsuite verify`: may a study's results be believed, as far as a reader can tell without running them?"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchsuite.cli import options as given
from benchsuite.cli.output import console, table

if TYPE_CHECKING:
    from benchsuite.publishing.verdict import Verification

MOST_FINDINGS = 5
"""Findings of a rule that the terminal shows; --json has all of them."""


def verify(
    study: Annotated[
        str,
        typer.Argument(
            metavar="STUDY", help="A bundle, a study's folder, or its name in the results folder."
        ),
    ],
    suite: Annotated[
        str | None,
        typer.Option(
            metavar="NAME@N",
            help="The frozen suite that its trials must be of [dim](default: the one that they are of)[/dim].",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown, for a comment on a pull request.")
    ] = False,
    results: given.Results = None,
) -> None:
    """Judge a study by rules, and say each rule's verdict. Runs nothing.

    Ends with 0 when no rule failed, with 1 when one did, with 2 for what is no study. What it cannot know is
    said in docs/howto/verify.md: `benchsuite reproduce` runs trials again.
    """
    from benchsuite.api.opening import locate
    from benchsuite.errors import RequestError
    from benchsuite.publishing.verify import verify as verified

    if json and markdown:
        raise RequestError("--json and --markdown are two forms of one answer: give one of them")
    path = Path(study)
    if not (path.suffix == ".zip" and path.is_file()):
        with contextlib.ExitStack() as nothing:  # a bundle is unpacked by what verifies it
            located = locate(study, results, nothing)
            path = Path(located.origin) if located.origin else located.folder
    found = verified(path, suite)
    if json:
        typer.echo(found.to_json())
    elif markdown:
        typer.echo(found.to_markdown(), nl=False)
    else:
        _print(found)
    if not found.passed:
        raise typer.Exit(1)


def _print(found: Verification) -> None:
    from benchsuite.publishing.verdict import STATUS_WORDS

    rows = [(one.rule, STATUS_WORDS[one.status], one.summary) for one in found.rules]
    console().print(table("", ["rule", "verdict", "what was found"], rows))
    for one in (*found.of("fail"), *found.of("warn")):
        for detail in one.details[:MOST_FINDINGS]:
            typer.echo(f"{one.rule}: {detail}")
        if len(one.details) > MOST_FINDINGS:
            typer.echo(f"{one.rule}: and {len(one.details) - MOST_FINDINGS} more; --json has all of them")
    if found.suite:
        typer.echo(f"frozen suite: {found.suite}")
    typer.echo(f"{found.subject}: {found.sentence}")
