"""Option: one setting of a task. Options: the values of all of them, checked, with their types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from benchsuite.errors import ContractError, PluginError, RequestError, UnknownNameError, unknown_name
from benchsuite.schema.trial import Scalar

_KINDS = {bool: "true or false", int: "an integer", float: "a real number", str: "text"}

Kind = TypeVar("Kind", bound=Scalar)


@dataclass(frozen=True)
class Option:
    """One setting of a task. Its values have the type of `default`.

    help     what it sets, in one line
    choices  the allowed values; None: any of that type
    least    the smallest allowed number; None: no limit
    most     the largest allowed number; None: no limit
    added    whether the task did not always have it: at its default it is left out of a trial, so that the ids
             of records that were made before are still those of their trials
    """

    default: Scalar
    help: str
    choices: tuple[Scalar, ...] | None = None
    least: float | None = None
    most: float | None = None
    added: bool = False

    def __post_init__(self) -> None:
        """Raises PluginError for a default or choices that are no values of an option, and for a default that
        check() would refuse."""
        kind = type(self.default)
        if kind not in _KINDS:
            allowed = ", ".join(_KINDS.values())
            raise PluginError(f"Option: the default is {self.default!r}, must be one of: {allowed}")
        if not isinstance(self.help, str) or not self.help.strip():
            raise PluginError(f"Option: help is {self.help!r}, must be a text that is not empty")
        if self.choices is not None and (
            not isinstance(self.choices, tuple) or any(type(one) is not kind for one in self.choices)
        ):
            raise PluginError(
                f"Option: choices are {self.choices!r}, must be a tuple of values like the default "
                f"{self.default!r}"
            )
        try:
            self.check("default", self.default)
        except RequestError as error:
            raise PluginError(f"Option: the default is not allowed: {str(error).strip()}") from None

    def check(self, name: str, value: object) -> Scalar:
        """`value` in the type of the default; an integer is taken for a real number.

        :param name: what the option is called, for messages.

        Raises RequestError with what was given and what is allowed.
        """
        kind = type(self.default)
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            wanted = _KINDS.get(kind, kind.__name__)
            raise RequestError(f"option {name} is {wanted}, not {shown(value)}; {self.help}")
        if self.choices is not None and value not in self.choices:
            if isinstance(value, str):
                raise UnknownNameError(f"value of option {name}", value, map(str, self.choices))
            allowed = ", ".join(map(shown, self.choices))
            raise RequestError(f"option {name} cannot be {shown(value)}; allowed: {allowed}")
        if isinstance(value, int | float) and not self._inside(value):
            raise RequestError(f"option {name} is {shown(value)}; it must be {self.limits()}: {self.help}")
        return value

    def _inside(self, value: float) -> bool:
        low = -float("inf") if self.least is None else self.least
        high = float("inf") if self.most is None else self.most
        return low <= value <= high

    def limits(self) -> str:
        """What values are allowed besides those of the default's type, in words; empty: all."""
        if self.choices is not None:
            return ", ".join(map(str, self.choices))
        if self.most is None:
            return "" if self.least is None else f"{self.least} or more"
        return f"{self.most} or less" if self.least is None else f"{self.least} to {self.most}"


class Options(Mapping[str, Scalar]):
    """The options of a task as Task.load() gets them: complete, of the right types, within their limits.

    integer(), real(), text(), flag() and one_of() read one with its type, so that a task needs no check of its
    own. They raise ContractError for a name that the task's entry lacks or that has another type.
    """

    def __init__(self, task: str, values: Mapping[str, Scalar]) -> None:
        self.task, self._values = task, dict(values)

    def __getitem__(self, name: str) -> Scalar:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def integer(self, name: str) -> int:
        """The option `name`, an integer."""
        return self._read(name, int)

    def real(self, name: str) -> float:
        """The option `name`, a real number."""
        return self._read(name, float)

    def text(self, name: str) -> str:
        """The option `name`, a text."""
        return self._read(name, str)

    def flag(self, name: str) -> bool:
        """The option `name`, true or false."""
        return self._read(name, bool)

    def one_of(self, name: str, allowed: Sequence[Kind]) -> Kind:
        """The option `name`, one of `allowed`, with their type (of literals, for example)."""
        value = self._read(name, type(allowed[0]))
        for each in allowed:
            if value == each:
                return each
        raise ContractError(f"task {self.task}: option {name} is {shown(value)}, not one of {allowed}")

    def _read(self, name: str, kind: type[Kind]) -> Kind:
        if name not in self._values:
            raise ContractError(f"task {self.task}: {unknown_name('option', name, self._values)}")
        value = self._values[name]
        if type(value) is not kind:
            raise ContractError(f"task {self.task}: option {name} is {shown(value)}, not {_KINDS[kind]}")
        return value


def shown(value: object) -> str:
    """A value as a matrix spells it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)
