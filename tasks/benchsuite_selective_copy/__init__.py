"""The task `selective_copy`: letters lie at random places between noise, and are then to be recalled in order.

    generated  sequences of `length` + `symbols` steps: among the first `length` ones `symbols` letters, drawn
               with replacement, at places drawn without, and noise everywhere else; then `symbols` times a
               mark. The target is a blank for the first `length` steps, then the letters in the order shown.

Gu and Dao 2023 (arXiv:2312.00752, section 3.1 and figure 2): the task `copy` can be solved by counting steps,
this one needs a step that depends on what is read. They use 4,096 steps with 16 letters to be recalled, and 16
tokens, noise included. Without memory the best answer is the blank, and at a mark each letter with the same
probability: a cross-entropy of symbols * ln(letters) / (length + symbols) nats per step.

The metric that ranks is the share of letters recalled. A length counts as solved when it is above 99 % on the
test split. No sequence is in two splits.
"""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite import hookimpl
from benchsuite.contracts import Option, Task, TaskEntry


def _load() -> Task:
    from benchsuite_selective_copy.task import SelectiveCopy

    return SelectiveCopy()


@hookimpl
def benchsuite_register_tasks() -> Iterable[TaskEntry]:
    return [
        TaskEntry(
            name="selective_copy",
            load=_load,
            summary="selective copying: recall, in order, the letters that lie at random places between noise",
            sources={"generated": "generated as published, at any length; needs no download"},
            offline=("generated",),
            architectures=("plain", "deep"),
            options={
                "length": Option(100, "steps among which the letters lie", least=1),
                "symbols": Option(10, "letters to be recalled, at most `length`", least=1),
                "letters": Option(14, "different letters", least=2, most=1000),
                "examples": Option(10_000, "sequences in the training split", least=1),
            },
        )
    ]
