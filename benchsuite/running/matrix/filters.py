"""Filters of the command line: they narrow a matrix to the trials whose fields hold the values named."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from benchsuite.errors import RequestError, UnknownNameError, unknown_name
from benchsuite.running.matrix.expansion import Expansion
from benchsuite.schema import Trial

FIELDS: dict[str, Callable[[Trial], str]] = {
    "task": lambda trial: trial.task,
    "source": lambda trial: trial.source,
    "cell": lambda trial: trial.cell,
    "architecture": lambda trial: trial.architecture,
    "backend": lambda trial: trial.backend,
    "device": lambda trial: trial.execution.device,
    "unroll": lambda trial: trial.execution.unroll,
    "precision": lambda trial: trial.execution.precision,
    "seed": lambda trial: str(trial.seed),
}
"""What can be filtered by; every value is compared as text."""


def hint(prefix: str = "--") -> str:
    """What else than a filter may be meant. :param prefix: what the names of options begin with."""
    change = f"{prefix}set FIELD"
    return f"Filters narrow a matrix; {change}=VALUE runs other values of a field, {change}+=VALUE adds some."


def split_values(text: str | None) -> list[str]:
    """`lstm, gru` -> ["lstm", "gru"]; None -> []."""
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def narrow(
    expansion: Expansion,
    filters: Mapping[str, Sequence[str]],
    origin: str = "the matrix",
    advice: str = "",
    installed: Mapping[str, Mapping[str, str]] | None = None,
    prefix: str = "--",
) -> Expansion:
    """The trials (and the skipped ones) that hold one of the values of every filter.

    A value that no trial of the matrix holds is a RequestError which names those that it has: a filter
    never adds to a matrix (`--set seed+=5` does). Raises UnknownNameError for what cannot be filtered by.

    :param advice: the last line of such an error.
    :param installed: field -> name -> the options that add it to the matrix. Of a value that is among them and
        not in the matrix, the error says so.
    :param prefix: what the names of options begin with.
    """
    for name in filters:
        if name not in FIELDS:
            raise UnknownNameError("filter", name, FIELDS)
    active = {
        name: [values] if isinstance(values, str) else [str(value) for value in values]
        for name, values in filters.items()
        if values
    }
    everything = [*expansion.trials, *(skip.trial for skip in expansion.skipped)]
    problems = []
    for name, values in active.items():
        present = {FIELDS[name](trial) for trial in everything}
        ways = (installed or {}).get(name, {})
        for value in values:
            if value in present:
                continue
            if value in ways:
                add = ways[value]
                problems.append(
                    f"{prefix}{name}: {origin} has no {name} {value!r}, which is installed. The same matrix "
                    f"with it added: {add}; its trials alone: {add} {prefix}{name} {value}"
                )
            else:
                problems.append(f"{prefix}{name}: {unknown_name(f'{name} of {origin}', value, present)}")
    if problems:
        raise RequestError("\n".join([*problems, advice] if advice else problems))

    def kept(trial: Trial) -> bool:
        return all(FIELDS[name](trial) in values for name, values in active.items())

    left = Expansion(
        tuple(trial for trial in expansion.trials if kept(trial)),
        tuple(skip for skip in expansion.skipped if kept(skip.trial)),
    )
    if not (left.trials or left.skipped):
        asked = " ".join(f"{prefix}{name} {','.join(values)}" for name, values in active.items())
        raise RequestError(f"{origin} has no trial that is all of: {asked}")
    return left
