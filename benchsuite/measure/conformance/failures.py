"""Which line of a plugin a failure came from."""

from __future__ import annotations

import importlib.util
import inspect
import traceback
from functools import partial
from pathlib import Path


def source_files(load: object) -> frozenset[Path]:
    """The Python files of the import package, or the single module, that `load` of a plugin's entry is from."""
    while isinstance(load, partial):  # whose own module would be functools
        load = load.func
    package = str(getattr(load, "__module__", "")).partition(".")[0]
    try:
        spec = importlib.util.find_spec(package) if package else None
    except (ImportError, ValueError):  # ValueError: a module that was made by hand
        spec = None
    if spec is None:
        return frozenset()
    if spec.submodule_search_locations is None:
        return frozenset([Path(spec.origin).resolve()] if spec.origin else [])
    roots = [Path(location) for location in spec.submodule_search_locations]
    return frozenset(path.resolve() for root in roots for path in root.rglob("*.py"))


def plugin_place(error: BaseException | None, files: frozenset[Path]) -> str:
    """`file:line in function` of the innermost frame in `files` that the error, or what caused it, passed
    through; "" where there is none."""
    while error is not None:
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            if Path(frame.filename).resolve() in files:
                return f"{frame.filename}:{frame.lineno} in {frame.name}"
        error = error.__cause__ or error.__context__
    return ""


def method_place(owner: object, name: str, files: frozenset[Path]) -> str:
    """`file:line in Class.method` of a method of `owner`, where it is defined in `files`; else ""."""
    function = inspect.unwrap(getattr(type(owner), name, None) or type(owner))
    try:
        file, line = inspect.getsourcefile(function), inspect.getsourcelines(function)[1]
    except (OSError, TypeError):
        return ""
    if file is None or Path(file).resolve() not in files:
        return ""
    return f"{file}:{line} in {getattr(function, '__qualname__', name)}"
