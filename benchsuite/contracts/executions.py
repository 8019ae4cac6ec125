"""The ways in which a backend can run a model, and why it cannot run one."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from benchsuite.contracts.backend import Backend
from benchsuite.contracts.checks import execution_problem, model_problem, scan_problem
from benchsuite.schema import (
    BEST_OF,
    BEST_UNROLL,
    Execution,
    ModelSpec,
    Recipe,
    format_choices,
    parse_choices,
)


def why_unsupported(backend: Backend, model: ModelSpec, recipe: Recipe, execution: Execution) -> str | None:
    """None, or why `backend` cannot run `model` so: what no backend could, then what this one does not.

    Unroll `best` can run where any of BEST_OF can; where none can, the reason is that of unroll dynamic.
    """
    problem = model_problem(model, recipe) or execution_problem(execution)
    if problem:
        return problem
    reasons = []
    for asked in _unrolled(execution):
        reason = (
            scan_problem(model, asked)
            or backend.supports(model, recipe, asked)
            or _choice_problem(backend.choices(model, recipe, asked), asked)
        )
        if reason is None:
            return None
        reasons.append(reason)
    return reasons[0]


def ways(backend: Backend, model: ModelSpec, recipe: Recipe, execution: Execution) -> list[Execution]:
    """How `backend` could run `model` where `execution` leaves it open: `execution` with each unroll that it
    can be, and each combination of the backend's choices, all of them named. The first is the default: unroll
    dynamic where the backend has it, and the framework's own way of each choice. Never empty for a model that
    the backend supports.
    """
    found = []
    for asked in _unrolled(execution):
        if why_unsupported(backend, model, recipe, asked) is not None:
            continue
        offered, given = backend.choices(model, recipe, asked), parse_choices(execution.choices)
        values = [(given[name],) if name in given else several for name, several in offered.items()]
        for combination in itertools.product(*values):
            chosen = format_choices(dict(zip(offered, combination, strict=True)))
            found.append(asked.model_copy(update={"choices": chosen}))
    return found


def _unrolled(execution: Execution) -> list[Execution]:
    """`execution`, or each that `best` may stand for, the default first."""
    if execution.unroll != BEST_UNROLL:
        return [execution]
    return [execution.model_copy(update={"unroll": name}) for name in BEST_OF]


def _choice_problem(offered: Mapping[str, tuple[str, ...]], execution: Execution) -> str | None:
    """Why the choices that `execution` names cannot be made, or None."""
    for name, value in parse_choices(execution.choices).items():
        if name not in offered:
            has = f"it has {', '.join(offered)}" if offered else "it has none"
            return f"execution.choices: the backend has no choice {name!r} here; {has}"
        if value not in offered[name]:
            return f"execution.choices: {name} is {' or '.join(offered[name])}, not {value!r}"
    return None
