"""The task `associative_recall`: keys with their values are shown, then keys alone; which value had each?

    generated  sequences of `length` steps: `pairs` times a key followed by its value, then every key once more,
               at steps drawn at random among the rest, with a filler between them. The target at such a query
               is the key's value, at every other step a blank.

Arora et al. 2023 (arXiv:2312.04927), multi-query associative recall (MQAR). Half of the `vocabulary` are keys,
half are values; keys of a sequence differ, and so do its values. Two things are otherwise than there. Steps
without a query have a blank as their target and are part of the loss, as in the task `copy`; there they are
left out of it. And queries are as likely far from the pairs as near; there most are near, by a power law,
and random tokens lie between them instead of one filler.

The metric that ranks is the share of queries answered; steps without one do not count. Without memory each
value has the same probability: 2 / `vocabulary`. Recurrent states of a fixed size hold fewer pairs than
attention does: that is what the task measures. A number of pairs counts as solved when more than 99 % of the
queries of the test split are answered. No sequence is in two splits.
"""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite import hookimpl
from benchsuite.contracts import Option, Task, TaskEntry


def _load() -> Task:
    from benchsuite_associative_recall.task import AssociativeRecall

    return AssociativeRecall()


@hookimpl
def benchsuite_register_tasks() -> Iterable[TaskEntry]:
    return [
        TaskEntry(
            name="associative_recall",
            load=_load,
            summary="multi-query associative recall (MQAR): the value that was shown with each key",
            sources={"generated": "generated, with any number of pairs; needs no download"},
            offline=("generated",),
            architectures=("plain", "deep"),
            options={
                "pairs": Option(8, "keys shown with a value, each asked for once", least=1),
                "length": Option(64, "steps of a sequence, at least three times `pairs`", least=3),
                "vocabulary": Option(
                    64, "keys and values, half of each; at least twice `pairs`", least=4, most=2048
                ),
                "examples": Option(10_000, "sequences in the training split", least=1),
            },
        )
    ]
