"""How much of the gradient is left, step by step back in time: |dL/dh| by lag over that of the last step."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchsuite.analysis.decay import gradient_decay
from benchsuite.analysis.identity import model_key
from benchsuite.analysis.ranking import Model, Ranking
from benchsuite.analysis.seeds import Aggregate
from benchsuite.schema import Record, Series
from benchsuite.schema.names import NO_CELL

_STATE = re.compile(r"gradient/state/rnn\.l(\d+)\.fwd/(.+)", re.DOTALL)
MOST_PROFILE_SEEDS = 10


@dataclass(frozen=True, eq=False)
class GradientProfile:
    """|dL/dh| of the top layer (forward direction) by lag, over its value at lag 0; geometric mean over seeds.

    when  `start`, `epoch_<n>`, `end`: before, during and after training
    lags  steps back in time, ascending. left: 0 where it has underflowed
    """

    model: Model
    when: str
    lags: np.ndarray
    left: np.ndarray

    @property
    def cell(self) -> str:
        return self.model.fastest.trial.cell

    @property
    def last(self) -> tuple[int, float]:
        """The longest lag, and what is left there."""
        return int(self.lags[-1]), float(self.left[-1])


@dataclass(frozen=True, eq=False)
class CellGroup:
    """Models of one task that differ in their cell, with their profiles; cells in the order rnn, lstm, gru.

    at_end  whether the loss enters at the last step alone, so that verdicts are defined
    """

    ranking: Ranking
    architecture: str
    models: tuple[Model, ...]
    profiles: tuple[GradientProfile, ...]
    at_end: bool

    def of(self, when: str) -> list[GradientProfile]:
        return [profile for profile in self.profiles if profile.when == when]

    @property
    def longest(self) -> int:
        return max(profile.last[0] for profile in self.profiles)


TEACHING_ORDER = ("rnn", "lstm", "gru")


CurveReader = Callable[[Record], Sequence[Series]]
"""Reads the curves of a record; none where they cannot be read."""


def cell_group(ranking: Ranking, curves: CurveReader) -> CellGroup | None:
    """Models of a ranking that differ in their cell alone, of the architecture, size and recipe in which most
    cells were run; None where no model has curves of its gradients."""
    for cells in _alike_but_for_cells(ranking):
        models = tuple(cells[cell] for cell in teaching_order(cells))
        profiles = tuple(profile for model in models for profile in profiles_of(model, curves))
        if profiles:
            at_end = all(_at_end(model) for model in models)
            return CellGroup(ranking, models[0].fastest.trial.architecture, models, profiles, at_end)
    return None


def _at_end(model: Model) -> bool:
    found = (gradient_decay(record, "end") for record in model.fastest.records)
    return all(one is None or one.verdict != "undefined" for one in found)


def _alike_but_for_cells(ranking: Ranking) -> list[dict[str, Model]]:
    """Cell -> model, those with most cells first, then the plain architecture, then the better ones."""
    found: dict[str, dict[str, Model]] = {}
    for model in ranking.models:  # the best first
        trial = model.fastest.trial
        if trial.cell != NO_CELL:
            found.setdefault(model_key(trial, ("cell",)), {}).setdefault(trial.cell, model)

    def rank(cells: dict[str, Model]) -> tuple[int, bool]:
        return -len(cells), next(iter(cells.values())).fastest.trial.architecture != "plain"

    return sorted(found.values(), key=rank)


def teaching_order(cells: Iterable[str]) -> list[str]:
    """rnn, lstm, gru, then others by name."""
    known = list(cells)
    return [cell for cell in TEACHING_ORDER if cell in known] + sorted(set(known) - set(TEACHING_ORDER))


def profiles_of(model: Model, curves: CurveReader) -> list[GradientProfile]:
    """The profiles of a model's fastest run, in the order of training."""
    return [
        GradientProfile(model, when, lags, left)
        for when, (lags, left) in run_profiles(model.fastest, curves).items()
    ]


def run_profiles(run: Aggregate, curves: CurveReader) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """When -> (lags, what is left), of one configuration over its seeds."""
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for record in run.records[:MOST_PROFILE_SEEDS]:
        for when, (lags, left) in _relative(curves(record)).items():
            found.setdefault(when, []).append((lags, left))
    return {when: _over_seeds(parts) for when, parts in found.items()}


def _relative(series: Sequence[Series]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    layers: dict[int, dict[str, Series]] = {}
    for one in series:
        if match := _STATE.fullmatch(one.name):
            layers.setdefault(int(match[1]), {})[match[2]] = one
    if not layers:
        return {}
    made = {}
    for when, one in layers[max(layers)].items():
        lags, sizes = np.asarray(one.x, np.float64), np.asarray(one.y, np.float64)
        kept = np.isfinite(sizes)
        if kept.any() and kept[0] and sizes[0] > 0:
            made[when] = (lags[kept], sizes[kept] / sizes[0])
    return made


def _over_seeds(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """The geometric mean where all seeds have a value."""
    length = min(len(lags) for lags, _ in parts)
    with np.errstate(divide="ignore"):  # what has underflowed to zero in one seed is zero in the mean
        logarithms = np.array([np.log(left[:length]) for _, left in parts])
    return parts[0][0][:length], np.exp(logarithms.mean(axis=0))


def thinned(profile: GradientProfile, most: int) -> Iterator[tuple[int, float]]:
    """(lag, left) at no more than `most` lags, evenly spaced, the first and the last among them."""
    count = len(profile.lags)
    for at in np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)):
        yield int(profile.lags[at]), float(profile.left[at])
