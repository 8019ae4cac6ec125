"""One name stands for one thing: classes, aliases and constants of the core are each defined once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from fixtures.sources import CORE, python_files


def defined(path: Path) -> Iterator[str]:
    """The public classes, type aliases and constants that a module defines at its top."""
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        match statement:
            case ast.ClassDef(name=name):
                found = [name]
            case ast.Assign(targets=targets):
                found = [
                    node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)
                ]
            case ast.AnnAssign(target=ast.Name(id=name)):
                found = [name]
            case _:
                found = []
        yield from (name for name in found if name[0].isupper())


def places() -> dict[str, list[str]]:
    """Name -> modules that define it."""
    found: dict[str, list[str]] = {}
    for path in python_files(CORE):
        for name in defined(path):
            found.setdefault(name, []).append(path.relative_to(CORE).as_posix())
    return found


def test_no_name_stands_for_two_things() -> None:
    double = {name: modules for name, modules in places().items() if len(modules) > 1}
    assert not double, "\n".join(f"{name}: {', '.join(modules)}" for name, modules in sorted(double.items()))


def test_no_package_offers_a_name_that_one_of_its_modules_has() -> None:
    """`from package import name` would be the module or what the package offers, by the order of imports."""
    double = []
    for init in (path for path in python_files(CORE) if path.name == "__init__.py"):
        modules = {path.stem for path in init.parent.glob("*.py")} | {
            path.parent.name for path in init.parent.glob("*/__init__.py")
        }
        offered = {
            alias.asname or alias.name
            for statement in ast.parse(init.read_text(encoding="utf-8")).body
            if isinstance(statement, ast.ImportFrom)
            for alias in statement.names
        }
        double += [f"{init.parent.relative_to(CORE.parent)}: {name}" for name in sorted(modules & offered)]
    assert not double, "\n".join(double)
