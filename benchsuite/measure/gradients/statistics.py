"""Norm, maximum and zero fraction of gradients by parameter group; the size of an update."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class GroupStatistics:
    """Of all gradient entries of one group: L2 norm, largest absolute value, share of exact zeros."""

    norm: float
    maximum: float
    zero_fraction: float


def group_of(parameter: str) -> str:
    """The group of a parameter is its layer: `rnn.l0.fwd.Wx` belongs to `rnn.l0.fwd`."""
    return parameter.rsplit(".", 1)[0]


def group_statistics(gradients: Mapping[str, np.ndarray]) -> dict[str, GroupStatistics]:
    """Statistics by group, and of all parameters together under the name `all`."""
    groups: dict[str, list[np.ndarray]] = {}
    for name, gradient in gradients.items():
        groups.setdefault(group_of(name), []).append(np.asarray(gradient, np.float64).ravel())
    groups["all"] = [part for parts in list(groups.values()) for part in parts]
    return {group: _statistics(np.concatenate(parts)) for group, parts in groups.items()}


def _statistics(entries: np.ndarray) -> GroupStatistics:
    return GroupStatistics(
        norm=float(np.sqrt(np.sum(entries * entries))),
        maximum=float(np.max(np.abs(entries))),
        zero_fraction=float(np.mean(entries == 0)),
    )


def update_ratio(before: Mapping[str, np.ndarray], after: Mapping[str, np.ndarray]) -> float:
    """|after - before| / |before| over all parameters: the relative size of one update (about 1e-3 is
    usual; far above, the learning rate is high)."""
    moved = sum(float(np.sum((after[name] - before[name]).astype(np.float64) ** 2)) for name in before)
    size = sum(float(np.sum(before[name].astype(np.float64) ** 2)) for name in before)
    return float(np.sqrt(moved / size)) if size else float("nan")
