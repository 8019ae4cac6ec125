"""What the executors for clusters can be asked by `--executor-option NAME=VALUE`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchsuite.errors import RequestError

SBATCH = "sbatch."
SLURM = {
    "partition": "the partition; by default the cluster's",
    "shards": "how many shards; by default as many as the partition can run at the same time, each with five "
    "minutes of work at least and with no more than a job's time",
    "parallel": "how many shards may run at the same time",
    "minutes": "how long a job may run until it is queued again; by default half an hour and twice what "
    "earlier records let expect, and without records what is allowed, up to a day",
    "setup": "a line of shell before a shard starts, as in `module load cuda`; may be repeated",
    "python": "the command that is Python on a node, as in `apptainer exec image.sif python`",
    f"{SBATCH}*": "any option of sbatch, as in sbatch.account=me or sbatch.gres=gpu:a100:1",
    "cluster": "`slurm`, or `local` for processes on this machine instead of Slurm's jobs",
}
SLURM_REPEATABLE = ("setup",)
RAY = {
    "address": "where the cluster is, as ray.init() takes it; by default `auto`, the one of this machine",
    "shards": "how many shards; by default as many as the cluster can run at the same time, each with a minute "
    "of work at least",
}


@dataclass(frozen=True)
class ClusterSettings:
    """What `--executor-option` asked for, as (name, value)."""

    given: tuple[tuple[str, str], ...]

    def text(self, name: str) -> str | None:
        """The value of a setting; None where it was not given."""
        return next((value for key, value in self.given if key == name), None)

    def number(self, name: str) -> int | None:
        """The same as a number. Raises RequestError for a text that is no whole number above 0."""
        text = self.text(name)
        if text is None:
            return None
        if not text.isdecimal() or not 0 < int(text) < 10**7:
            raise RequestError(f"--executor-option {name}={text}: give a whole number above 0")
        return int(text)

    @property
    def setup(self) -> list[str]:
        """Lines of shell, in the order in which they were given."""
        return [value for key, value in self.given if key == "setup"]

    @property
    def sbatch(self) -> dict[str, Any]:
        """Options of sbatch by their long names; `true` for one without a value."""
        return {
            key.removeprefix(SBATCH): True if value == "true" else value
            for key, value in self.given
            if key.startswith(SBATCH)
        }
