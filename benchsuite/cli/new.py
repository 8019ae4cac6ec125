"""`benchsuite new`: a distribution with a backend, a task or a cell that conforms, to start from.

The templates beside this file are a distribution each, called `new_backend`, `new_task` and `new_cell`; a new
one is a copy with another name.
"""

from __future__ import annotations

import keyword
import re
import shutil
import tempfile
from collections.abc import Iterator
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from benchsuite.cli.output import installed

KINDS = ("backend", "task", "cell")
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
HIDDEN = "github"
"""A template's folder whose name begins with a dot in a project: a wheel would not hold it otherwise."""


def new(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="backend | task | cell.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="What matrices will call it: my_backend.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            metavar="DIR",
            help="The folder to make [dim](default: benchsuite-NAME, with - for _)[/dim].",
        ),
    ] = None,
) -> None:
    """Make a small installable distribution with a plugin that passes `benchsuite check`, to start from.

    Nothing is ever overwritten: the folder must not exist, or be empty.
    """
    from benchsuite.cli.request import check_choice

    check_choice("KIND", kind, KINDS)
    check_name(kind, name)
    folder = output or Path(f"benchsuite-{name.replace('_', '-')}")
    written = write_project(kind, name, folder)
    for path in written:
        typer.echo(str(folder / path))
    typer.echo(f"next: pip install -e {folder} && benchsuite check {kind} {name}")


def check_name(kind: str, name: str) -> None:
    """Raises RequestError for a name that a module, a distribution and an entry cannot all have, and for one
    that is taken."""
    from benchsuite.errors import RequestError

    if not NAME.fullmatch(name) or keyword.iskeyword(name) or name == "none":
        raise RequestError(
            f"{kind} name {name!r}: must be lower-case letters and digits in words joined by single _, begin "
            f"with a letter, and be no word of Python's nor 'none'; for example my_{kind}"
        )
    found = installed()
    taken = {"backend": set(found.backends), "task": set(found.tasks), "cell": set(found.cells)}
    if name in taken[kind]:
        owner = found.owners.get(f"{kind}:{name}")
        whose = owner.distribution if owner else "benchsuite"
        raise RequestError(f"{kind} {name!r} is registered by {whose} already: choose another name")
    if find_spec(f"benchsuite_{name}") is not None:
        raise RequestError(
            f"{kind} name {name!r}: a module benchsuite_{name} is installed already: choose another"
        )


def write_project(kind: str, name: str, folder: Path) -> list[Path]:
    """Write the template of `kind` as `folder`, called `name`; returns its files, relative to it, sorted.

    It is made beside `folder` and moved there whole, so that an error leaves nothing half written. Raises
    RequestError where the folder is not empty, is no folder, or cannot be made.
    """
    from benchsuite.errors import RequestError

    try:
        if folder.is_symlink() or folder.exists():
            if not folder.is_dir():
                raise RequestError(f"{folder} exists and is no folder: name another with --output")
            if any(folder.iterdir()):
                raise RequestError(f"{folder} exists and is not empty: name another folder with --output")
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.absolute().parent))
        try:
            written = list(_copy(kind, name, made))
            folder.mkdir(exist_ok=True)
            for part in made.iterdir():
                part.replace(folder / part.name)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise RequestError(f"cannot write {folder}: {error.strerror or error}") from None
    return sorted(written)


def _copy(kind: str, name: str, folder: Path) -> Iterator[Path]:
    with as_file(files("benchsuite.cli") / "templates" / kind) as template:
        for file in template.rglob("*"):
            inside = file.relative_to(template)
            if file.is_dir() or any(part.startswith((".", "__pycache__")) for part in inside.parts):
                continue  # what tools left there
            parts = [f".{part}" if part == HIDDEN else part for part in inside.parts]
            path = Path(*(renamed(part, kind, name) for part in parts))
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(renamed(file.read_text("utf-8"), kind, name), "utf-8")
            yield path


def renamed(text: str, kind: str, name: str) -> str:
    """`text` with the template's name, in every way of spelling it, replaced by `name`."""
    words = name.split("_")
    spelled = {
        f"new_{kind}": name,
        f"new-{kind}": "-".join(words),
        f"New{kind.capitalize()}": "".join(word.capitalize() for word in words),
        f"NEW_{kind.upper()}": name.upper(),
    }
    for old, now in spelled.items():
        text = text.replace(old, now)
    return text
