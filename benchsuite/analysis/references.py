"""Published figures compared with a study's own: which configurations may be compared, how they differ, what
follows.

The figures are in references.toml. A configuration is compared with a figure when it meets the figure's
conditions (data, problem, cell, architecture, approximate size). Every other published part of the protocol
that is different here is named. Both ways of missing a figure are reported: a worse result, and one that is
better or that was reached sooner than is plausible.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

from benchsuite.analysis.identity import fields
from benchsuite.analysis.seeds import Aggregate, Estimate, aggregate
from benchsuite.schema import Record, Series, Trial

ReferenceVerdict = Literal["agrees", "worse", "better", "not judged"]
PARAMETERS = 0.15
"""Share by which the number of parameters may differ from the published one before that is named."""
SHARE_OF_BUDGET, SHARE_OF_CURVE = 0.1, 0.5
"""Share of the published epochs, and of the epoch at which the published curve got there, below which reaching
the figure is called fast. Most of a budget comes after the figure was reached: its share is the smaller one."""


@dataclass(frozen=True)
class Publication:
    """Where figures come from."""

    key: str
    citation: str
    url: str


@dataclass(frozen=True)
class Difference:
    """A part of the protocol that is not as published. `published` and `own` are empty where `what` says it
    all."""

    what: str
    published: str = ""
    own: str = ""

    def __str__(self) -> str:
        return f"{self.what} {self.own} (published: {self.published})" if self.published else self.what


@dataclass(frozen=True)
class Reference:
    """One published figure. See the head of references.toml for its fields.

    low, high  the figure, or its range
    """

    id: str
    publication: Publication
    where: str
    task: str
    sources: tuple[str, ...]
    data: str
    metric: str
    split: str
    higher_is_better: bool
    low: float
    high: float
    tolerance: float
    factor: float
    conditions: Mapping[str, Any]
    protocol: Mapping[str, Any]
    parameters: int | None
    notes: tuple[str, ...]
    judged: bool
    reached: int | None

    @property
    def scalar(self) -> str:
        """Name of the scalar of a record that is compared with it: `test/accuracy`."""
        return f"{self.split}/{self.metric}"

    @property
    def agreeing(self) -> tuple[float, float]:
        """Bounds within which a figure agrees with the published one."""
        return self.low / self.factor - self.tolerance, self.high * self.factor + self.tolerance

    @property
    def epochs(self) -> int | None:
        """How long the published training was, where that is known."""
        found = self.protocol.get("recipe.epochs")
        return found if isinstance(found, int) else None

    def accepts(self, trial: Trial) -> bool:
        """Whether the trial may be compared with the figure."""
        if trial.task != self.task or trial.source not in self.sources:
            return False
        values = fields(trial)
        return all(_meets(values.get(path), wanted) for path, wanted in self.conditions.items())

    def differences(self, run: Aggregate) -> tuple[Difference, ...]:
        """The parts of the protocol that are not as published, the fields first."""
        values = fields(run.trial)
        found = [
            Difference(_plain(path), _word(wanted), _word(values.get(path)))
            for path, wanted in self.protocol.items()
            if not _same(values.get(path), wanted)
        ]
        recipe = run.trial.recipe
        if recipe.limit is not None:
            found.append(Difference("training examples at most", "all", str(recipe.limit)))
        if recipe.steps is not None and "recipe.epochs" in self.protocol:
            found.append(Difference("optimiser steps at most", "not limited", str(recipe.steps)))
        if recipe.truncation is not None:
            found.append(Difference("truncation", "none", str(recipe.truncation)))
        own = run.scalars.get("model/parameters")
        if self.parameters and own and abs(own.mean / self.parameters - 1) > PARAMETERS:
            found.append(Difference("parameters", f"about {self.parameters:,}", f"{own.mean:,.0f}"))
        if self.data:
            found.append(Difference("data", self.data, run.trial.source))
        return (*found, *(Difference(note) for note in self.notes))


@dataclass(frozen=True)
class FastConvergence:
    """A figure that was reached sooner than is plausible: after at most so many epochs, over all seeds."""

    epochs: int
    published: str

    def __str__(self) -> str:
        after = "the first epoch" if self.epochs <= 1 else f"{self.epochs} epochs"
        return f"reached after {after}; published: {self.published}"


@dataclass(frozen=True)
class ReferenceResult:
    """A configuration compared with a published figure.

    verdict  agrees, worse or better: `better` asks for an explanation as much as `worse` does
    fast     set where training got there suspiciously fast
    """

    reference: Reference
    run: Aggregate
    found: Estimate
    differences: tuple[Difference, ...]
    verdict: ReferenceVerdict
    fast: FastConvergence | None

    @property
    def suspicious(self) -> bool:
        """Whether the figure is too good, or was reached too soon, to be believed without a reason."""
        return self.verdict == "better" or self.fast is not None


@cache
def references() -> tuple[Reference, ...]:
    """All published figures, in the order of the file."""
    text = (resources.files("benchsuite.analysis") / "references.toml").read_text("utf-8")
    data = tomllib.loads(text)
    publications = {key: Publication(key, **given) for key, given in data["publications"].items()}
    return tuple(
        _reference(group, figure, publications) for group in data["references"] for figure in group["figures"]
    )


def _reference(
    group: Mapping[str, Any], figure: Mapping[str, Any], publications: Mapping[str, Publication]
) -> Reference:
    low = float(figure.get("low", figure.get("value", math.nan)))
    return Reference(
        id=group["id"],
        publication=publications[group["publication"]],
        where=group["where"],
        task=group["task"],
        sources=tuple(group["sources"]),
        data=group.get("data", ""),
        metric=group["metric"],
        split=group.get("split", "test"),
        higher_is_better=group["higher_is_better"],
        low=low,
        high=float(figure.get("high", low)),
        tolerance=float(figure.get("tolerance", group.get("tolerance", 0.0))),
        factor=float(figure.get("factor", group.get("factor", 1.0))),
        conditions={**group["conditions"], **figure.get("when", {})},
        protocol={**group["protocol"], **figure.get("protocol", {})},
        parameters=group.get("parameters"),
        notes=(*group["notes"], *figure.get("notes", ())),
        judged=group.get("judged", True),
        reached=figure.get("reached"),
    )


def reference_results(
    records: Iterable[Record], curves: Callable[[Record], Sequence[Series]] | None = None
) -> list[ReferenceResult]:
    """Every configuration that may be compared with a published figure, in the order of the figures.

    Only configurations that are ranked count.

    :param curves: reads the curves of a record; without it nothing is called fast.
    """
    runs = [run for run in aggregate(records) if run.ranked]
    return [
        _result(reference, run, curves)
        for reference in references()
        for run in runs
        if reference.accepts(run.trial) and reference.scalar in run.scalars
    ]


def _result(
    reference: Reference, run: Aggregate, curves: Callable[[Record], Sequence[Series]] | None
) -> ReferenceResult:
    found = run.scalars[reference.scalar]
    fast = convergence(reference, run, curves) if curves is not None and reference.judged else None
    return ReferenceResult(reference, run, found, reference.differences(run), verdict(reference, found), fast)


def verdict(reference: Reference, found: Estimate) -> ReferenceVerdict:
    """What follows from the figure. With an interval over seeds, all of it must lie beyond what agrees: a
    one-sided test at 2.5 % for either side. A single seed is taken as it is."""
    if not reference.judged:
        return "not judged"
    if not math.isfinite(found.mean):
        return "worse"
    low, high = reference.agreeing
    least = found.mean if found.low is None else found.low
    most = found.mean if found.high is None else found.high
    if least > high:
        return "better" if reference.higher_is_better else "worse"
    if most < low:
        return "worse" if reference.higher_is_better else "better"
    return "agrees"


def convergence(
    reference: Reference, run: Aggregate, curves: Callable[[Record], Sequence[Series]]
) -> FastConvergence | None:
    """Fast where every seed's validation metric reached the published figure within a share of the published
    epochs (SHARE_OF_CURVE where the published curve is known, else SHARE_OF_BUDGET, and one epoch at least)."""
    if reference.reached is not None:
        limit, told = reference.reached * SHARE_OF_CURVE, f"epoch {reference.reached}"
    elif reference.epochs is not None:
        limit, told = max(1.0, reference.epochs * SHARE_OF_BUDGET), f"within {reference.epochs} epochs"
    else:
        return None
    latest = 0.0
    for record in run.records:
        first = _first_epoch(reference, curves(record))
        if first is None or first > limit:
            return None
        latest = max(latest, first)
    return FastConvergence(math.ceil(latest), told)


def _first_epoch(reference: Reference, series: Iterable[Series]) -> float | None:
    """The first epoch whose validation metric is as good as the figure."""
    name = f"val/{reference.metric}"
    for one in series:
        if one.name == name:
            for epoch, value in zip(one.x, one.y, strict=True):
                good = value >= reference.low if reference.higher_is_better else value <= reference.high
                if good:
                    return epoch
    return None


def _meets(value: Any, wanted: Any) -> bool:
    """Whether a field is what a condition asks for: a value, one of several, or within bounds."""
    if isinstance(wanted, Mapping):
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return bool(wanted.get("least", -math.inf) <= value <= wanted.get("most", math.inf))
    if isinstance(wanted, list):
        return any(_same(value, each) for each in wanted)
    return _same(value, wanted)


def _same(value: Any, wanted: Any) -> bool:
    """Equality that tells True from 1."""
    return isinstance(value, bool) == isinstance(wanted, bool) and bool(value == wanted)


def _plain(path: str) -> str:
    """`recipe.batch_size` -> `batch size`."""
    return path.rpartition(".")[2].replace("_", " ")


def _word(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
