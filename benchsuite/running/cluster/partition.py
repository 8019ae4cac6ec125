"""A partition of Slurm: what its nodes have and how long a job may run there, as sinfo and scontrol say it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from benchsuite.errors import RequestError
from benchsuite.running.cluster.scheduler import MIB, Need

SLURM_SECONDS = 60.0
"""How long a command of Slurm may take to answer."""
_GPUS = re.compile(r"gpu(?::[^:,()]+)*?:(\d+)")
_TIME = re.compile(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?")


@dataclass(frozen=True)
class Node:
    """Processor cores, MiB of memory, GPUs."""

    cores: int
    memory: int
    gpus: int

    def slots(self, need: Need) -> int:
        """How many shards of this need it has room for."""
        rooms = [self.cores // need.cores]
        rooms += [self.gpus // need.gpus] if need.gpus else []
        rooms += [self.memory * MIB // need.memory] if need.memory else []
        return min(rooms)


@dataclass(frozen=True)
class Partition:
    """minutes: the longest that a job may run, None for no limit."""

    name: str
    minutes: int | None
    nodes: tuple[Node, ...]

    def slots(self, need: Need) -> int:
        """How many shards of this need run at the same time when nothing else does. Raises RequestError where
        no node is large enough."""
        found = sum(node.slots(need) for node in self.nodes)
        if not found:
            memory = f", {need.memory / MIB / 1024:.1f} GiB" if need.memory else ""
            gpus = f", {need.gpus} GPU" if need.gpus else ""
            largest = max(self.nodes, key=lambda node: (node.gpus, node.cores, node.memory))
            raise RequestError(
                f"a shard needs {need.cores} cores{gpus}{memory}; no node of partition {self.name} has that: "
                f"the largest has {largest.cores} cores, {largest.gpus} GPU, {largest.memory / 1024:.1f} GiB; "
                "choose another partition, or fewer --jobs or less --memory"
            )
        return found


def read_partition(name: str | None) -> Partition:
    """The partition of that name, or the default one. Raises RequestError where there is none."""
    rows = [line.split("|") for line in ask(["sinfo", "-h", "-N", "-o", "%P|%l|%c|%m|%G"]).splitlines()]
    names = dict.fromkeys(row[0].removesuffix("*") for row in rows)
    wanted = name or next((row[0].removesuffix("*") for row in rows if row[0].endswith("*")), None)
    if wanted is None:
        raise RequestError(
            "this cluster has no default partition: choose one with --executor-option partition=NAME, of "
            f"{', '.join(names) or 'none that you may use'}"
        )
    own = [row for row in rows if row[0].removesuffix("*") == wanted]
    if not own:
        raise RequestError(f"this cluster has no partition {wanted!r}; it has {', '.join(names) or 'none'}")
    return Partition(wanted, minutes(own[0][1]), tuple(map(_node, own)))


def most_array_tasks() -> int:
    """How many jobs one array may have."""
    found = re.search(r"^MaxArraySize\s*=\s*(\d+)", ask(["scontrol", "show", "config"]), re.MULTILINE)
    return int(found[1]) if found else 1001


def minutes(text: str) -> int | None:
    """Minutes in what Slurm calls a time, `1-12:00:00` or `30:00`, at least 1; None for one without an end."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    days, first, second, third = (int(part or 0) for part in found.groups())
    if found[4] is not None:
        return max(1, (days * 24 + first) * 60 + second + (third > 0))
    if found[1] is not None:  # days-hours:minutes
        return max(1, (days * 24 + first) * 60 + second)
    return max(1, first + (second > 0))


def ask(command: Sequence[str]) -> str:
    """What a command of Slurm answers. Raises RequestError."""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SLURM_SECONDS,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except FileNotFoundError:
        raise RequestError(
            f"there is no {command[0]} on this machine, and the executor 'slurm' needs it: run this where jobs "
            "are submitted, or try it without Slurm by --executor-option cluster=local"
        ) from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RequestError(f"Slurm does not answer: {error}") from error
    if done.returncode:
        told = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise RequestError(f"{command[0]} failed: {told[-1].strip() if told else f'code {done.returncode}'}")
    return done.stdout


def _node(row: Sequence[str]) -> Node:
    numbers = [int(re.sub(r"\D.*", "", text) or 0) for text in row[2:4]]
    return Node(numbers[0], numbers[1], sum(map(int, _GPUS.findall(row[4]))))
