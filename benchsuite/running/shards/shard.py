"""Shard: which of how many parts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from benchsuite.errors import RequestError

MOST_SHARDS = 10_000


@dataclass(frozen=True)
class Shard:
    """Part `index` of `count`, counted from 1. Raises RequestError for a part that there is not."""

    index: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count <= MOST_SHARDS:
            raise RequestError(
                f"there is no shard {self.index}/{self.count}: write I/N, with I from 1 to N and N at most "
                f"{MOST_SHARDS:,}, as in 3/16"
            )

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    def study(self, name: str) -> str:
        """`quick.shard-03-of-16`: the study that this shard of the study `name` is recorded in. Every shard has
        its own, so that no two machines write one file."""
        return f"{name}.shard-{self.index:0{len(str(self.count))}}-of-{self.count}"


def parse_shard(text: str) -> Shard:
    """`3/16`. Raises RequestError for anything else."""
    found = re.fullmatch(r"\s*(\d{1,9})\s*/\s*(\d{1,9})\s*", text)
    if found is None:
        raise RequestError(f"--shard {text}: write I/N, the I-th of N parts, as in 3/16")
    return Shard(int(found[1]), int(found[2]))
