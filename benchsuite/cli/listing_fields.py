"""`benchsuite list fields`: every field of a trial that a matrix may set, its default, and what it accepts."""

from __future__ import annotations

from typing import Any

_TYPES = {"integer": "whole number", "number": "real number", "boolean": "true or false", "string": "text"}
_LIMITS = {
    "minimum": "from {}",
    "exclusiveMinimum": "above {}",
    "maximum": "to {}",
    "exclusiveMaximum": "below {}",
}


def field_rows() -> list[dict[str, str]]:
    """A row per field, in the order in which trials are nested. Options of tasks are in `list tasks`."""
    from benchsuite.running.matrix.fields import names_of
    from benchsuite.schema.fields import GROUPS, field_types
    from benchsuite.schema.trial import Trial

    schemas = {name: model.model_json_schema()["properties"] for name, model in GROUPS.items()}
    meanings = {name: _meanings(model) for name, model in GROUPS.items()}
    plain = Trial.model_json_schema()["properties"]
    rows = []
    for path in field_types():
        group, _, name = path.rpartition(".")
        schema = schemas[group][name] if group else plain[name]
        rows.append(
            {
                "field": path,
                "default": _default(schema) if group or name == "seed" else "",
                "accepts": _accepts(schema)
                if group or name == "seed"
                else _see(path, names_of(path, (), ())),
                "meaning": meanings[group].get(name, "") if group else _PLAIN.get(name, ""),
            }
        )
    return rows


_PLAIN = {
    "task": "what is learned",
    "source": "which data the task reads; by default the first one that needs no download",
    "architecture": "how layers are put together",
    "cell": "one step of the recurrence; none for the convolutional baseline",
    "backend": "the framework",
    "seed": "decides initial weights and the order of batches",
}


def _see(path: str, words: list[str] | None) -> str:
    if path == "source":
        return "see `benchsuite list tasks`"
    return ", ".join(words) if words else f"see `benchsuite list {path}s`"


def _default(schema: dict[str, Any]) -> str:
    value = schema.get("default")
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _accepts(schema: dict[str, Any]) -> str:
    """From JSON schema to words: `whole number from 1, or none`."""
    if "anyOf" in schema:
        some = [_accepts(each) for each in schema["anyOf"] if each.get("type") != "null"]
        return ", or ".join([*some, "none"])
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    limits = [text.format(schema[key]) for key, text in _LIMITS.items() if key in schema]
    return " ".join([_TYPES[schema["type"]], *limits])


def _meanings(model: type) -> dict[str, str]:
    """The texts that stand below the fields in the source of the class, each on one line."""
    import ast
    import inspect
    import textwrap

    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(tree, ast.ClassDef)
    found: dict[str, str] = {}
    for field, text in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            literal = text.value if isinstance(text, ast.Expr) else None
            if isinstance(literal, ast.Constant) and isinstance(literal.value, str):
                found[field.target.id] = " ".join(literal.value.split())
    return found
