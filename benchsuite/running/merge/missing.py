"""What a merged study lacks of what was asked for, and the command that runs it."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from pathlib import Path

from benchsuite.running.shards import Shard
from benchsuite.running.study.asked import Asked


@dataclass(frozen=True)
class Missing:
    """Trials without a record.

    shard    `3/16`, or "" of a run without shards
    trials   their ids
    total    how many trials the shard has
    command  runs them
    """

    shard: str
    trials: tuple[str, ...]
    total: int
    command: str


def find_missing(asked: Iterable[Asked], recorded: Set[str], results: Path) -> list[Missing]:
    """What nobody recorded, by shard.

    :param recorded: trial ids that have a record. :param results: the folder that the commands name.
    """
    found: list[Missing] = []
    for one in {one.whole: one for one in asked}.values():
        for index, part in enumerate(one.parts, start=1):
            lacking = tuple(trial for trial in part if trial not in recorded)
            if lacking:
                shard = Shard(index, len(one.parts)) if one.shard else None
                command = one.command(results, shard)
                found.append(Missing(str(shard or ""), lacking, len(part), command))
    return found


def several_cuts(asked: Iterable[Asked]) -> list[str]:
    """A sentence for each matrix that was cut into one number of shards in several ways, and one where the
    studies are of several matrices."""
    cuts: dict[tuple[str, ...], set[str]] = {}
    names: dict[str, str] = {}
    for one in asked:
        names[one.sha256] = one.matrix
        if one.shard:
            *request, cut = one.whole
            cuts.setdefault((*request, str(len(one.parts))), set()).add(cut)
    told = [
        f"the {one[-1]} shards of {names[one[0]]} were cut in {len(ways)} ways: plugins or --times differed"
        for one, ways in cuts.items()
        if len(ways) > 1
    ]
    if len(names) > 1:
        which = ", ".join(sorted(f"{name} ({digest[:8]})" for digest, name in names.items()))
        told.append(f"the studies are of {len(names)} matrices: {which}")
    return told
