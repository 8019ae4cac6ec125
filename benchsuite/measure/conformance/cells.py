"""What every cell must satisfy by itself, in no backend: one function a property, each raising ConformanceError
or ContractError with what it saw.

A cell is run on arrays that have the operators and operations of all backends and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from benchsuite.measure.conformance.backend import ConformanceError, near
from benchsuite.measure.recorded.array import RecordedArray
from benchsuite.measure.recorded.cell import Parts, RecordedCell
from benchsuite.measure.recorded.products import cell_products, summed
from benchsuite.schema.cells import AffineCell, cell_named, naming_cell

CellCheck = Callable[[str], None]

LAYER_SIZES = ((3, 4), (1, 1), (2, 5), (6, 2))
"""(inputs, hidden units)."""
LAYER_INPUTS, LAYER_HIDDEN, LAYER_ROWS = 3, 4, 5
LONG_ROW = 2000
"""Steps of a long row."""
DOUBLE_ROUNDING = 1e-12
SINGLE_ROUNDING = 1e-4
"""Largest error in single precision over a few steps."""


def drawn_weights(
    name: str, inputs: int, hidden: int, dtype: str = "float64", noise: float = 0.3
) -> dict[str, np.ndarray]:
    """A layer's parameters as the cell draws them, with uniform noise, so that none is zero or constant. The
    numbers are those of single precision in either dtype."""
    random = np.random.default_rng(5)
    with naming_cell(name, "parameters()"):
        parameters = cell_named(name).parameters(inputs, hidden)
        drawn = {key: each.initial(random, each.shape) for key, each in parameters.items()}
    return {
        key: (values + random.uniform(-noise, noise, values.shape)).astype(np.float32).astype(dtype)
        for key, values in drawn.items()
    }


def recorded(
    name: str,
    inputs: int = LAYER_INPUTS,
    hidden: int = LAYER_HIDDEN,
    dtype: str = "float64",
    noise: float = 0.3,
) -> RecordedCell:
    """A layer of the cell with drawn parameters."""
    return RecordedCell(name, cell_named(name), drawn_weights(name, inputs, hidden, dtype, noise), hidden)


def reals(rows: int, width: int, dtype: str = "float64", seed: int = 0, scale: float = 1.0) -> np.ndarray:
    """Normal numbers (rows, width)."""
    numbers = np.random.default_rng(seed).normal(0, scale, (rows, width))
    return numbers.astype(np.float32).astype(dtype)


def layer_inputs(layer: RecordedCell, x: np.ndarray, fresh: bool = False) -> RecordedArray:
    """u of x (N, I); `fresh`: the state before is the initial one in every row."""
    return layer.inputs(x, np.full((len(x), 1), float(fresh), x.dtype))


def reached(layer: RecordedCell, rows: int, seed: int = 50) -> Parts:
    """A state that the cell reaches in two steps: one of numbers at random may be none that it can have."""
    state = layer.start(rows)
    for step in range(2):
        u = layer_inputs(layer, reals(rows, LAYER_INPUTS, seed=seed + step), fresh=step == 0)
        state = layer.step(u, state)
    return state


def run(layer: RecordedCell, inputs: Iterator[np.ndarray]) -> tuple[np.ndarray, Parts]:
    """y (B, T, H) of (B, I) inputs step by step, from the initial state, and the state after."""
    state, ys = None, []
    for x in inputs:
        u = layer_inputs(layer, x, fresh=state is None)
        state = layer.step(u, layer.start(len(x)) if state is None else state)
        ys.append(layer.output(u, state))
    assert state is not None
    return np.stack(ys, 1), state


def check_declarations(name: str) -> None:
    """State and parameters are declared as the contract says, by the same names at every size, and equally at
    each call."""
    cell = cell_named(name)
    names: list[str] | None = None
    for inputs, hidden in LAYER_SIZES:
        with naming_cell(name, "parameters()"):
            first, again = (cell.parameters(inputs, hidden) for _ in range(2))
        if names is not None and list(first) != names:
            raise ConformanceError(
                f"parameters({inputs}, {hidden}) gives {', '.join(first)}; other sizes: {', '.join(names)}"
            )
        names = list(first)
        for key, parameter in first.items():
            if list(again) != names or again[key].shape != parameter.shape:
                raise ConformanceError(f"parameters({inputs}, {hidden}) gives something else at each call")


def check_initial_values(name: str) -> None:
    """Initial values have their parameter's shape, are finite, and depend on the random stream alone."""
    for inputs, hidden in LAYER_SIZES:
        for key, parameter in cell_named(name).parameters(inputs, hidden).items():
            with naming_cell(name, f"initial values of {key}"):
                values, again = (
                    np.asarray(parameter.initial(np.random.default_rng(3), parameter.shape)) for _ in range(2)
                )
            if values.shape != parameter.shape:
                raise ConformanceError(
                    f"initial values of {key} have the shape {values.shape}, must have {parameter.shape}"
                )
            if values.dtype.kind != "f" or not np.isfinite(values).all():
                raise ConformanceError(f"initial values of {key} are not finite real numbers")
            if not np.array_equal(values, again):
                raise ConformanceError(f"initial values of {key} differ between equal random streams")


def check_operations(name: str) -> None:
    """inputs(), step() and output() use what every backend has, and give the declared shapes and the dtype of
    the parameters, at each size and in both precisions."""
    for inputs, hidden in LAYER_SIZES:
        for dtype in ("float64", "float32"):
            layer = recorded(name, inputs, hidden, dtype)
            run(layer, (reals(rows, inputs, dtype) for rows in (LAYER_ROWS, LAYER_ROWS)))
            if isinstance(layer.cell, AffineCell):
                layer.elements(layer_inputs(layer, reals(1, inputs, dtype)))


def check_rows(name: str) -> None:
    """A row's results do not depend on the rows beside it, nor on how many there are."""
    layer = recorded(name)
    x, before = reals(LAYER_ROWS, LAYER_INPUTS), reached(layer, LAYER_ROWS)
    u = layer_inputs(layer, x)
    after = layer.step(u, before)
    y = layer.output(u, after)
    for row in (0, LAYER_ROWS - 1):
        one = slice(row, row + 1)
        alone = layer_inputs(layer, x[one])
        there = layer.step(alone, tuple(part[one] for part in before))
        near(f"row {row} alone: inputs()", alone.values, u.values[one], DOUBLE_ROUNDING)
        for part, value, together in zip(layer.cell.state, there, after, strict=True):
            near(f"row {row} alone: state {part.name!r}", value, together[one], DOUBLE_ROUNDING)
        near(f"row {row} alone: output()", layer.output(alone, there), y[one], DOUBLE_ROUNDING)


def check_no_memory(name: str) -> None:
    """A cell has no state of its own: equal arguments give equal results, whatever was computed between."""
    layer = recorded(name)
    x, before = reals(LAYER_ROWS, LAYER_INPUTS), reached(layer, LAYER_ROWS)
    first = _everything(layer, x, before)
    _everything(layer, reals(2, LAYER_INPUTS, seed=9, scale=5.0), layer.start(2))
    for values, again in zip(first, _everything(layer, x, before), strict=True):
        if not np.array_equal(values, again):
            raise ConformanceError("equal arguments give other results after another batch was computed")


def _everything(layer: RecordedCell, x: np.ndarray, before: Parts) -> list[np.ndarray]:
    u = layer_inputs(layer, x)
    after = layer.step(u, before)
    return [u.values, *after, layer.output(u, after)]


def check_begins(name: str) -> None:
    """inputs() reads `begins` exactly where the cell says so (reads_begins)."""
    layer = recorded(name)
    x = reals(LAYER_ROWS, LAYER_INPUTS)
    reads = not np.array_equal(layer_inputs(layer, x).values, layer_inputs(layer, x, fresh=True).values)
    if reads != layer.cell.reads_begins:
        does = "reads" if reads else "does not read"
        raise ConformanceError(f"inputs() {does} `begins`, but reads_begins is {layer.cell.reads_begins}")


def check_hidden(name: str) -> None:
    """step() reads `h` exactly where the cell says so (reads_hidden)."""
    layer = recorded(name)
    u, before = layer_inputs(layer, reals(LAYER_ROWS, LAYER_INPUTS)), reached(layer, LAYER_ROWS)
    masked = layer.step(u, before, h=before[0] * 0)
    reads = any(
        not np.array_equal(part, other) for part, other in zip(masked, layer.step(u, before), strict=True)
    )
    if reads != layer.cell.reads_hidden:
        does = "reads" if reads else "does not read"
        raise ConformanceError(f"step() {does} `h`, but reads_hidden is {layer.cell.reads_hidden}")


def check_affine(name: str) -> None:
    """An affine cell's step is a * state + b, elementwise, with a and b of elements(), from every state."""
    layer = recorded(name)
    if not isinstance(layer.cell, AffineCell):
        return
    u = layer_inputs(layer, reals(LAYER_ROWS, LAYER_INPUTS))
    a, b = layer.elements(u)
    for seed, scale in ((1, 1.0), (2, 100.0), (3, 0.0)):
        count = len(layer.cell.state)
        before = tuple(
            reals(LAYER_ROWS, LAYER_HIDDEN, seed=seed + 10 * part, scale=scale) for part in range(count)
        )
        if count == 1:
            expected = [a[0] * before[0] + b[0]]
        else:
            product = (a[0] + 1j * a[1]) * (before[0] + 1j * before[1]) + b[0] + 1j * b[1]
            expected = [product.real, product.imag]
        for part, found, wanted in zip(layer.cell.state, layer.step(u, before), expected, strict=True):
            near(f"state {part.name!r} after step(), compared with a * state + b", found, wanted, 1e-10)


def check_small_and_large(name: str) -> None:
    """Small and large inputs give finite numbers, in single precision those of double precision where inputs
    are small or usual: a formula that cancels near zero loses its digits there."""
    for scale in (1e-4, 1e-2, 1.0, 1e2, 1e4):
        by_dtype = []
        for dtype in ("float64", "float32"):
            batches = (reals(LAYER_ROWS, LAYER_INPUTS, dtype, step, scale) for step in range(8))
            with np.errstate(all="ignore"):
                y, _ = run(recorded(name, dtype=dtype), batches)
            if not np.isfinite(y).all():
                raise ConformanceError(
                    f"inputs of the size {scale:g} give an output that is not finite in {dtype}"
                )
            by_dtype.append(y)
        if scale <= 1:
            near(
                f"single precision at inputs of the size {scale:g}", by_dtype[1], by_dtype[0], SINGLE_ROUNDING
            )


def check_long_lags(name: str) -> None:
    """With initial parameters the states of a row of 2000 steps stay finite in single precision, whether its
    inputs are noise, always the same, or an impulse."""
    layer = recorded(name, dtype="float32", noise=0.0)
    noise = np.random.default_rng(0).normal(size=(LONG_ROW, 1, LAYER_INPUTS)).astype(np.float32)
    same = np.ones((LONG_ROW, 1, LAYER_INPUTS), np.float32)
    impulse = np.zeros((LONG_ROW, 1, LAYER_INPUTS), np.float32)
    impulse[0] = 1
    rows = np.concatenate([noise, same, impulse], 1)
    with np.errstate(all="ignore"):
        y, state = run(layer, iter(rows))
    for kind, row in zip(("noise", "equal inputs", "an impulse"), range(3), strict=True):
        bad = np.flatnonzero(~np.isfinite(y[row]).all(axis=1))
        if len(bad):
            raise ConformanceError(f"{kind}: the output is not finite from step {bad[0]} of {LONG_ROW} on")
        for part, values in zip(layer.cell.state, state, strict=True):
            if not np.isfinite(values[row]).all():
                raise ConformanceError(f"{kind}: state {part.name!r} is not finite after {LONG_ROW} steps")


def check_products(name: str) -> None:
    """The products that are counted are those of a step of another number of rows, and of real numbers."""
    for inputs, hidden in LAYER_SIZES:
        layer = recorded(name, inputs, hidden)
        run(layer, iter([reals(LAYER_ROWS, inputs)]))
        found = layer.recorder.products
        if summed(found) != cell_products(name, inputs, hidden):
            raise ConformanceError(
                f"{inputs} inputs and {hidden} hidden units: {summed(found)} in a batch of {LAYER_ROWS} rows, "
                f"{cell_products(name, inputs, hidden)} counted"
            )
        wrong = [product for product in found if product.by_row and product.m != LAYER_ROWS]
        if wrong:
            raise ConformanceError(f"a product has {wrong[0].m} rows in a batch of {LAYER_ROWS}")


CELL_CHECKS: tuple[CellCheck, ...] = (
    check_declarations,
    check_initial_values,
    check_operations,
    check_rows,
    check_no_memory,
    check_begins,
    check_hidden,
    check_affine,
    check_small_and_large,
    check_long_lags,
    check_products,
)
"""Every property of a cell by itself, in the order in which a failure explains the ones after it."""
