"""Supported: what a backend runs, as a table, and the words in which it declines everything else."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from benchsuite.contracts.ingredients import INGREDIENTS, ingredient_problem
from benchsuite.errors import ContractError, unknown_name
from benchsuite.schema import (
    ARCHITECTURES,
    CLIPS,
    LOSSES,
    OPTIMISERS,
    PRECISIONS,
    READOUTS,
    UNROLLS,
    Dense,
    DeviceName,
    Execution,
    ModelSpec,
    Recipe,
    Recurrent,
    Tokens,
    architecture_of,
)

INPUTS = ("features", "tokens")
HEADS = ("dense", "tied", "rbf")
"""`tied`: a dense layer that shares the embedding's matrix."""
DEVICE_KINDS = ("cpu", "gpu")

_ALLOWED: dict[str, Collection[str]] = {
    "inputs": INPUTS,
    "architectures": ARCHITECTURES,
    "heads": HEADS,
    "losses": LOSSES,
    "readouts": READOUTS,
    "optimisers": OPTIMISERS,
    "clips": CLIPS,
    "ingredients": INGREDIENTS,
    "unrolls": UNROLLS,
    "precisions": PRECISIONS,
    "devices": DEVICE_KINDS,
}
"""Field -> the names that it may hold."""

_WORDS = {"losses": "loss", "heads": "head", "inputs": "input", "clips": "clipping"}
"""Field -> what one of its names is called, where that is not the field's name without its s."""


@dataclass(frozen=True, kw_only=True)
class Supported:
    """What a backend runs: the names of each kind that it has. What is not named it declines.

    Losses, optimisers, unrolls and the like are named as in the tables of benchsuite.schema (LOSSES ...).
    Raises ContractError for a name that benchsuite does not have.
    """

    backend: str
    """What the backend is called in its answers."""
    cells: tuple[str, ...] | None
    """Names of cells; None: any cell that is registered."""
    heads: tuple[str, ...]
    """Of HEADS."""
    losses: tuple[str, ...]
    optimisers: tuple[str, ...]
    unrolls: tuple[str, ...]
    precisions: tuple[str, ...]
    devices: tuple[str, ...] = ("cpu",)
    """Kinds of devices, of DEVICE_KINDS; which numbers are here is for absent_device() to say."""
    inputs: tuple[str, ...] = INPUTS
    architectures: tuple[str, ...] = ("plain",)
    readouts: tuple[str, ...] = ("last",)
    clips: tuple[str, ...] = ("none",)
    ingredients: tuple[str, ...] = ()
    """Of INGREDIENTS: weight decay, schedules, dropout and the like."""
    truncation: bool = False
    """Whether the recipe may truncate BPTT."""
    carry: bool = False
    """Whether states may be carried from batch to batch."""
    resets: bool = False
    """Whether several sequences may lie in one row."""
    under: Mapping[str, Supported] = field(default_factory=dict)
    """Unroll (`fused`) or kind of device (`gpu`) -> what is left there, a table of its own. One for an unroll
    is not asked about the convolutional baseline, which has none."""
    because: Mapping[str, str] = field(default_factory=dict)
    """Field -> why its other names are lacking: put in brackets behind what is lacking."""
    instead: str = ""
    """What to do, behind every answer but those about ingredients: `use unroll dynamic`."""

    def __post_init__(self) -> None:
        for name, allowed in _ALLOWED.items():
            for value in getattr(self, name):
                if value not in allowed:
                    raise ContractError(f"Supported: {unknown_name(_word(name), str(value), allowed)}")
        for key in self.under:
            if key not in (*UNROLLS, *DEVICE_KINDS):
                known = (*UNROLLS, *DEVICE_KINDS)
                raise ContractError(f"Supported: under: {unknown_name('unroll or device', key, known)}")
        for key in self.because:
            if key not in _FIELDS:
                raise ContractError(f"Supported: because: {unknown_name('field', key, _FIELDS)}")

    @classmethod
    def everything(cls, backend: str, **but: Any) -> Supported:
        """A table of all that benchsuite has, but for the fields that are given. For backends that are kept up
        with benchsuite: what it learns later is then claimed too."""
        tables: dict[str, Any] = {name: tuple(allowed) for name, allowed in _ALLOWED.items()}
        flags = {"cells": None, "truncation": True, "carry": True, "resets": True}
        return cls(backend=backend, **{**tables, **flags, **but})

    def declines(self, model: ModelSpec, recipe: Recipe, execution: Execution) -> str | None:
        """Why the backend cannot run this, for its supports(); None where the table has all of it."""
        return self._declines(model, recipe, execution, f"the {self.backend} backend")

    def _declines(self, model: ModelSpec, recipe: Recipe, execution: Execution, who: str) -> str | None:
        for name, given in _asked(model, recipe, execution):
            allowed = getattr(self, name)
            if allowed is not None and given not in allowed:
                return self._sentence(who, name, f"{_word(name)} {given!r}", f"it has {', '.join(allowed)}")
        if problem := ingredient_problem(self.backend, recipe, self.ingredients):
            return problem.replace(f"the {self.backend} backend", who, 1) + self._why("ingredients")
        if recipe.truncation is not None and not self.truncation:
            return self._sentence(
                who, "truncation", f"truncated BPTT (recipe.truncation {recipe.truncation})"
            )
        if recipe.carry and not self.carry:
            return self._sentence(who, "carry", "states carried from batch to batch (recipe.carry)")
        if model.resets and not self.resets:
            return self._sentence(who, "resets", "resets: several sequences in one row")
        for key, where in _places(model, execution) if self.under else ():
            narrower = self.under.get(key)
            if narrower and (problem := narrower._declines(model, recipe, execution, f"{who} {where}")):
                return problem
        return None

    def _sentence(self, who: str, name: str, what: str, has: str = "") -> str:
        parts = [f"{who} has no {what}{self._why(name)}", has, self.instead]
        return "; ".join(part for part in parts if part)

    def _why(self, name: str) -> str:
        return f" ({self.because[name]})" if name in self.because else ""


_FIELDS = tuple(one.name for one in fields(Supported))


def _word(name: str) -> str:
    return _WORDS.get(name, name.removesuffix("s"))


def _asked(model: ModelSpec, recipe: Recipe, execution: Execution) -> Iterator[tuple[str, str]]:
    """(field of the table, the name that is asked for)."""
    yield "unrolls", execution.unroll
    yield "devices", DeviceName.parse(execution.device).kind
    yield "precisions", execution.precision
    yield "architectures", architecture_of(model)
    for body in (model.body, None if model.decoder is None else model.decoder.body):
        if isinstance(body, Recurrent):
            yield "cells", body.cell
    yield "inputs", "tokens" if isinstance(model.input, Tokens) else "features"
    head = model.head
    yield "heads", ("tied" if head.tied else "dense") if isinstance(head, Dense) else "rbf"
    yield "losses", model.loss
    yield "readouts", model.readout
    yield "optimisers", recipe.optimiser
    yield "clips", recipe.clip


def _places(model: ModelSpec, execution: Execution) -> Iterator[tuple[str, str]]:
    """The keys of `under` that may say something of this, each with the words for it."""
    if isinstance(model.body, Recurrent):
        yield execution.unroll, f"under unroll {execution.unroll}"
    kind = DeviceName.parse(execution.device).kind
    yield kind, f"on {kind}"


def absent_device(framework: str, device: DeviceName, gpus: int) -> str | None:
    """Why `device` is not here, or None.

    :param framework: who looked, as in `jax`. :param gpus: how many GPUs it sees.
    """
    if device.kind == "cpu" or device.number < gpus:
        return None
    return f"no device {str(device)!r} here: {framework} sees {gpus or 'no'} GPU{'s' if gpus > 1 else ''}"
