"""The smallest input that still shows a failure: fewer rows, steps, units and inputs of the same model."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from benchsuite.measure.conformance.backend import Kit
from benchsuite.measure.conformance.cases import Case
from benchsuite.measure.conformance.suite import KitItem, run_item
from benchsuite.schema import Features, Recurrent

SMALL_SIZES = ((1, 1, 1), (1, 2, 1), (1, 3, 1), (2, 2, 1), (2, 3, 2), (3, 5, 3))
"""(rows, steps, units of a layer), in the order in which they are tried; inputs are as wide as layers."""
SEARCH_SECONDS = 20.0
"""No further size is tried after this: a framework may compile for each."""


@dataclass(frozen=True)
class Small:
    """A case that shows the failure, and what was raised on it."""

    case: Case
    error: Exception

    @property
    def size(self) -> str:
        """`1 row, 2 steps, 1 unit`."""
        parts = [_counted(self.case.rows, "row"), _counted(self.case.time, "step")]
        if isinstance(self.case.model.body, Recurrent):
            parts.append(_counted(self.case.model.body.hidden, "unit"))
        return ", ".join(parts)


def smallest(kit: Kit, item: KitItem, error: Exception) -> Small:
    """The first of SMALL_SIZES on which the check fails in the same way and the reference does not; the case
    itself where none does."""
    end = time.monotonic() + SEARCH_SECONDS
    for case in _smaller(item.case):
        if time.monotonic() > end:
            break
        small = KitItem(item.check, case)
        found = run_item(kit, small).error
        kit.backend.release()
        if type(found) is not type(error) or found is None:
            continue
        execution = kit.execution.model_copy(update={"unroll": "dynamic", "device": "cpu"})
        own = run_item(Kit(kit.reference, kit.reference, execution), small)
        if own.status == "ok":
            return Small(case, found)
    return Small(item.case, error)


def _smaller(case: Case) -> Iterator[Case]:
    body = case.model.body
    if not isinstance(body, Recurrent):  # a picture has the size that its layers ask for
        yield from (replace(case, rows=rows) for rows in (1, 2) if rows < case.rows)
        return
    for rows, steps, units in SMALL_SIZES:
        if rows > case.rows or steps > case.time or units > body.hidden:
            continue
        model = replace(case.model, body=replace(body, hidden=units))
        if isinstance(model.input, Features):
            model = replace(model, input=Features(min(units, model.input.size)))
        if model.decoder is not None:
            # a decoder is one unit wider than its encoder, so that the two cannot be taken for each other
            decoder = replace(model.decoder, body=replace(model.decoder.body, hidden=units + 1))
            model = replace(model, decoder=decoder)
        yield replace(case, model=model, rows=rows, time=steps)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
