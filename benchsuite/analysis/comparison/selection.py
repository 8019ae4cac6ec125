"""`STUDY:field=value,value;field=value`: a study, and which of its trials are meant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from benchsuite.errors import RequestError
from benchsuite.schema import Record
from benchsuite.schema.fields import BadValueError, canonical, flatten


@dataclass(frozen=True)
class Selection:
    """Which records of a study: those that hold one of the values of every field. Fields are dotted paths."""

    study: str
    fields: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def choose(self, records: Iterable[Record]) -> list[Record]:
        """The records that fit. Raises RequestError when a value is one that no record holds."""
        found = list(records)
        for path, wanted in self.fields.items():
            values = {_text(dict(flatten(one.trial.model_dump(mode="json"))).get(path)) for one in found}
            missing = [value for value in wanted if value not in values]
            if missing:
                raise RequestError(
                    f"no trial of {self.study} has {path}={missing[0]}; there are: {', '.join(sorted(values))}"
                )
            found = [
                one
                for one in found
                if _text(dict(flatten(one.trial.model_dump(mode="json"))).get(path)) in wanted
            ]
        return found

    def __str__(self) -> str:
        conditions = ";".join(f"{path}={','.join(values)}" for path, values in self.fields.items())
        return f"{self.study}:{conditions}" if conditions else self.study


def parse_selection(text: str) -> Selection:
    """Read `quick`, `results/quick`, `quick:backend=torch` or `quick:cell=lstm,gru;device=cpu`.

    Raises RequestError for a condition that is none, and for a field that is unknown or given twice.
    """
    study, _, conditions = text.partition(":")
    fields: dict[str, tuple[str, ...]] = {}
    for condition in filter(None, conditions.split(";")):
        name, equals, values = condition.partition("=")
        if not equals or not values:
            raise RequestError(
                f"{condition!r} is no condition; write STUDY:field=value,value;field=value, "
                "as in quick:backend=torch;cell=lstm,gru"
            )
        try:
            path = canonical(name.strip())
        except BadValueError as error:
            raise RequestError(str(error)) from None
        if path in fields:
            raise RequestError(f"{path} is given twice in {text!r}; write {path}=value,value")
        fields[path] = tuple(value.strip() for value in values.split(","))
    return Selection(study, fields)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)
