"""Slurm as a scheduler, through submitit; and submitit's local mode, which has no Slurm."""

from __future__ import annotations

import contextlib
import getpass
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import psutil

from benchsuite.contracts import RunOptions
from benchsuite.errors import RequestError
from benchsuite.running.cluster.executor import ClusterExecutor
from benchsuite.running.cluster.partition import Partition, ask, most_array_tasks, read_partition
from benchsuite.running.cluster.runs import RunFolder, ShardJobs
from benchsuite.running.cluster.scheduler import MIB, Need, Scheduler, ShardState
from benchsuite.running.cluster.settings import SBATCH, ClusterSettings
from benchsuite.running.cluster.task import ShardTask

WARNING_SECONDS = 60
"""How long before the end of its time a job is told."""
MOST_MINUTES = 24 * 60
REQUEUES = 1000
"""How often a job may be queued again because its time ended."""
_WAITING = (
    "PENDING",
    "CONFIGURING",
    "REQUEUED",
    "REQUEUE_HOLD",
    "REQUEUE_FED",
    "SPECIAL_EXIT",
    "RESV_DEL_HOLD",
)
_RUNNING = ("RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING")
_INHERITED = ("SLURM_", "SBATCH_", "SRUN_", "SUBMITIT_")


def load(options: RunOptions) -> ClusterExecutor:
    """The executor `slurm`. Raises RequestError where there is no Slurm, or not the partition that is named."""
    settings = ClusterSettings(options.settings)
    shards = settings.number("shards")
    settings.number("parallel")
    match settings.text("cluster"):
        case None | "slurm":
            scheduler: Scheduler = SlurmScheduler(settings)
        case "local":
            scheduler = LocalMode(settings)
        case other:
            raise RequestError(f"--executor-option cluster={other}: it is `slurm` or `local`")
    return ClusterExecutor("slurm", options, scheduler, shards)


class SlurmScheduler(Scheduler):
    """An array of jobs for each submission; each is known by its name."""

    title = "Slurm"

    def __init__(self, settings: ClusterSettings) -> None:
        self._settings = settings
        self._minutes = settings.number("minutes")
        self._partition: Partition = read_partition(settings.text("partition"))
        self.most_minutes = self._minutes or min(self._partition.minutes or MOST_MINUTES, MOST_MINUTES)

    @cached_property
    def most_shards(self) -> int:  # type: ignore[override]
        return max(1, most_array_tasks() - 1)

    def slots(self, need: Need) -> int:
        return self._partition.slots(need)

    def submit(
        self, folder: RunFolder, submission: ShardJobs, need: Need, minutes: int | None
    ) -> tuple[str, ...]:
        import submitit

        settings = self._settings
        with _own_environment():
            executor = submitit.SlurmExecutor(
                folder.logs, max_num_timeout=REQUEUES, python=settings.text("python")
            )
            executor.update_parameters(
                job_name=submission.name,
                partition=self._partition.name,
                time=self._time(minutes),
                nodes=1,
                cpus_per_task=need.cores,
                gpus_per_node=need.gpus or None,
                setup=settings.setup or None,
                signal_delay_s=WARNING_SECONDS,
                array_parallelism=settings.number("parallel") or len(submission.shards),
                wckey=None,
                stderr_to_stdout=True,
                # a step does not have all of its job's cores by itself
                srun_args=[f"--cpus-per-task={need.cores}"],
                additional_parameters={
                    "requeue": True,
                    **({"mem": f"{-(-need.memory // MIB)}M"} if need.memory else {}),
                    **settings.sbatch,
                },
            )
            return _submit(executor, folder, submission)

    def _time(self, minutes: int | None) -> int:
        """What a user asked for, else what is expected, else all that is allowed."""
        most = self.most_minutes or MOST_MINUTES
        return most if self._minutes or minutes is None else min(minutes, most)

    def states(self, submissions: Sequence[ShardJobs]) -> Mapping[str, Sequence[ShardState]] | None:
        names = ",".join(one.name for one in submissions)
        command = ["squeue", "-h", "-r", "-t", "all", f"--user={getpass.getuser()}", f"--name={names}"]
        try:
            rows = [line.split("|") for line in ask([*command, "-o", "%j|%K|%T"]).splitlines()]
        except RequestError:
            return None
        found: dict[str, list[ShardState]] = {one.name: ["gone"] * len(one.shards) for one in submissions}
        for name, index, state in rows:
            place = int(index) if index.isdecimal() else 0
            if name in found and place < len(found[name]):
                found[name][place] = _state(state)
        return found

    def cancel(self, submissions: Sequence[ShardJobs]) -> None:
        for one in submissions:
            ask(["scancel", f"--user={getpass.getuser()}", f"--name={one.name}"])


class LocalMode(Scheduler):
    """submitit's local mode: a process for each shard, on this machine."""

    title = "submitit's local mode"
    look_seconds = 1.0
    settle_seconds = 1.0
    least_seconds = 60.0

    def __init__(self, settings: ClusterSettings) -> None:
        self._settings = settings

    def slots(self, need: Need) -> int:
        return max(1, (os.cpu_count() or 1) // need.cores)

    def submit(
        self, folder: RunFolder, submission: ShardJobs, need: Need, minutes: int | None
    ) -> tuple[str, ...]:
        del need, minutes
        import submitit

        executor = submitit.LocalExecutor(folder.logs, python=self._settings.text("python"))
        executor.update_parameters(
            timeout_min=self._settings.number("minutes") or MOST_MINUTES,
            setup=self._settings.setup,
            signal_delay_s=WARNING_SECONDS,
            stderr_to_stdout=True,
        )
        return _submit(executor, folder, submission)

    def states(self, submissions: Sequence[ShardJobs]) -> Mapping[str, Sequence[ShardState]]:
        return {
            one.name: ["running" if _controller(process) else "gone" for process in one.ids]
            or ["gone"] * len(one.shards)
            for one in submissions
        }

    def cancel(self, submissions: Sequence[ShardJobs]) -> None:
        for one in submissions:
            for process in filter(_controller, one.ids):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(process), signal.SIGINT)


def _submit(executor: Any, folder: RunFolder, submission: ShardJobs) -> tuple[str, ...]:
    """The ids of the jobs. Raises RequestError where they are refused."""
    from submitit.core.utils import FailedJobError, FailedSubmissionError

    try:
        jobs = executor.submit_array([ShardTask(str(folder.path), shard) for shard in submission.shards])
        return tuple(str(job.job_id) for job in jobs)
    except (FailedJobError, FailedSubmissionError, subprocess.SubprocessError) as error:
        told = " ".join(str(error).split())
        raise RequestError(
            f"the jobs are refused: {told}; --executor-option {SBATCH}NAME=VALUE sets what the cluster asks for"
        ) from error
    except (OSError, RuntimeError, ValueError) as error:
        raise RequestError(f"the jobs cannot be submitted: {error}") from error


def _state(word: str) -> ShardState:
    if word in _WAITING:
        return "waiting"
    if word in _RUNNING:
        return "running"
    return "cancelled" if word == "CANCELLED" else "gone"


def _controller(process: str) -> bool:
    """Whether the process is there that runs a job of the local mode."""
    try:
        found = psutil.Process(int(process))
        return found.status() != psutil.STATUS_ZOMBIE and "submitit.local._local" in found.cmdline()
    except (psutil.Error, ValueError):
        return False


@contextlib.contextmanager
def _own_environment() -> Iterator[None]:
    """Without the variables of a job that this process runs in: sbatch would take them for options."""
    taken = {
        name: os.environ.pop(name)
        for name in list(os.environ)
        if name.startswith(_INHERITED) and name != "SLURM_CONF"
    }
    try:
        yield
    finally:
        os.environ.update(taken)
