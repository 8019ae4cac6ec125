"""The task `copy`: symbols are shown, a long nothing follows, then they are to be recalled in order.

    generated  sequences of `length` + 2 * `symbols` steps: `symbols` letters drawn from eight with replacement,
               `length` - 1 blanks, a delimiter, `symbols` blanks. The target is a blank at each step but the
               last `symbols`, which are the letters again.

Hochreiter and Schmidhuber, Neural Computation 1997, as posed by Arjovsky et al., ICML 2016 (arXiv:1511.06464,
section 4.1), who copy ten symbols. Without memory the best answer is the blank, and at the end each letter with
the same probability: a cross-entropy of symbols * ln 8 / (length + 2 * symbols) nats per step.

Every letter must be kept for `length` + `symbols` steps: that is the lag. It counts as solved when more than
99 % of the letters of the test split are recalled.
"""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite import hookimpl
from benchsuite.contracts import Option, Task, TaskEntry


def _load() -> Task:
    from benchsuite_copy.task import Copy

    return Copy()


@hookimpl
def benchsuite_register_tasks() -> Iterable[TaskEntry]:
    return [
        TaskEntry(
            name="copy",
            load=_load,
            summary="copy memory: recall symbols, in order, after a long nothing",
            sources={"generated": "generated as published, at any length; needs no download"},
            offline=("generated",),
            architectures=("plain", "deep"),
            options={
                "length": Option(
                    100, "time steps between what is shown and its recall (T of the papers)", least=1
                ),
                "symbols": Option(10, "letters to be recalled", least=1),
                "examples": Option(10_000, "sequences in the training split", least=1),
            },
        )
    ]
