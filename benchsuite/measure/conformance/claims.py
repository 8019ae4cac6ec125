"""What a backend claims beside the cases of the kit: a case that it declines is about some properties (a
cell, a readout, an optimiser), and the backend may support those on a plainer model.

A case that is declined has stand-ins: models that share what the case is about, in the values that the backend
supports otherwise. So what is checked of a property does not depend on what else the backend supports.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property

from benchsuite.measure.conformance.backend import Kit
from benchsuite.measure.conformance.cases import (
    FEATURES,
    HIDDEN_UNITS,
    OUTPUTS,
    STACKS,
    VOCABULARY,
    Case,
)
from benchsuite.measure.conformance.ingredients import RATES
from benchsuite.schema import (
    BUILTIN_CELLS,
    LOSSES,
    OPTIMISERS,
    READOUTS,
    Dense,
    Features,
    ModelSpec,
    Rbf,
    Recipe,
    Recurrent,
    Tokens,
)

ALTERNATIVES: dict[str, tuple[str, ...]] = {
    "cell": tuple(BUILTIN_CELLS),
    "stack": tuple(STACKS),
    "input": ("features", "tokens"),
    "readout": tuple(READOUTS),
    "head": ("dense", "rbf"),
    "loss": tuple(loss for loss in LOSSES if loss != "ctc"),
    "optimiser": tuple(OPTIMISERS),
    "clip": ("none", "norm", "value"),
}
"""The properties of a case, and the values that a stand-in may have of each, the usual one first."""

CLIP_AT = {"none": 1.0, "norm": 0.1, "value": 0.02}
MOST_CHANGES = 2
"""By how many properties a stand-in may differ from what the backend was first found to support, beside those
that the case is about."""


def properties(case: Case) -> dict[str, str]:
    """The value of each property of a case; without those that it does not have (a picture has no cell)."""
    model, recipe = case.model, case.recipe
    found = {
        "input": "tokens" if isinstance(model.input, Tokens) else "features",
        "readout": model.readout,
        "head": "rbf" if isinstance(model.head, Rbf) else "dense",
        "loss": model.loss,
        "optimiser": recipe.optimiser,
        "clip": recipe.clip,
    }
    if isinstance(model.body, Recurrent):
        shape = (model.body.layers, model.body.bidirectional)
        stack = next((name for name, known in STACKS.items() if known == shape), f"{shape[0]} layers")
        found |= {"cell": model.body.cell, "stack": stack}
    return found


def about(case: Case, training: bool = False) -> dict[str, str]:
    """The properties that a case is about: its cell, and each one that is not the usual one. `training`: of a
    case of which the update is checked, its optimiser and its clipping alone."""
    found = properties(case)
    if training:
        return {name: found[name] for name in ("optimiser", "clip")}
    unusual = {
        name: value for name, value in found.items() if name == "cell" or value != ALTERNATIVES[name][0]
    }
    return {name: value for name, value in unusual.items() if name not in ("optimiser", "clip")}


def fixed(case: Case) -> dict[str, str]:
    """What a stand-in of the case must share, or it would have no meaning."""
    found, names = properties(case), set[str]()
    if case.ties:  # targets that are met exactly need a layer that can give zero
        names |= {"head", "loss", "input"}
    if isinstance(case.model.head, Dense) and case.model.head.tied:
        names |= {"head", "input"}
    if case.recipe.label_smoothing:
        names |= {"loss"}
    return {name: found[name] for name in names}


def with_properties(case: Case, wanted: Mapping[str, str]) -> Case:
    """The case with other values of some properties; those that it does not have are left out. An optimiser
    comes with a learning rate of its own, so that its steps, and its weight decay, are as large as those of
    the case."""
    now = properties(case)
    changed = {name: value for name, value in wanted.items() if now.get(name, value) != value}
    if not changed:
        return case
    model = _with_model(case.model, changed)
    recipe = case.recipe.model_dump()
    if "optimiser" in changed:
        rate = RATES[changed["optimiser"]]
        decay = case.recipe.weight_decay * case.recipe.learning_rate / rate
        recipe |= {"optimiser": changed["optimiser"], "learning_rate": rate, "weight_decay": decay}
    if "clip" in changed:
        recipe |= {"clip": changed["clip"], "clip_at": CLIP_AT[changed["clip"]]}
    name = f"{case.name}~{'-'.join(changed.values())}"
    return replace(case, name=name, model=model, recipe=Recipe.model_validate(recipe))


def _with_model(model: ModelSpec, changed: Mapping[str, str]) -> ModelSpec:
    body, decoder, read, head = model.body, model.decoder, model.input, model.head
    if isinstance(body, Recurrent):
        if "stack" in changed:
            layers, both = STACKS[changed["stack"]]
            body = replace(body, layers=layers, bidirectional=both)
        if "cell" in changed:
            body = replace(body, cell=changed["cell"])
            if decoder is not None:
                decoder = replace(decoder, body=replace(decoder.body, cell=changed["cell"]))
    if "input" in changed:
        read = Features(FEATURES) if changed["input"] == "features" else Tokens(VOCABULARY, 5)
    if "head" in changed:
        head = Dense(head.outputs) if changed["head"] == "dense" else Rbf(head.outputs)
    parts = {name: changed[name] for name in ("loss", "readout") if name in changed}
    return replace(model, input=read, body=body, head=head, decoder=decoder, **parts)  # type: ignore[arg-type]


class Claims:
    """What a backend supports beside what a case asks for, found by asking it."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    @cached_property
    def base(self) -> dict[str, str] | None:
        """The first plain model and recipe that the backend supports; None: it supports none of them."""
        model = ModelSpec(Features(FEATURES), Recurrent("rnn", HIDDEN_UNITS), Dense(OUTPUTS), "cross_entropy")
        case, names = Case("base", model), list(ALTERNATIVES)
        for values in itertools.product(*reversed(ALTERNATIVES.values())):
            wanted = dict(zip(reversed(names), values, strict=True))
            if self._kit.supports(with_properties(case, wanted)) is None:
                return wanted
        return None

    def stand_ins(self, case: Case, kept: Mapping[str, str], must: Mapping[str, str]) -> Iterator[Case]:
        """Supported cases for one that is not: one with all properties in `kept`, or if there is none, one for
        each of them that there is. All have the properties in `must`."""
        if self.base is None:
            return
        must = {**fixed(case), **must}
        whole = self._stand_in(case, {**kept, **must})
        if whole is not None:
            yield whole
            return
        for name, value in kept.items():
            if len(kept) > 1 and (found := self._stand_in(case, {name: value, **must})) is not None:
                yield found

    def _stand_in(self, case: Case, kept: Mapping[str, str]) -> Case | None:
        """The first case that is supported: what the backend was found to support, but for `kept`, and with as
        few other properties as may be."""
        assert self.base is not None
        wanted, free = {**self.base, **kept}, [name for name in ALTERNATIVES if name not in kept]
        for count in range(MOST_CHANGES + 1):
            for names in itertools.combinations(free, count):
                for values in itertools.product(*(ALTERNATIVES[name] for name in names)):
                    other = with_properties(case, {**wanted, **dict(zip(names, values, strict=True))})
                    if self._kit.supports(other) is None:
                        return other
        return None
