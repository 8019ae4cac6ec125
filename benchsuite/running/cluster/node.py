"""The node's side of every cluster: runs a shard's trials that have no record yet, with the local executor.

`python -m benchsuite.running.cluster.node FOLDER SHARD` runs one attempt in this process. start_shard() starts
that process as a scheduler's job should: without the scheduler's own environment, in a session of its own, and
ended together with the job however that ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import pluggy

from benchsuite import hookspecs
from benchsuite.contracts import Executor, RunOptions
from benchsuite.errors import BenchsuiteError
from benchsuite.measure.provenance import environment
from benchsuite.plugins import Registry, registry
from benchsuite.running.cluster.attempts import recorded_trials
from benchsuite.running.cluster.events import EventLog
from benchsuite.running.cluster.runs import RunFolder
from benchsuite.running.cluster.scheduler import MIB
from benchsuite.running.executors.local import LocalExecutor
from benchsuite.running.executors.memory import FREE_SHARE
from benchsuite.running.executors.variables import THREAD_VARIABLES
from benchsuite.running.study import run_study

SCHEDULERS = ("SLURM", "SBATCH_", "SRUN_", "SUBMITIT_", "RAY_", "PMI_", "PMIX_")
"""Variables that begin so are a scheduler's, and no part of the environment that a trial has anywhere else."""
NODE_MEMORY = "BENCHSUITE_NODE_MEMORY"
"""MiB that the scheduler gives to the job."""
ATTEMPT_END_SECONDS = 20.0
"""How long an attempt may take to end when its job ends."""


def start_shard(folder: Path, shard: int) -> int:
    """Run one attempt of a shard in a process of its own; gives its exit code.

    The process ends when this one does, even by SIGKILL: it holds a pipe from it. An exception ends it, too.
    """
    command = [sys.executable, "-u", "-P", "-m", "benchsuite.running.cluster.node", str(folder), str(shard)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, env=clean_environment(os.environ), start_new_session=True
    )
    assert process.stdin is not None
    try:
        return process.wait()
    finally:
        process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(ATTEMPT_END_SECONDS)
        process.kill()
        process.wait()


def clean_environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment without what a scheduler adds. Workers are given their numbers of threads anew."""
    kept = {
        name: value
        for name, value in given.items()
        if not name.startswith(SCHEDULERS) and name not in THREAD_VARIABLES
    }
    if memory := given.get("SLURM_MEM_PER_NODE", ""):
        kept[NODE_MEMORY] = memory
    return kept


def run_attempt(folder: RunFolder, shard: int, executor: Executor | None = None) -> bool:
    """Run the trials of a shard that no earlier attempt has recorded, into a study of this attempt's own.

    :param executor: by default the local one, as the run asks.

    Returns whether it came to its end; what ends it early is not recorded. Raises BenchsuiteError.
    """
    run = folder.read()
    os.environ.update(run.settings)
    trials = {trial.id: trial for trial in run.shards[shard]}
    done: set[str] = set()
    for earlier in folder.attempts(shard):
        done |= recorded_trials(earlier, trials)
    attempt = folder.new_attempt(shard)
    log = EventLog(attempt)
    # observers are the driver's: the mirror hears of each record once, when it is in the study
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    try:
        with executor or LocalExecutor(_own_options(run.options)) as local:
            study = run_study(
                attempt.name,
                [trial for trial in trials.values() if trial.id not in done],
                local,
                Registry(manager),
                attempt.parent,
                description={
                    "plugins": [asdict(one) for one in registry().plugins],
                    "environment": environment(),
                },
                on_event=log,
            )
    except BenchsuiteError as error:
        log.tell("failed", text=str(error))
        raise
    else:
        if not study.interrupted:
            log.tell("ended")
        return not study.interrupted
    finally:
        log.close()


def _own_options(options: RunOptions) -> RunOptions:
    """The options, with a trial's share of the memory that the scheduler gives where it gives a certain one and
    none was asked."""
    given = os.environ.pop(NODE_MEMORY, "")
    if options.memory is not None or not given.isdecimal():
        return options
    return replace(options, memory=FREE_SHARE * int(given) * MIB / (options.jobs or 1))


def _end_with_parent() -> None:
    """Interrupt this process when the pipe from its parent closes; end it by force where that does not help."""
    while os.read(0, 1):
        pass
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGINT)
    time.sleep(ATTEMPT_END_SECONDS)
    os._exit(1)  # its guardian ends the workers


def _interrupt(number: int, frame: object) -> None:
    del number, frame
    raise KeyboardInterrupt


def main(folder: str, shard: str) -> int:
    """0 when the attempt came to its end, 1 when it was ended before, 2 when it could not run."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, _interrupt)
    # Slurm sends it to every process of a job whose time ends soon; only the job's own process knows what to do
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        return 0 if run_attempt(RunFolder(Path(folder)), int(shard)) else 1
    except KeyboardInterrupt:
        return 1
    except BenchsuiteError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
