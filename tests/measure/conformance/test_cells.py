"""The kit of cells on cells that break one rule each: a check that does not see its fault is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fixtures.cells import EXAMPLE_CELLS, entry, example_cells, registered
from typing_extensions import override

from benchsuite.errors import BenchsuiteError, ContractError
from benchsuite.measure.conformance.cells import CELL_CHECKS
from benchsuite.plugins import registry
from benchsuite.schema.cells import (
    BUILTIN_CELLS,
    AffineCell,
    Cell,
    CellParameter,
    cell_named,
    constant,
    glorot,
    orthogonal,
    uniform,
)

__all__ = ["example_cells"]

MODERN = sorted(registry().cells.keys() - BUILTIN_CELLS.keys())


def failures(name: str) -> dict[str, str]:
    """Messages of the checks that fail, by the check's name without `check_`."""
    found = {}
    for check in CELL_CHECKS:
        try:
            check(name)
        except BenchsuiteError as error:
            found[check.__name__.removeprefix("check_")] = str(error)
    return found


@pytest.mark.usefixtures("example_cells")
@pytest.mark.parametrize("name", [*BUILTIN_CELLS, *EXAMPLE_CELLS, *MODERN])
def test_a_sound_cell_passes(name: str) -> None:
    assert failures(name) == {}


class Sound(Cell):
    """h' = tanh(x W + h R + b)."""

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        return {
            "W": CellParameter((inputs, hidden), glorot),
            "R": CellParameter((hidden, hidden), orthogonal),
            "b": CellParameter((hidden,), constant(0.1)),
        }

    def inputs(self, xp: Any, w: Any, x: Any, begins: Any) -> Any:
        return x @ w["W"] + w["b"]

    def step(self, xp: Any, w: Any, u: Any, h: Any, state: Any) -> Any:
        return (xp.tanh(u + h @ w["R"]),)


class SoundAffine(AffineCell):
    """h' = sig(l) h + x W."""

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        return {
            "W": CellParameter((inputs, hidden), glorot),
            "l": CellParameter((hidden,), uniform(0.0, 1.0)),
        }

    def inputs(self, xp: Any, w: Any, x: Any, begins: Any) -> Any:
        return x @ w["W"]

    def elements(self, xp: Any, w: Any, u: Any) -> Any:
        return (xp.sigmoid(w["l"]) * xp.ones_like(u),), (u,)


class NamesBySize(Sound):
    """Other names for other sizes."""

    @override
    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        found = super().parameters(inputs, hidden)
        return found if hidden != 2 else {**found, "more": CellParameter((hidden,), constant(0.0))}


class ShapesByCall(Sound):
    """Another shape at each call."""

    calls = 0

    @override
    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        ShapesByCall.calls += 1
        spare = CellParameter((1 + self.calls % 2,), constant(0.0))
        return {**super().parameters(inputs, hidden), "spare": spare}


def drawn_as(initial: Any) -> type[Cell]:
    """A sound cell with another parameter that is drawn so, and read by nothing."""

    class Drawn(Sound):
        @override
        def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
            return {**super().parameters(inputs, hidden), "extra": CellParameter((hidden,), initial)}

    return Drawn


class UsesAnotherOperation(Sound):
    @override
    def step(self, xp: Any, w: Any, u: Any, h: Any, state: Any) -> Any:
        return (xp.erf(u + h @ w["R"]),)


class UsesAnIndex(Sound):
    @override
    def output(self, xp: Any, w: Any, u: Any, state: Any) -> Any:
        return state[0][:, ::-1]


class UsesNumPy(Sound):
    @override
    def inputs(self, xp: Any, w: Any, x: Any, begins: Any) -> Any:
        return np.matmul(x, w["W"])


class GivesAWideState(Sound):
    @override
    def step(self, xp: Any, w: Any, u: Any, h: Any, state: Any) -> Any:
        return (xp.concat([u, u]),)


class Upcasts(Sound):
    """A number that is no Python number makes double precision of single."""

    @override
    def inputs(self, xp: Any, w: Any, x: Any, begins: Any) -> Any:
        return x @ w["W"] * np.float64(0.5)


class MixesRows(Sound):
    """Subtracts the mean over the rows, as batch normalisation does."""

    @override
    def inputs(self, xp: Any, w: Any, x: Any, begins: Any) -> Any:
        u = x @ w["W"]
        return u - u.derived(u.values.mean(0))  # what no cell is allowed to do


class Remembers(Sound):
    """Adds the first batch that it saw."""

    seen: Any = None

    @override
    def inputs(self, xp: Any, w: Any, x: Any, begins: Any) -> Any:
        u = super().inputs(xp, w, x, begins)
        change = 0.0 if self.seen is None else float(self.seen)
        Remembers.seen = u.values.sum()
        return u + change


class ReadsBeginsInSilence(Sound):
    @override
    def inputs(self, xp: Any, w: Any, x: Any, begins: Any) -> Any:
        return x @ w["W"] + begins


class ClaimsToReadBegins(Sound):
    reads_begins = True


class ClaimsToReadHidden(Sound):
    @override
    def step(self, xp: Any, w: Any, u: Any, h: Any, state: Any) -> Any:
        return (xp.tanh(u + state[0] @ w["R"]),)


class ReadsHiddenInSilence(Sound):
    reads_hidden = False


class IsNotAffine(SoundAffine):
    @override
    def step(self, xp: Any, w: Any, u: Any, h: Any, state: Any) -> Any:
        (after,) = super().step(xp, w, u, h, state)
        return (xp.tanh(after),)


class AffineInTheWrongElement(SoundAffine):
    """elements() gives 1 - a for a."""

    @override
    def step(self, xp: Any, w: Any, u: Any, h: Any, state: Any) -> Any:
        return ((1 - xp.sigmoid(w["l"])) * state[0] + u,)


class Overflows(Sound):
    """The sigmoid as exp(v) / (1 + exp(v))."""

    @override
    def step(self, xp: Any, w: Any, u: Any, h: Any, state: Any) -> Any:
        grown = xp.exp(u + h @ w["R"])
        return (grown / (1 + grown),)


class Cancels(Sound):
    """tanh as 1 - 2 / (exp(2 v) + 1), which has no digits left near 0."""

    @override
    def inputs(self, xp: Any, w: Any, x: Any, begins: Any) -> Any:
        return x @ w["W"]

    @override
    def step(self, xp: Any, w: Any, u: Any, h: Any, state: Any) -> Any:
        v = xp.minimum(xp.maximum(u + h @ w["R"], -30.0), 30.0)
        return (1 - 2 / (xp.exp(2 * v) + 1),)


class Grows(SoundAffine):
    """Its factor is above 1."""

    @override
    def elements(self, xp: Any, w: Any, u: Any) -> Any:
        return (1.1 * xp.ones_like(u),), (u,)


class CountsDifferently(Sound):
    """Computes a product twice in every other call, to the same result."""

    calls = 0

    @override
    def inputs(self, xp: Any, w: Any, x: Any, begins: Any) -> Any:
        CountsDifferently.calls += 1
        if self.calls % 2:
            x @ w["W"]
        return super().inputs(xp, w, x, begins)


BROKEN: dict[str, tuple[type[Cell], str, str]] = {
    "names by size": (NamesBySize, "declarations", "parameters(6, 2) gives W, R, b, more; other sizes"),
    "shapes by call": (ShapesByCall, "declarations", "gives something else at each call"),
    "initial shape": (drawn_as(lambda random, shape: np.zeros(7)), "initial_values", "have the shape (7,)"),
    "initial infinity": (drawn_as(constant(float("inf"))), "initial_values", "not finite real numbers"),
    "initial integers": (
        drawn_as(lambda random, shape: np.ones(shape, int)),
        "initial_values",
        "not finite real numbers",
    ),
    "initial chance": (
        drawn_as(lambda random, shape: np.random.default_rng().normal(size=shape)),
        "initial_values",
        "differ between equal random streams",
    ),
    "operation": (UsesAnotherOperation, "operations", "the operation 'erf', which not every backend has"),
    "index": (UsesAnIndex, "operations", "output(): uses an index of an array"),
    "numpy": (UsesNumPy, "operations", "inputs(): uses numpy.matmul"),
    "shape": (GivesAWideState, "operations", "step(): state, part 'h': has the shape"),
    "dtype": (Upcasts, "operations", "* with a numpy.float64"),
    "rows": (MixesRows, "rows", "row 0 alone: inputs()"),
    "memory": (Remembers, "no_memory", "other results after another batch"),
    "begins read": (ReadsBeginsInSilence, "begins", "reads `begins`, but reads_begins is False"),
    "begins not read": (ClaimsToReadBegins, "begins", "does not read `begins`, but reads_begins is True"),
    "hidden not read": (ClaimsToReadHidden, "hidden", "does not read `h`, but reads_hidden is True"),
    "hidden read": (ReadsHiddenInSilence, "hidden", "reads `h`, but reads_hidden is False"),
    "not affine": (IsNotAffine, "affine", "state 'h' after step(), compared with a * state + b"),
    "another a": (AffineInTheWrongElement, "affine", "compared with a * state + b"),
    "overflow": (Overflows, "small_and_large", "inputs of the size 100 give an output that is not finite"),
    "cancellation": (Cancels, "small_and_large", "single precision at inputs of the size 0.0001"),
    "growth": (Grows, "long_lags", "the output is not finite from step"),
    "products": (CountsDifferently, "products", "counted"),
}
ALSO = {
    "initial shape": None,
    "initial infinity": None,
    "operation": None,
    "index": None,
    "numpy": None,
    "shape": None,
    "dtype": None,
    "memory": {"rows", "products", "begins", "hidden", "operations", "small_and_large"},
}
"""Other checks that a fault may fail as well; None: any, as the cell cannot be run at all."""


@pytest.mark.parametrize("fault", BROKEN)
def test_a_fault_is_caught_by_its_own_check(fault: str) -> None:
    kind, check, said = BROKEN[fault]
    with registered(entry("broken", kind)), np.errstate(all="ignore"):
        found = failures("broken")
    assert said in found.get(check, "nothing")
    others = ALSO.get(fault, set())
    assert others is None or found.keys() <= {check, *others}
    assert next(iter(found)) == check or others, "the first failure explains the others"


def test_every_check_has_a_cell_that_fails_it() -> None:
    assert {check for _, check, _ in BROKEN.values()} == {
        check.__name__.removeprefix("check_") for check in CELL_CHECKS
    }


@pytest.mark.parametrize("kind", [Sound, SoundAffine])
def test_what_the_faults_are_planted_in_is_sound(kind: type[Cell]) -> None:
    with registered(entry("sound", kind)):
        assert failures("sound") == {}


DECLARED: dict[str, tuple[type, str]] = {
    "no cell": (object, "load() gave object, must be a Cell"),
    "no state": (type("NoState", (Sound,), {"state": ()}), "must be a tuple of one or more StatePart"),
    "too many parts": (
        type("Three", (SoundAffine,), {"state": EXAMPLE_CELLS["steadied"].load().state}),
        "an affine cell has one part in its state, or two (real, imaginary), not 3",
    ),
    "no parameters": (type("None_", (Sound,), {"parameters": lambda *_: {}}), "parameters() gave none"),
}


@pytest.mark.parametrize("fault", DECLARED)
def test_a_declaration_that_cannot_be_is_refused_when_the_cell_is_loaded(fault: str) -> None:
    kind, said = DECLARED[fault]
    with registered(entry("odd", kind)), pytest.raises(ContractError) as refused:
        cell_named("odd")
    assert "cell 'odd'" in str(refused.value)
    assert said in str(refused.value)
