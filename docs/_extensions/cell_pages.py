"""What a page on a cell shows of its code: the picture of a step, parameters with shapes, state, unrolls."""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib import import_module
from pathlib import Path

from _extensions.cell_drawing import drawing
from _extensions.markdown import code, table
from benchsuite.plugins import registry
from benchsuite.schema.cells import BUILTIN_CELLS, AffineCell, Cell, CellEntry

EXAMPLES = "benchsuite_example_cells"
EXAMPLES_SOURCE = Path(__file__).parents[2] / "examples" / EXAMPLES / "src"
I, H = 1_000_003, 1_009  # noqa: E741
"""Sizes from which a shape tells how it is made: 4 H is 4 times 1,009."""
WIDTHS = (64, 64)

EVERY_BACKEND = "NumPy, PyTorch, TensorFlow, JAX"
FUSED = {
    "rnn": "PyTorch",
    "lstm": "PyTorch; TensorFlow and JAX on a GPU (cuDNN)",
    "gru": "PyTorch; TensorFlow on a GPU (cuDNN)",
}
"""Cells for which a framework has a fused recurrent kernel, and where."""

LEGEND = (
    "Drawn from the code that every backend runs, from top to bottom. · is what comes from above, ⊙ the "
    "product by elements, σ the logistic function; a box with a dark border is a product with a matrix. "
    "A letter beside a line is the gate that it carries; − and 1/ mark what is subtracted and what divides."
)


@lru_cache
def entries() -> dict[str, CellEntry]:
    """The cells that ship, then those of `examples/`, by name."""
    if str(EXAMPLES_SOURCE) not in sys.path:
        sys.path.append(str(EXAMPLES_SOURCE))
    examples = {entry.name: entry for entry in import_module(EXAMPLES).benchsuite_register_cells()}
    found = registry()
    modern = {
        name: entry
        for name, entry in found.cells.items()
        if name not in BUILTIN_CELLS and found.owners[f"cell:{name}"].name == "modern_cells"
    }
    return BUILTIN_CELLS | modern | examples


def cell_page(name: str, *gates: str) -> str:
    """The parts of the page on `name`. `gates` are the columns of its matrices, in their order."""
    cell = entries()[name].load()
    return "\n\n".join(
        [
            "## One step",
            f'<div class="cell-flow-frame">\n{drawing(name, cell, gates)}\n</div>',
            LEGEND,
            "## Parameters and state",
            _parameters(cell, gates),
            _state(cell),
            "## How it can run",
            _unrolls(name, cell),
        ]
    )


def _parameters(cell: Cell, gates: tuple[str, ...]) -> str:
    rows = ((code(name), _shape(parameter.shape)) for name, parameter in cell.parameters(I, H).items())
    shapes = table(["parameter", "shape"], rows)
    order = (
        f"\n\nThe columns of a matrix are those of {', '.join(gates)}, side by side in this order."
        if gates
        else ""
    )
    inputs, hidden = WIDTHS
    number = sum(_product(parameter.shape) for parameter in cell.parameters(inputs, hidden).values())
    total = (
        f"{count_formula(cell)} numbers in all; {number:,} with I = {inputs} inputs and H = {hidden} units."
    )
    return f"{shapes}\n\n{total}{order}"


def _state(cell: Cell) -> str:
    parts = ", ".join(f"{part.name} (starts at {part.initial:g})" for part in cell.state).replace("-", "−")
    own = type(cell).output is not Cell.output
    given = "an output y of its own" if own else f"{cell.state[0].name}′"
    return f"State, each part (B, H): {parts}. The layer above reads {given}."


def _unrolls(name: str, cell: Cell) -> str:
    affine, builtin = isinstance(cell, AffineCell), name in FUSED
    rows = [(code("dynamic"), EVERY_BACKEND), (code("static"), EVERY_BACKEND)]
    said = []
    if affine:
        rows.append((code("scan"), EVERY_BACKEND))
    else:
        said.append("`scan` asks for a step that is affine in the state.")
    if builtin:
        rows += [(code("fused"), FUSED[name]), (code("autograd"), "PyTorch")]
        rows.append((code("compiled"), "PyTorch on a CPU, with a C++ compiler"))
        said.append(f"All four have a hand-written kernel for `{name}`.")
        said.append("The backends `keras_*` run Keras' own layer of it.")
    else:
        said.append("`fused`, `autograd` and `compiled` are for `rnn`, `lstm` and `gru`.")
    return "\n\n".join([table(["unroll", "backends"], rows), " ".join(said)])


def _product(shape: tuple[int, ...]) -> int:
    number = 1
    for size in shape:
        number *= size
    return number


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(dimension(size) for size in shape)})"


def _terms(size: int) -> tuple[int, int]:
    """(a, b) of a I + b H."""
    a, rest = divmod(size, I)
    b, other = divmod(rest, H)
    assert not other, f"{size} is no sum of {I} and {H}"
    return a, b


def dimension(size: int) -> str:
    terms = [
        f"{factor} {letter}" if factor > 1 else letter
        for factor, letter in zip(_terms(size), "IH", strict=True)
        if factor
    ]
    return " + ".join(terms)


def count_formula(cell: Cell) -> str:
    """The number of parameters as a formula in I and H."""
    factors = {"I H": 0, "H²": 0, "H": 0, "I": 0}
    for parameter in cell.parameters(I, H).values():
        if len(parameter.shape) == 1:
            a, b = _terms(parameter.shape[0])
            factors["I"] += a
            factors["H"] += b
        else:
            (a, b), (_, columns) = map(_terms, parameter.shape)
            factors["I H"] += a * columns
            factors["H²"] += b * columns
    return " + ".join(
        f"{factor} {name}" if factor > 1 else name for name, factor in factors.items() if factor
    )
