"""The peers train the suite's model: the same first loss, and a loss that goes down alike."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache

import pytest

from benchmarks.contestants import FRAMEWORKS, Peers, peers
from benchmarks.shapes import Shape
from benchmarks.suite import SuiteContestant
from benchmarks.unsupported import Unsupported
from benchsuite.plugins import registry
from benchsuite.running.executors.variables import worker_variables
from benchsuite.schema import Execution

STEPS = 3
CELLS = ("rnn", "lstm", "gru")
Losses = dict[str, list[float] | str]
"""Way -> loss by step, or why there is none."""


def tiny(cell: str, ragged: bool) -> Shape:
    return Shape("tiny", cell, time=7, inputs=3, batch=5, hidden=6, ragged=ragged)


def losses(framework: str, shape: Shape) -> Losses:
    """Of all ways of a framework, and of the suite's own. Imports the framework."""
    suite: Peers = {"suite": lambda shape: SuiteContestant(framework, Execution(unroll="dynamic"), shape)}
    found: Losses = {}
    for way, make in {**peers(framework), **suite}.items():
        try:
            contestant = make(shape)
        except Unsupported as reason:
            found[way] = str(reason)
            continue
        seen = []
        for _ in range(STEPS):
            contestant.step()
            seen.append(contestant.loss())
        contestant.predict()
        contestant.synchronize()
        found[way] = seen
    return found


@cache
def measured(framework: str) -> dict[str, Losses]:
    """Losses by shape, from a process of the framework's own: two of them in one process disturb each other."""
    variables = worker_variables(registry().backends[framework], Execution())
    command = [sys.executable, "-m", "benchmarks.test_peers", framework]
    answer = subprocess.run(
        command, env={**os.environ, **variables}, stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, Losses] = json.loads(answer.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("ragged", [False, True], ids=["full", "ragged"])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_peers_train_the_model_of_the_suite(framework: str, cell: str, ragged: bool) -> None:
    pytest.importorskip(framework)
    key = f"{cell}-{ragged}"
    expected = measured("numpy")[key]["suite"]
    assert isinstance(expected, list)
    found = {way: seen for way, seen in measured(framework)[key].items() if isinstance(seen, list)}
    assert len(found) > 2
    for way, seen in found.items():
        assert seen[0] == pytest.approx(expected[0], rel=1e-4), way
        assert seen == pytest.approx(expected, rel=1e-2), way
        assert seen[0] > seen[1] > seen[2], way


if __name__ == "__main__":
    print(json.dumps({f"{c}-{r}": losses(sys.argv[1], tiny(c, r)) for c in CELLS for r in (False, True)}))
