"""Where an installed distribution came from, as a requirement that installs it again elsewhere."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit

from benchsuite.errors import RequestError
from benchsuite.hookspecs import PROJECT

TREE = Path(__file__).resolve().parents[3]
"""The folder that the package lies in: site-packages, or a source tree."""

Requirement = tuple[str, ...]
"""Arguments of `pip install` and `uv pip install` for one distribution."""


def with_extras(name: str, extras: Sequence[str]) -> str:
    return f"{name}[{','.join(extras)}]" if extras else name


def requirement(name: str, extras: Sequence[str] = ()) -> Requirement:
    """What installs the distribution `name` as it is installed here: the same source tree (editable where it is
    editable here), wheel, commit or version.

    Raises RequestError where it was installed from a place that is not there any more.
    """
    if name == PROJECT and project_name(TREE) == PROJECT:
        return from_folder(TREE, extras)
    try:
        found = distribution(name)
    except PackageNotFoundError:
        raise RequestError(f"{name} is not installed here; give its folder or its wheel instead") from None
    text = found.read_text("direct_url.json")  # PEP 610
    if not text:
        return (f"{with_extras(name, extras)}=={found.version}",)
    direct = json.loads(text)
    url = str(direct["url"])
    if "vcs_info" in direct:
        held = direct["vcs_info"]
        return (f"{with_extras(name, extras)} @ {held['vcs']}+{url}@{held['commit_id']}",)
    if urlsplit(url).scheme == "file":
        path = Path(unquote(urlsplit(url).path))
        if not path.exists():
            raise RequestError(
                f"{name} was installed from {path}, which is not there any more: say what to install by --from"
            )
        if direct.get("dir_info", {}).get("editable"):
            return from_folder(path, extras)
    return (f"{with_extras(name, extras)} @ {url}",)


def given(text: str, name: str, extras: Sequence[str] = ()) -> Requirement:
    """What --from asks for: a folder, a wheel or source distribution, or a version. Raises RequestError."""
    path = Path(text).expanduser()
    if path.is_dir():
        if project_name(path) != name:
            raise RequestError(f"--from {text}: the folder has no pyproject.toml of {name}")
        return from_folder(path, extras)
    if path.is_file():
        return (f"{with_extras(name, extras)} @ {path.resolve().as_uri()}",)
    if text[:1].isdigit():
        return (f"{with_extras(name, extras)}=={text}",)
    raise RequestError(
        f"--from {text}: give a folder, a wheel, a source distribution or a version, as in 1.2.0"
    )


def from_folder(folder: Path, extras: Sequence[str] = ()) -> Requirement:
    """Installs a source tree so that changes in it are seen."""
    return ("-e", with_extras(str(folder.resolve()), extras))


def project_name(folder: Path) -> str:
    """The name in a folder's pyproject.toml; "" where there is none. Raises RequestError for one that cannot be
    read."""
    return str(read_project(folder).get("name", ""))


def read_project(folder: Path) -> dict[str, object]:
    """The table `project` of a folder's pyproject.toml; empty where there is none. Raises RequestError."""
    file = folder / "pyproject.toml"
    if not file.is_file():
        return {}
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8")).get("project", {})
    except (OSError, ValueError) as error:
        raise RequestError(f"{file} cannot be read: {error}") from None
    return dict(table)
