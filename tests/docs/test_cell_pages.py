"""Pages on cells: the picture is the code's graph, shapes and counts are the cell's, backends are asked."""

from __future__ import annotations

import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from _extensions.cell_drawing import HALF, drawing
from _extensions.cell_graph import Node, Tracer, nodes_of
from _extensions.cell_graph_short import shortened_graph
from _extensions.cell_layout import laid_out
from _extensions.cell_pages import FUSED, cell_page, count_formula, dimension, entries
from _extensions.generated_parts import PLACE
from fixtures.sources import ROOT
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.plugins import load_backend
from benchsuite.schema import Dense, Execution, Features, ModelSpec, Recipe, Recurrent
from benchsuite.schema.cells import Cell, CellParameter
from benchsuite.schema.cells.initial import constant

GATES = {
    words.split()[0]: tuple(words.split()[1:])
    for page in sorted((ROOT / "docs" / "cells").glob("*.md"))
    for kind, words in PLACE.findall(page.read_text(encoding="utf-8"))
    if kind == "cell"
}
NAMES = sorted(entries())
WIDEST = 640
"""Of a drawing, in pixels: what a page of text has room for."""


def graph(name: str) -> list[Node]:
    found: list[Node] = shortened_graph(Tracer(GATES[name]).sinks(entries()[name].load()))
    return found


def test_every_cell_has_a_page() -> None:
    assert sorted(GATES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_has_every_parameter_and_every_part_of_the_state(name: str) -> None:
    cell = entries()[name].load()
    nodes = graph(name)
    words = {word.rstrip("₁₂₃₄₅₆₇₈₉") for node in nodes for word in re.findall(r"\w+", node.label)}
    assert set(cell.parameters(2, 3)) <= words
    parts = [part.name for part in cell.state]
    sinks = [node.label for node in nodes if node.kind == "sink"]
    assert [label.rstrip("′") for label in sinks][: len(parts)] == parts
    assert {"x", *parts} <= {node.label for node in nodes if node.kind == "source"}


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_goes_down_has_no_node_on_another_and_fits_a_page(name: str) -> None:
    layout = laid_out(graph(name))
    assert layout.width <= WIDEST
    for line in layout.lines:
        rows = [place.row for place in line.places]
        assert rows == list(range(rows[0], rows[0] + len(rows)))
    by_row: dict[int, list[tuple[float, float]]] = {}
    for place in layout.places:
        by_row.setdefault(place.row, []).append((place.x - place.width / 2, place.x + place.width / 2))
    for spans in by_row.values():
        spans.sort()
        assert all(left[1] <= right[0] + 1e-6 for left, right in pairwise(spans))
    assert all(HALF <= place.y <= layout.height - HALF for place in layout.places)


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_one_element_without_an_empty_line_and_comes_out_again(name: str) -> None:
    text = drawing(name, entries()[name].load(), GATES[name])
    assert text == drawing(name, entries()[name].load(), GATES[name])
    assert "" not in text.split("\n")
    root = ElementTree.fromstring(text)
    assert root.attrib["role"] == "img"
    assert name in root[0].text  # type: ignore[operator]


class EveryOperation(Cell):
    """Reads constants, numbers and arrays in every way that operators have."""

    def parameters(self, inputs: int, hidden: int) -> dict[str, CellParameter]:
        zero = constant(0.0)
        return {"W": CellParameter((inputs, hidden), zero), "a": CellParameter((hidden,), zero)}

    def step(self, xp, w, u, h, state):  # type: ignore[no-untyped-def]  # noqa: ARG002
        y = u @ w["W"]
        for one in (2 - y, y - 2, 2 / y, y / 2, 2 * y, y * 2, w["a"] * y, y - w["a"], y**2, -y, xp.abs(y)):
            h = h + one
        return (xp.where(y > 0, h, xp.maximum(xp.minimum(h, y), 0.0)) / xp.ones_like(y),)


def test_no_operator_is_forgotten() -> None:
    labels = {node.label for node in nodes_of(Tracer(()).sinks(EveryOperation()))}
    assert labels >= {
        "2 − ·",
        "· − 2",
        "2 / ·",
        "· / 2",
        "2 ·",
        "a ⊙ ·",
        "· − a",
        "· ^ 2",
        "−·",
        "|·|",
        "where",
    }
    assert labels >= {"· > 0", "min", "max(·, 0)", "· W"}


@given(inputs=st.integers(1, 50), hidden=st.integers(1, 50), name=st.sampled_from(NAMES))
def test_the_number_of_parameters_is_that_of_any_size(inputs: int, hidden: int, name: str) -> None:
    cell = entries()[name].load()
    formula = count_formula(cell).replace("H²", "H H")
    value = sum(product_of(term, inputs, hidden) for term in formula.split(" + "))
    assert value == sum(product(one.shape) for one in cell.parameters(inputs, hidden).values())


def product_of(term: str, inputs: int, hidden: int) -> int:
    """4 I H as a number."""
    sizes = {"I": inputs, "H": hidden}
    return product(tuple(sizes.get(word) or int(word) for word in term.split()))


def product(sizes: tuple[int, ...]) -> int:
    number = 1
    for size in sizes:
        number *= size
    return number


def test_a_size_is_said_by_how_it_is_made() -> None:
    assert [dimension(size) for size in (1_009, 4 * 1_009, 1_000_003, 1_000_003 + 2 * 1_009)] == [
        "H",
        "4 H",
        "I",
        "I + 2 H",
    ]


def test_the_numpy_backend_runs_what_the_pages_say() -> None:
    check_unrolls("numpy")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "tensorflow", "jax"])
def test_a_framework_runs_what_the_pages_say(backend: str) -> None:
    pytest.importorskip(backend)
    check_unrolls(backend)


def check_unrolls(backend: str) -> None:
    """What supports() says on a CPU is what the table of the page says; what needs a GPU is declined for it."""
    title = {"numpy": "NumPy", "torch": "PyTorch", "tensorflow": "TensorFlow", "jax": "JAX"}[backend]
    loaded = load_backend(backend)
    for name in NAMES:
        if name in ("leaky_rnn", "mgu"):  # not installed here
            continue
        rows = dict(
            re.findall(r"^\| `(\w+)` \| (.*) \|$", cell_page(name).partition("How it can run")[2], re.M)
        )
        for unroll in ("static", "dynamic", "fused", "autograd", "compiled", "scan"):
            model = ModelSpec(Features(2), Recurrent(name, 4), Dense(2), "cross_entropy")
            reason = loaded.supports(model, Recipe(), Execution(unroll=unroll))
            places = [part for part in rows.get(unroll, "").split("; ") if title in part]
            if places and "GPU" in places[0]:
                assert reason is not None
                assert "GPU" in reason or "gpu" in reason or "CUDA" in reason
            elif places and "C++ compiler" in places[0] and reason is not None:
                assert "C++ compiler" in reason  # there is none on this machine
            else:
                assert (reason is None) == bool(places), (name, unroll, reason)
    assert set(FUSED) == {"rnn", "lstm", "gru"}
