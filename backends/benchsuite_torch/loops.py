"""The recurrence as a Python loop over hand-written cells: the `static` and `dynamic` unrolls.

Steps are never frozen here. Going forwards, what happens behind a row's last step cannot reach its valid
outputs, and the readout picks the output at each row's own end; going backwards, a row's state is zeroed
until its last step is reached. So nothing is masked inside a full batch, and truncation, which detaches the
state of every row, cannot cut the path from the readout to a row that has ended.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchsuite_torch.placement import Rows
from benchsuite_torch.stack import Direction, RecurrentStack, State

Taps = dict[str, list[torch.Tensor]]
"""Layer prefix -> the emitted h_t (B, H) of every step, for |dL/dh_t|."""

Cell = Callable[[torch.Tensor, State, torch.Tensor, torch.Tensor], State]
"""(x_t W_ih + b_ih, state, W_hh transposed, b_hh) -> next state."""


def rnn_cell(projected: torch.Tensor, state: State, w_hh: torch.Tensor, _: torch.Tensor) -> State:
    """h' = tanh(x Wx + h Wh + b) (Elman 1990)."""
    return (torch.addmm(projected, state[0], w_hh).tanh(),)


def lstm_cell(projected: torch.Tensor, state: State, w_hh: torch.Tensor, _: torch.Tensor) -> State:
    """Gates i, f, g, o; c' = sig(f) c + sig(i) tanh(g); h' = sig(o) tanh(c') (Gers et al. 2000)."""
    h, c = state
    i, f, g, o = torch.addmm(projected, h, w_hh).chunk(4, 1)
    c = torch.addcmul(f.sigmoid() * c, i.sigmoid(), g.tanh())
    return o.sigmoid() * c.tanh(), c


def gru_cell(projected: torch.Tensor, state: State, w_hh: torch.Tensor, b_hh: torch.Tensor) -> State:
    """Gates r, z, n; n = tanh(x_n + r * h_n); h' = n + z (h - n) (Cho et al. 2014, with reset after)."""
    (h,) = state
    hidden = h.shape[1]
    recurrent = torch.addmm(b_hh, h, w_hh)
    r, z = (projected[:, : 2 * hidden] + recurrent[:, : 2 * hidden]).sigmoid().chunk(2, 1)
    n = torch.addcmul(projected[:, 2 * hidden :], r, recurrent[:, 2 * hidden :]).tanh()
    return (torch.lerp(n, h, z),)


CELLS: dict[str, Cell] = {"rnn": rnn_cell, "lstm": lstm_cell, "gru": gru_cell}


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
            states = _direction(stack.body.cell, direction, x, rows, truncation, first)
            outputs.append(torch.stack([one[0] for one in states]))
            if taps is not None:
                taps[direction.prefix] = [one[0] for one in states]
            if final:
                ends.append(_at_row_ends(states, rows))
            index += 1
        x = outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=2)
    return x, tuple(torch.stack(part) for part in zip(*ends, strict=True)) if final else None


def _direction(
    cell: str, layer: Direction, x: torch.Tensor, rows: Rows, truncation: int | None, state: State
) -> list[State]:
    """The state after every step, in the order of time whichever way the layer reads."""
    advance, w_hh = CELLS[cell], layer.w_hh.t()
    projected = torch.nn.functional.linear(x, layer.w_ih, layer.b_ih).unbind(0)
    states: list[State] = [()] * rows.steps
    for t in range(rows.steps - 1, -1, -1) if layer.reverse else range(rows.steps):
        if truncation and t and t % truncation == 0:
            state = tuple(part.detach() for part in state)
        if layer.reverse and rows.shortest <= t + 1 < rows.steps:
            begun = rows.mask[t + 1]
            state = tuple(part * begun for part in state)
        state = advance(projected[t], state, w_hh, layer.b_hh)
        states[t] = state
    return states


def _at_row_ends(states: list[State], rows: Rows) -> State:
    if rows.full:
        return states[-1]
    return tuple(
        torch.stack(part).flatten(0, 1).index_select(0, rows.last) for part in zip(*states, strict=True)
    )
