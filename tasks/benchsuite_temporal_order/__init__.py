"""The task `temporal_order`: an X or a Y comes early in a long sequence and another later; in which order?

    generated  sequences of letters: E, then a, b, c or d at random, B at the end. Two of them (option
               `symbols`: three) are X or Y instead; the class is which of the 4 (8) orders it was. With length
               100 a sequence has 100 to 110 steps and the two are at steps 10 to 20 and 50 to 60 (three: 10
               to 20, 33 to 43 and 66 to 76); other lengths have these in proportion.

Hochreiter and Schmidhuber, Neural Computation 1997, experiments 6a and 6b.

The first X or Y must be kept for about four fifths of `length` at least: that is the lag. It counts as solved
when more than 99 % of the test split are classified rightly.
"""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite import hookimpl
from benchsuite.contracts import Option, Task, TaskEntry


def _load() -> Task:
    from benchsuite_temporal_order.task import TemporalOrder

    return TemporalOrder()


@hookimpl
def benchsuite_register_tasks() -> Iterable[TaskEntry]:
    return [
        TaskEntry(
            name="temporal_order",
            load=_load,
            summary="in which order did X and Y come, far apart in a long sequence of other letters?",
            sources={"generated": "generated as published, at any length; needs no download"},
            offline=("generated",),
            architectures=("plain", "deep"),
            options={
                "length": Option(
                    100, "least time steps of a sequence; the longest has a tenth more", least=10
                ),
                "symbols": Option(2, "how many X or Y there are: experiment 6a or 6b", (2, 3)),
                "examples": Option(10_000, "sequences in the training split", least=1),
            },
        )
    ]
