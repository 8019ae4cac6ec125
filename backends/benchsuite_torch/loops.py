"""The recurrence as a Python loop over hand-written cells: the `static` and `dynamic` unrolls.

Steps are never frozen here. Going forwards, what happens behind a row's last step cannot reach its valid
outputs, and the readout picks the output at each row's own end; going backwards, a row's state is zeroed
until its last step is reached. So nothing is masked inside a full batch, and truncation, which detaches the
state of every row, cannot cut the path from the readout to a row that has ended.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from benchsuite_torch.cells import CELLS
from benchsuite_torch.hoist import Hoist, Recurrence
from benchsuite_torch.placement import Rows
from benchsuite_torch.stack import Direction, RecurrentStack, State

Taps = dict[str, list[torch.Tensor]]
"""Layer prefix -> the emitted h_t (B, H) of every step, for |dL/dh_t|."""


def run(
    stack: RecurrentStack,
    x: torch.Tensor,
    rows: Rows,
    truncation: int | None,
    state: State | None,
    taps: Taps | None = None,
    final: bool = False,
) -> tuple[torch.Tensor, State | None]:
    """Outputs of the top layer (steps, B, F) for inputs (steps, B, I), and the state at each row's own end.

    `state` is where the forward direction starts (None: zero); the final state is worked out only when
    `final` asks for it. `taps` collects every emitted h_t. Outputs on padding are arbitrary.
    """
    start = state or stack.zero_state(rows.batch)
    ends: list[State] = []
    index = 0
    for layer in stack.layers:
        outputs = []
        for direction in layer:
            first = tuple(part[index] for part in start)
            emitted, states = _direction(stack.body.cell, direction, x, rows, truncation, first)
            outputs.append(emitted)
            if taps is not None:
                taps[direction.prefix] = [one[0] for one in states]
            if final:
                ends.append(_at_row_ends(states, rows))
            index += 1
        x = outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=2)
    return x, tuple(torch.stack(part) for part in zip(*ends, strict=True)) if final else None


def _direction(
    cell: str, layer: Direction, x: torch.Tensor, rows: Rows, truncation: int | None, state: State
) -> tuple[torch.Tensor, list[State]]:
    """Every h_t as (steps, B, H), and the state after every step; both in the order of time, whichever way
    the layer reads."""
    advance, w_hh = CELLS[cell], layer.w_hh.detach().t()
    recurrence = Recurrence(state[0], rows, layer.reverse)
    projected = functional.linear(x, layer.w_ih, layer.b_ih)
    if cell == "gru":
        added = layer.b_hh.expand(rows.steps, rows.batch, -1)
        added = Hoist.apply(added, layer.w_hh, recurrence)
    else:
        added = projected = Hoist.apply(projected, layer.w_hh, recurrence)
    inputs, recurrent = projected.unbind(0), added.unbind(0)
    states: list[State] = [()] * rows.steps
    for t in range(rows.steps - 1, -1, -1) if layer.reverse else range(rows.steps):
        if truncation and t and t % truncation == 0:
            state = tuple(part.detach() for part in state)
        if layer.reverse and rows.shortest <= t + 1 < rows.steps:
            begun = rows.mask[t + 1]
            state = tuple(part * begun for part in state)
        state = advance(inputs[t], torch.addmm(recurrent[t], state[0], w_hh), state)
        states[t] = state
    outputs = torch.stack([one[0] for one in states])
    recurrence.emitted = outputs.detach()
    return outputs, states


def _at_row_ends(states: list[State], rows: Rows) -> State:
    if rows.full:
        return states[-1]
    return tuple(
        torch.stack(part).flatten(0, 1).index_select(0, rows.last) for part in zip(*states, strict=True)
    )
