"""How much of the gradient is left, step by step back in time: |dL/dh| by lag over that of the last step."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchsuite.analysis.decay import gradient_decay
from benchsuite.analysis.identity import fields
from benchsuite.analysis.ranking import Model
from benchsuite.analysis.seeds import Aggregate
from benchsuite.errors import StoreError
from benchsuite.report.data import Entry, TaskResults
from benchsuite.schema import Record, Series
from benchsuite.schema.names import NO_CELL

_STATE = re.compile(r"gradient/state/rnn\.l(\d+)\.fwd/(.+)", re.DOTALL)
_SAME = ("size.", "recipe.", "execution.precision")
MOST_SEEDS = 10


@dataclass(frozen=True, eq=False)
class Profile:
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
class Group:
    """Models of one task that differ in their cell, with their profiles; cells in the order rnn, lstm, gru.

    at_end  whether the loss enters at the last step alone, so that verdicts are defined
    """

    results: TaskResults
    architecture: str
    models: tuple[Model, ...]
    profiles: tuple[Profile, ...]
    at_end: bool

    def of(self, when: str) -> list[Profile]:
        return [profile for profile in self.profiles if profile.when == when]

    @property
    def longest(self) -> int:
        return max(profile.last[0] for profile in self.profiles)


TEACHING_ORDER = ("rnn", "lstm", "gru")


def groups(tasks: Iterable[TaskResults]) -> Iterator[Group]:
    """A group for each task that has curves of gradients: models that differ in their cell alone, of the
    architecture, size and recipe in which most cells were run. Curves that cannot be read are passed over."""
    for results in tasks:
        for cells in _alike_but_for_cells(results):
            models = tuple(cells[cell] for cell in teaching_order(cells))
            profiles = tuple(profile for model in models for profile in profiles_of(model, results))
            if profiles:
                at_end = all(_at_end(model) for model in models)
                architecture = models[0].fastest.trial.architecture
                yield Group(results, architecture, models, profiles, at_end)
                break


def _at_end(model: Model) -> bool:
    found = (gradient_decay(record, "end") for record in model.fastest.records)
    return all(one is None or one.verdict != "undefined" for one in found)


def _alike_but_for_cells(results: TaskResults) -> list[dict[str, Model]]:
    """Cell -> model, those with most cells first, then the plain architecture, then the better ones."""
    found: dict[str, dict[str, Model]] = {}
    for model in results.ranking.models if results.ranking else ():  # the best first
        trial = model.fastest.trial
        if trial.cell != NO_CELL:
            own = {
                path: value for path, value in fields(model.fastest.trial).items() if path.startswith(_SAME)
            }
            key = json.dumps([trial.architecture, own], sort_keys=True)
            found.setdefault(key, {}).setdefault(trial.cell, model)

    def rank(cells: dict[str, Model]) -> tuple[int, bool]:
        return -len(cells), next(iter(cells.values())).fastest.trial.architecture != "plain"

    return sorted(found.values(), key=rank)


def teaching_order(cells: Iterable[str]) -> list[str]:
    """rnn, lstm, gru, then others by name."""
    known = list(cells)
    return [cell for cell in TEACHING_ORDER if cell in known] + sorted(set(known) - set(TEACHING_ORDER))


def profiles_of(model: Model, results: TaskResults) -> list[Profile]:
    """The profiles of a model's fastest run, in the order of training."""
    return [
        Profile(model, when, lags, left)
        for when, (lags, left) in run_profiles(model.fastest, results).items()
    ]


def run_profiles(run: Aggregate, results: TaskResults) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """When -> (lags, what is left), of one configuration over its seeds."""
    entries = {entry.record.trial_id: entry for entry in results.entries if entry.counts}
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for record in run.records[:MOST_SEEDS]:
        for when, (lags, left) in _relative(entries, record).items():
            found.setdefault(when, []).append((lags, left))
    return {when: _over_seeds(parts) for when, parts in found.items()}


def _relative(entries: dict[str, Entry], record: Record) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    try:
        series = entries[record.trial_id].series()
    except (KeyError, StoreError):
        return {}
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


def thinned(profile: Profile, most: int) -> Iterator[tuple[int, float]]:
    """(lag, left) at no more than `most` lags, evenly spaced, the first and the last among them."""
    count = len(profile.lags)
    for at in np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)):
        yield int(profile.lags[at]), float(profile.left[at])
