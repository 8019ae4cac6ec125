"""`benchsuite publish`: studies into a results repository."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchsuite.cli import options as given
from benchsuite.cli.interrupts import ended_by_signals
from benchsuite.cli.output import print_json, warn

if TYPE_CHECKING:
    from benchsuite.publishing.repository import Published, Repository


def publish(
    studies: Annotated[
        list[str],
        typer.Argument(
            metavar="STUDY...",
            help="Bundles, studies by name or path, or another results repository: all of its studies.",
        ),
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="FOLDER|URL",
            help="The results repository: a folder, or a git repository to clone.",
        ),
    ],
    by: Annotated[str, typer.Option("--as", metavar="NAME", help="The name to publish under.")] = "",
    claimed: Annotated[
        bool,
        typer.Option(
            "--claimed", help="Publish what is not verified too, as a claim: shown apart, not ranked."
        ),
    ] = False,
    licence: Annotated[
        str, typer.Option("--licence", help="Licence (or its URL) of a study that is no bundle yet.")
    ] = "",
    push: Annotated[
        bool,
        typer.Option("--push", help="Push the branch of a git repository; without, the command is printed."),
    ] = False,
    branch: Annotated[str, typer.Option(help="Branch of the commit [dim](default: publish-ID)[/dim].")] = "",
    results: given.Results = None,
    json: given.AsJson = False,
) -> None:
    """Verify studies and add them to a results repository: nothing but files, one folder per study.

    What is there stays as it is, and what was published before is not published twice. A study that is not
    verified is refused. Of a git repository a clone is committed to on a branch of its own, so that the
    branch is a pull request.
    """
    from benchsuite.errors import RequestError
    from benchsuite.publishing.repository.folder import Repository
    from benchsuite.publishing.repository.git import Clone, is_git_url
    from benchsuite.publishing.repository.publish import checked_name

    checked_name(by)
    if (push or branch) and not is_git_url(to):
        raise RequestError(f"--push and --branch need a git URL; {to} is a folder")
    sources = [_source(name, results) for name in studies]  # before anything is cloned
    if not is_git_url(to):
        _print(_publish_all(sources, Repository.at(Path(to)), by, claimed, licence), json)
        return
    clone = Clone.of(to)
    kept = False
    try:
        found = _publish_all(sources, Repository.at(clone.folder), by, claimed, licence)
        _print(found, json)
        added = [one.submission.id for one in found if not one.already]
        name = branch or (f"publish-{added[0]}" if added else "")
        if added and clone.commit(name, f"Publish {', '.join(added)}"):
            if push:
                clone.push(name)
                typer.echo(f"pushed branch {name} to {to}", err=json)
            else:
                kept = True
                typer.echo(
                    f"committed on branch {name}; push it with:\n  {clone.push_command(name)}", err=json
                )
    finally:
        if not kept:
            clone.remove()


def _publish_all(
    sources: list[Path | Repository], repository: Repository, by: str, claimed: bool, licence: str
) -> list[Published]:
    from benchsuite.publishing.repository.publish import publish_repository, publish_study

    found: list[Published] = []
    with ended_by_signals():
        for source in sources:
            if isinstance(source, Path):
                found.append(publish_study(source, repository, by=by, claimed=claimed, licence=licence))
                continue
            if by:
                warn(
                    f"{source.folder} is a results repository: its studies keep the names they were "
                    "published under"
                )
            found += publish_repository(source, repository, claimed=claimed)
    return found


def _source(name: str, results: Path | None) -> Path | Repository:
    """The bundle, the folder of the study, or the results repository that is meant."""
    from benchsuite.cli.studies import open_study
    from benchsuite.publishing.repository.folder import Repository as Opened
    from benchsuite.running.store import REPOSITORY_MARKER

    path = Path(name)
    if (path / REPOSITORY_MARKER).is_file():
        return Opened.open(path)
    if name.endswith(".zip") and path.is_file():
        return path
    study = open_study(name, results, allow_damage=False)
    return Path(study.origin) if study.origin else study.folder


def _print(found: list[Published], json: bool) -> None:
    from benchsuite.publishing.samples import withheld_words
    from benchsuite.report.formatting import format_count

    if json:
        print_json(
            [
                {**one.submission.model_dump(mode="json"), "folder": str(one.folder), "already": one.already}
                for one in found
            ]
        )
        return
    for one in found:
        told = one.submission
        what = f"{format_count(told.trials, 'trial')}, {told.level}"
        if told.suite:
            what += f", {told.suite}"
        if one.already:
            typer.echo(f"{told.id} was published before ({what}): {shlex.quote(str(one.folder))}")
        else:
            typer.echo(f"published {told.id} ({what}): {shlex.quote(str(one.folder))}")
            if one.withheld:
                warn(f"{told.id} is published without {withheld_words(one.withheld)}")
            if told.level == "claimed":
                warn(f"{told.id} is not verified: it is published as a claim, shown apart and not ranked")
