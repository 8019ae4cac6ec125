"""`benchsuite env`: an environment per backend, so that frameworks need not share one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from benchsuite.cli import options as given
from benchsuite.cli.output import console, installed, print_json, table, warn
from benchsuite.cli.single_options import Commands

if TYPE_CHECKING:
    from benchsuite.running.environments import Environment

app = Commands(
    no_args_is_help=True,
    help="Make, list and remove environments: a Python with one backend and what it needs.",
)


@app.command()
def create(
    what: Annotated[
        str,
        typer.Argument(
            metavar="BACKEND|PATH",
            help="A backend, see `benchsuite list backends`; or the folder or the wheel of a plugin with one.",
        ),
    ],
    python: Annotated[
        str | None,
        typer.Option(
            "--python", help="A version, as in 3.12, or a program [dim](default: this Python)[/dim]."
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            "--name", help="Name of the environment [dim](default: the backend's, or the plugin's)[/dim]."
        ),
    ] = None,
    pip_args: Annotated[
        str,
        typer.Option(
            "--pip-args", metavar="'ARGUMENTS'", help="Further arguments of `pip install`, in one text."
        ),
    ] = "",
    also: Annotated[
        list[str] | None,
        typer.Option(
            "--with", metavar="REQUIREMENT", help="Install this too, as a plugin with tasks; repeatable."
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FOLDER|WHEEL|VERSION",
            help="What benchsuite itself is installed from [dim](default: as it was here)[/dim].",
        ),
    ] = None,
    cuda: Annotated[bool, typer.Option("--cuda", help="Builds for NVIDIA GPUs: several gigabytes.")] = False,
    inherit: Annotated[
        bool,
        typer.Option(
            "--inherit", help="See what this Python has installed, and install only what is missing."
        ),
    ] = False,
    constraints: Annotated[
        bool,
        typer.Option(
            "--constraints/--no-constraints", help="The versions that were tested together, or any."
        ),
    ] = True,
    installer: Annotated[
        str | None,
        typer.Option(
            "--installer", metavar="uv|pip", help="[dim]default: uv where it is there, else pip[/dim]"
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Remove an environment of this name first.")
    ] = False,
) -> None:
    """Make an environment for a backend; from then on its trials run there, without --python.

    pip's and uv's own settings (PIP_*, UV_*) hold. What fails or is interrupted leaves nothing but its log.
    """
    import shlex

    from benchsuite.cli.interrupts import ended_by_signals
    from benchsuite.errors import RequestError
    from benchsuite.running.environments import Wanted
    from benchsuite.running.environments import create as create_environment

    try:
        arguments = tuple(shlex.split(pip_args))
    except ValueError as error:
        raise RequestError(f"--pip-args {pip_args}: {error}") from None
    found = installed()
    begin = time.monotonic()
    with ended_by_signals():
        made = create_environment(
            Wanted(
                what=what,
                python=python,
                name=name,
                arguments=arguments,
                installer=installer,
                source=source,
                more=tuple(also or ()),
                cuda=cuda,
                inherit=inherit,
                constrained=constraints,
                replace=replace,
            ),
            found,
            say=lambda text: typer.echo(text, err=True),
        )
    seconds = time.monotonic() - begin
    typer.echo(
        f"environment {made.name}: Python {made.python}, for {', '.join(made.backends)}; "
        f"made in {seconds:.0f} s"
    )
    for backend in made.backends:
        if backend not in found.backends:
            warn(unknown_backend(backend, made))


@app.command("list")
def list_(json: given.AsJson = False) -> None:
    """List the environments: what runs in each, its Python, and what it was made of."""
    from benchsuite.running.environments import environments_folder, registered, serving
    from benchsuite.running.environments.registration import unreadable

    used = serving()
    rows = [
        {
            "name": one.name,
            "backends": list(one.backends),
            "used_for": [backend for backend in one.backends if used[backend] == one],
            "python": one.python,
            "made": time.strftime("%Y-%m-%d %H:%M", time.localtime(one.created)),
            "made_of": list(one.requirements),
            "interpreter": one.interpreter,
        }
        for one in registered()
    ]
    for problem in unreadable().values():
        warn(problem)
    if json:
        print_json(rows)
    elif not rows:
        typer.echo(
            f"no environments in {environments_folder()}; make one with `benchsuite env create BACKEND`"
        )
    else:
        cells = [[_shown(value) for value in row.values()] for row in rows]
        console().print(table("", [heading.replace("_", " ") for heading in rows[0]], cells))


@app.command()
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="An environment, see `benchsuite env list`.")],
) -> None:
    """Delete an environment, or what was left of one."""
    from benchsuite.running import environments

    typer.echo(f"removed {environments.remove(name)}")


def unknown_backend(backend: str, made: Environment) -> str:
    """What a user must know of a backend whose plugin this Python does not have."""
    what = made.source
    return (
        f"backend {backend} is not known to this Python yet; its plugin without its framework is enough: "
        f"pip install --no-deps {what}"
    )


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(text for text in value if text != "-e")
    return str(value)
