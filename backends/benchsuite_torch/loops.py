"""The recurrence as a Python loop over steps: by our own kernel (`static`, `dynamic`), by torch's cells under
autograd (`autograd`), the way a PyTorch user writes a loop, or over blocks of compiled steps (`compiled`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from benchsuite.errors import UnsupportedError
from benchsuite_torch import affine_scan, generic
from benchsuite_torch.cells import cell_step
from benchsuite_torch.compiled import CompiledLoop
from benchsuite_torch.dropout import NO_MASKS, dropped
from benchsuite_torch.kernels.recurrent_loop import LoopConfig, RecurrentLoop
from benchsuite_torch.layers import CellDirection, CellStack, Direction, LayerStates, Stack
from benchsuite_torch.placement import Resets, RowLengths

Probes = dict[str, list[torch.Tensor]]
"""Layer prefix -> for every step a (B, H) tensor of zeros whose gradient is dL/dh_t."""
Outputs = dict[str, torch.Tensor]
"""Layer prefix -> every y_t (steps, B, H), arbitrary on padding; h_t where a cell's output is its state."""


OneDirection = Callable[
    [
        str,
        Direction,
        torch.Tensor,
        RowLengths,
        int | None,
        LayerStates,
        list[torch.Tensor] | None,
        bool,
    ],
    tuple[torch.Tensor, LayerStates | None],
]
"""From cell, layer, x (steps, B, I), its rows, truncation, the state before, probes by step, and whether the
end is asked for: every h_t (steps, B, H), and the state at each row's own end."""


def run(
    stack: Stack,
    x: torch.Tensor,
    rows: RowLengths,
    truncation: int | None,
    state: LayerStates | None,
    probes: Probes | None = None,
    final: bool = False,
    one_direction: OneDirection | None = None,
    outputs: Outputs | None = None,
    resets: Resets | None = None,
    masks: Mapping[str, torch.Tensor] = NO_MASKS,
) -> tuple[torch.Tensor, LayerStates | None]:
    """Outputs of the top layer (steps, B, F) for inputs (steps, B, I), and the state at each row's own end.

    :param state: where the forward direction starts (None: the initial one). :param probes: is filled with what
        dL/dh_t is read from. :param final: whether the final state is asked for. :param one_direction: what
        runs a layer of rnn, lstm or gru in one direction (None: our kernel). :param outputs: is filled with the
        outputs of every layer. :param resets: of a CellStack alone. :param masks: of dropout; `<prefix>.h` too.

    Outputs on padding are arbitrary.
    """
    start = state or stack.initial_state(rows.batch)
    ends: list[LayerStates] = []
    index = 0
    for layer in stack.layers:
        by_direction = []
        x = dropped(x, masks, layer)
        for direction in layer:
            initial = tuple(part[index] for part in start)
            probe = None if probes is None else probes.setdefault(direction.prefix, _zeros(x, initial[0]))
            if isinstance(direction, CellDirection):
                assert isinstance(stack, CellStack)
                reading = generic.Reading(
                    rows, state is None, truncation, resets, masks.get(f"{direction.prefix}.h")
                )
                way = affine_scan if stack.scans else generic
                y, end = way.run_layer(direction, x, reading, initial, probe, final)
            else:
                runner = one_direction or _by_kernel
                y, end = runner(stack.body.cell, direction, x, rows, truncation, initial, probe, final)
            by_direction.append(y)
            if outputs is not None:
                outputs[direction.prefix] = y
            if end is not None:
                ends.append(end)
            index += 1
        x = by_direction[0] if len(by_direction) == 1 else torch.cat(by_direction, dim=2)
    return x, tuple(torch.stack(part) for part in zip(*ends, strict=True)) if final else None


def _zeros(x: torch.Tensor, like: torch.Tensor) -> list[torch.Tensor]:
    return [torch.zeros_like(like, requires_grad=True) for _ in x]


def _by_kernel(
    cell: str,
    layer: Direction,
    x: torch.Tensor,
    rows: RowLengths,
    truncation: int | None,
    state: LayerStates,
    probe: list[torch.Tensor] | None,
    final: bool,
) -> tuple[torch.Tensor, LayerStates | None]:
    """Every h_t (steps, B, H) in the order of time, by our kernel, and with `final` the state at each row's own
    end, an lstm's c detached."""
    config = LoopConfig(cell, rows, layer.reverse, truncation)
    b_hh = layer.b_hh if cell == "gru" else None
    h, c = state if len(state) > 1 else (*state, None)
    stacked = None if probe is None else torch.stack(probe)
    outputs: torch.Tensor = RecurrentLoop.apply(
        config, x, layer.w_ih, layer.b_ih, layer.w_hh, b_hh, stacked, h, c
    )
    if not final:
        return outputs, None
    parts = [outputs] if c is None else [outputs, rows.unpack(torch.cat(config.cells))]
    return outputs, _at_row_ends(parts, rows)


def compiled(loop: CompiledLoop) -> OneDirection:
    """Layers run by `loop`; it knows no probes. Raises UnsupportedError for truncation."""

    def run_direction(
        cell: str,
        layer: Direction,
        x: torch.Tensor,
        rows: RowLengths,
        truncation: int | None,
        state: LayerStates,
        probe: list[torch.Tensor] | None,
        final: bool,
    ) -> tuple[torch.Tensor, LayerStates | None]:
        assert probe is None
        if truncation is not None and truncation < rows.steps:
            raise UnsupportedError("unroll compiled has no truncated BPTT")
        parts = loop.run_direction(cell, layer, x, rows, state)
        return parts[0], _at_row_ends(list(parts), rows) if final else None

    return run_direction


def recorded(
    cell: str,
    layer: Direction,
    x: torch.Tensor,
    rows: RowLengths,
    truncation: int | None,
    state: LayerStates,
    probe: list[torch.Tensor] | None,
    final: bool,
) -> tuple[torch.Tensor, LayerStates | None]:
    """The same by torch's own cell, recorded by autograd step after step."""
    steps = range(rows.steps)
    masks = rows.begun_masks if layer.reverse else [None] * rows.steps
    by_step: list[LayerStates] = [state] * rows.steps
    for t in reversed(steps) if layer.reverse else steps:
        if truncation and t and t % truncation == 0:
            state = tuple(part.detach() for part in state)
        if (mask := masks[t]) is not None:
            state = tuple(part * mask for part in state)
        state = cell_step(cell, x[t], state, layer)
        if probe is not None:
            state = (state[0] + probe[t], *state[1:])
        by_step[t] = state
    parts = list(zip(*by_step, strict=True))
    stacked = [torch.stack(part) for part in (parts if final else parts[:1])]
    return stacked[0], _at_row_ends(stacked, rows) if final else None


def _at_row_ends(parts: list[torch.Tensor], rows: RowLengths) -> LayerStates:
    """(B, H) of each (steps, B, H): the values at each row's last valid step."""
    if rows.full:
        return tuple(part[-1] for part in parts)
    return tuple(part.flatten(0, 1).index_select(0, rows.last_index) for part in parts)
