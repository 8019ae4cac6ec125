"""The recurrence as a Python loop over steps: the `static` and `dynamic` unrolls."""

from __future__ import annotations

import torch

from benchsuite_torch.placement import Rows
from benchsuite_torch.recurrence import Recurrence, RecurrentLoop
from benchsuite_torch.stack import Direction, RecurrentStack, State

Taps = dict[str, list[torch.Tensor]]
"""Layer prefix -> for every step a (B, H) tensor whose gradient is dL/dh_t."""


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
    `final` asks for it. `taps` is filled with what dL/dh_t is read from. Outputs on padding are arbitrary.
    """
    start = state or stack.zero_state(rows.batch)
    ends: list[State] = []
    index = 0
    for layer in stack.layers:
        outputs = []
        for direction in layer:
            first = tuple(part[index] for part in start)
            recurrence = Recurrence(stack.body.cell, rows, direction.reverse, truncation)
            emitted = _direction(recurrence, direction, x, first, taps)
            outputs.append(emitted)
            if final:
                cells = [torch.stack(recurrence.cells)] if len(first) > 1 else []
                ends.append(tuple(_at_row_ends(part, rows) for part in (emitted, *cells)))
            index += 1
        x = outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=2)
    return x, tuple(torch.stack(part) for part in zip(*ends, strict=True)) if final else None


def _direction(
    recurrence: Recurrence, layer: Direction, x: torch.Tensor, state: State, taps: Taps | None
) -> torch.Tensor:
    """Every h_t as (steps, B, H), in the order of time, whichever way the layer reads."""
    probe = None
    if taps is not None:
        zeros = [torch.zeros_like(state[0], requires_grad=True) for _ in x]
        taps[layer.prefix], probe = zeros, torch.stack(zeros)
    b_hh = layer.b_hh if recurrence.cell == "gru" else None
    h, c = state if len(state) > 1 else (*state, None)
    outputs: torch.Tensor = RecurrentLoop.apply(
        recurrence, x, layer.w_ih, layer.b_ih, layer.w_hh, b_hh, probe, h, c
    )
    return outputs


def _at_row_ends(part: torch.Tensor, rows: Rows) -> torch.Tensor:
    """(B, H) of (steps, B, H): what stands at each row's last step."""
    return part[-1] if rows.full else part.flatten(0, 1).index_select(0, rows.last)
