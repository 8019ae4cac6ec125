"""The task `adding`: two numbers of a long sequence are marked; what is their sum?

    generated  (length, 2) reals: at each step a number drawn uniformly from [0, 1] and a marker. Two steps are
               marked by 1, one in the first half and one in the second, all others by 0. The target is the
               sum of the two marked numbers.

Hochreiter and Schmidhuber, Neural Computation 1997, experiment 4, as posed by Le et al. 2015
(arXiv:1504.00941) and Arjovsky et al. 2016 (arXiv:1511.06464). Always answering 1 has a mean squared error of
1/6, the variance of the sum; the papers print .1767 for it.

The first marked number must be kept for `length / 2` steps or more: that is the lag. It counts as solved when
the mean squared error on the test split is below .01.
"""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite import hookimpl
from benchsuite.contracts import Option, Task, TaskEntry


def _load() -> Task:
    from benchsuite_adding.task import Adding

    return Adding()


@hookimpl
def benchsuite_register_tasks() -> Iterable[TaskEntry]:
    return [
        TaskEntry(
            name="adding",
            load=_load,
            summary="the adding problem: the sum of two marked numbers of a long sequence",
            sources={"generated": "generated as published, at any length; needs no download"},
            offline=("generated",),
            architectures=("plain", "deep"),
            options={
                "length": Option(100, "time steps of a sequence", least=2),
                "examples": Option(10_000, "sequences in the training split", least=1),
            },
        )
    ]
