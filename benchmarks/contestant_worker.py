"""`python -m benchmarks.contestant_worker CONTESTANT FD`: a contestant in a worker of the suite's own races.

The trial names the contestant (`backend`), the shape (`options.shape`), the allocator and the threads.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from benchmarks.contestants import FRAMEWORKS, Contestant, contestant_name, peers
from benchmarks.matmul_bound import MatmulBound
from benchmarks.shapes import SHAPES, Shape
from benchmarks.suite import SuiteContestant
from benchmarks.unsupported import UNSUPPORTED, Unsupported
from benchsuite.contracts import Progress, RaceSample, Ready, TrialSupport
from benchsuite.measure.worker.__main__ import serve
from benchsuite.measure.worker.runner import Session
from benchsuite.schema import Execution, Trial

SAMPLE_SECONDS = 0.15


def build(name: str, shape: Shape, execution: Execution) -> Contestant:
    """Raises Unsupported, with the reason, where the contestant cannot run the shape."""
    if name == "bound":
        return MatmulBound(shape)
    framework, _, way = name.partition(":")
    if way.startswith("suite-"):
        unroll = way.removeprefix("suite-")
        return SuiteContestant(framework, execution.model_copy(update={"unroll": unroll}), shape)
    return peers(framework)[way](shape)


class ContestantSession(Session):
    """Races one contestant."""

    def check_support(self, trials: Sequence[Trial]) -> list[TrialSupport]:
        """Imports the framework; what a contestant cannot run is told when it is built."""
        framework = contestant_name(self.name).partition(":")[0]
        if framework in FRAMEWORKS:
            peers(framework)
        return [TrialSupport(None) for _ in trials]

    def ready(self, trial: Trial, what: str, report: Callable[[Progress], None]) -> Ready:
        """Build, take the first step, and find out how many calls fill a sample."""
        report(Progress(trial, "build"))
        begin = time.perf_counter()
        try:
            contestant = build(
                contestant_name(self.name), SHAPES[str(trial.options["shape"])], trial.execution
            )
            contestant.step()
            contestant.synchronize()
        except Unsupported as reason:
            return Ready(f"{UNSUPPORTED}{reason}")
        facts = {"loss": repr(contestant.loss()), "start": repr(time.perf_counter() - begin)}
        contestant.timed(what, 1)  # the first one may compile
        once = min(contestant.timed(what, 1)[0] for _ in range(2))
        self._contestant, self._what = contestant, what
        calls = max(1, round(SAMPLE_SECONDS / max(once, 1e-6)))
        return Ready("", calls, 1, once, True, contestant.notes, facts)

    def sample(self, calls: int) -> RaceSample:
        wall, cpu = self._contestant.timed(self._what, calls)
        self._contestant.loss()  # what has piled up is read outside the timed region
        return RaceSample(wall, cpu)


if __name__ == "__main__":
    serve(ContestantSession(sys.argv[1]), int(sys.argv[2]))
