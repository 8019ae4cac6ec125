"""Parts: inputs(), step(), output() and elements() of one layer's cell, recorded once, ready to be replayed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchsuite.errors import ContractError
from benchsuite.schema.cells import AffineCell, Cell, naming_cell
from benchsuite_numpy.kernels.graph import ROWS, Graph, Traced
from benchsuite_numpy.kernels.replay import Replay, Weight
from benchsuite_numpy.kernels.workspace import Workspace
from benchsuite_numpy.operations import NUMPY_OPERATIONS as XP
from benchsuite_numpy.runtime import Array


class Part:
    """One part of a cell: its inputs with rows, by name, and its replay; None where it gives an input back."""

    def __init__(self, replay: Replay | None, given: dict[str, Traced]) -> None:
        self.replay, self.given = replay, given

    def number(self, name: str) -> int:
        """Which value of the graph an input is."""
        return self.given[name].value.index

    def reaches(self, name: str) -> bool:
        """Whether the gradient by an input is computed."""
        return self.replay is not None and self.number(name) in self.replay.reached


class Parts:
    """
    inputs    of `x` and `begins`: u, (N, U)
    step      of `u`, `h` and `0`, `1` ... (the state): the next state
    elements  of `u`: a and b, one part after the other (an affine cell under unroll scan)
    output    of `u` and `0`, `1` ...: y

    Raises ContractError naming the cell where its code fails or gives what it may not.
    """

    def __init__(
        self,
        workspace: Workspace,
        name: str,
        cell: Cell,
        sizes: tuple[int, int],
        weights: Mapping[str, tuple[Array, Array]],
        below: bool,
        scan: bool = False,
    ) -> None:
        """
        sizes    I and H
        weights  name -> (its array, its gradient)
        below    whether dL/dx is wanted
        scan     whether elements() is recorded instead of step()
        """
        self.name, self.cell, self._workspace, self._weights = name, cell, workspace, weights
        inputs, self._hidden = sizes
        self.count = len(cell.state)
        self.U = inputs
        state = {str(part): self._hidden for part in range(self.count)}
        x = ["x"] if below else []
        self.inputs = self._part("inputs", {"x": inputs, "begins": 1}, x, self._run_inputs, [])
        columns = {"u": self.U}
        self.output = self._part("output", columns | state, ["u", *state], self._run_output, [])
        preset = ["u"] if self.output.reaches("u") else []
        if scan:
            self.elements = self._part("elements", columns, ["u"], self._run_elements, preset)
        else:
            given = columns | {"h": self._hidden} | state
            self.step = self._part("step", given, list(columns | {"h": 0} | state), self._run_step, preset)

    @property
    def replays(self) -> list[Replay]:
        parts = (getattr(self, name, None) for name in ("inputs", "step", "elements", "output"))
        return [part.replay for part in parts if part is not None and part.replay is not None]

    def _part(
        self,
        name: str,
        columns: Mapping[str, int],
        wanted: Sequence[str],
        code: Callable[..., Sequence[Traced]],
        preset: Sequence[str],
    ) -> Part:
        graph = Graph()
        weights = [
            Weight(graph.weight(array.shape).value, array, gradient)
            for array, gradient in self._weights.values()
        ]
        w = {key: Traced(graph, weight.value) for key, weight in zip(self._weights, weights, strict=True)}
        given = {key: graph.rows(size) for key, size in columns.items()}
        with naming_cell(self.name, f"{name}()"):
            found = code(w, given)
        same = {"inputs": "x", "output": "0"}.get(name)
        if same is not None and found[0] is given[same]:
            return Part(None, given)
        asked, before = ([given[key] for key in keys] for keys in (wanted, preset))
        return Part(Replay(self._workspace, graph, found, weights, asked, before), given)

    def _run_inputs(self, w: Mapping[str, Traced], given: Mapping[str, Traced]) -> list[Traced]:
        u = self.cell.inputs(XP, w, given["x"], given["begins"])
        if not isinstance(u, Traced) or len(u.value.shape) != 2 or not u.value.rows:
            raise ContractError(f"gave {_shown(u)}, must be an array (N, U) with a row for each row of x")
        self.U = u.value.columns
        return [u]

    def _run_step(self, w: Mapping[str, Traced], given: Mapping[str, Traced]) -> list[Traced]:
        return self._checked(self.cell.step(XP, w, given["u"], given["h"], self._state(given)), self.count)

    def _run_elements(self, w: Mapping[str, Traced], given: Mapping[str, Traced]) -> list[Traced]:
        assert isinstance(self.cell, AffineCell)
        a, b = self.cell.elements(XP, w, given["u"])
        return self._checked(a, self.count) + self._checked(b, self.count)

    def _run_output(self, w: Mapping[str, Traced], given: Mapping[str, Traced]) -> list[Traced]:
        return self._checked((self.cell.output(XP, w, given["u"], self._state(given)),), 1)

    def _state(self, given: Mapping[str, Traced]) -> tuple[Traced, ...]:
        return tuple(given[str(part)] for part in range(self.count))

    def _checked(self, found: Any, count: int) -> list[Traced]:
        """Raises ContractError unless there are `count` arrays (N, H)."""
        wanted = (ROWS, self._hidden)
        if (
            not isinstance(found, tuple)
            or len(found) != count
            or not all(isinstance(each, Traced) and each.value.shape == wanted for each in found)
        ):
            given = ", ".join(_shown(each) for each in found) if isinstance(found, tuple) else _shown(found)
            raise ContractError(f"gave {given or 'nothing'}, must be {count} of (N, {self._hidden})")
        return list(found)


def _shown(given: Any) -> str:
    if isinstance(given, Traced):
        return str(given.value.shape).replace(str(ROWS), "N")
    return type(given).__name__
