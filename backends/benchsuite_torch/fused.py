"""The recurrence through torch's own fused layers: cuDNN on a GPU, oneDNN or ATen on a CPU.

Padding needs packing in two places only. A layer that reads forward gives every valid output exactly
without it, and the readout picks each row's last one. A layer that reads backward must start at each row's
own end: a GPU gets that from packing; a CPU, where packing would leave oneDNN, from reversing each row
within its length and reading it forward. Both pack where a state at each row's own end is asked for.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from benchsuite_torch.dropout import NO_MASKS, dropped, mask_name
from benchsuite_torch.layers import Direction, LayerStates, RecurrentStack
from benchsuite_torch.placement import RowLengths

OPERATORS = {"rnn": torch.rnn_tanh, "lstm": torch.lstm, "gru": torch.gru}


class ReverseRows(torch.autograd.Function):  # type: ignore[misc]
    """x (steps, B, D) with each row reversed within its length; its own inverse and its own transpose, which
    spares the backward pass a scatter."""

    @staticmethod
    def forward(x: torch.Tensor, reversal: torch.Tensor) -> torch.Tensor:
        return x.flatten(0, 1).index_select(0, reversal).view(x.shape)

    @staticmethod
    def setup_context(
        ctx: torch.autograd.function.FunctionCtx, inputs: tuple[torch.Tensor, ...], _: object
    ) -> None:
        ctx.save_for_backward(inputs[1])

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, d: torch.Tensor) -> tuple[torch.Tensor, None]:
        (reversal,) = ctx.saved_tensors
        return d.flatten(0, 1).index_select(0, reversal).view(d.shape), None


def reversed_rows(x: torch.Tensor, rows: RowLengths) -> torch.Tensor:
    """x (steps, B, D) with each row reversed within its length."""
    if rows.full:
        return x.flip(0)
    found: torch.Tensor = ReverseRows.apply(x, rows.reversal)
    return found


def run(
    stack: RecurrentStack,
    x: torch.Tensor,
    rows: RowLengths,
    truncation: int | None,
    state: LayerStates | None,
    final: bool = False,
    packing: bool = False,
    masks: Mapping[str, torch.Tensor] = NO_MASKS,
) -> tuple[torch.Tensor, LayerStates | None]:
    """Outputs of the top layer (steps, B, F) for inputs (steps, B, I), and the state at each row's own end with
    `final`, or of one direction over full rows, which gives it anyhow.

    `state` is where the forward direction starts (None: zero). `packing` says how backward layers meet ragged
    rows: packed, or reversed. Outputs on padding are arbitrary. Where what is between the layers is masked, the
    operator runs once per layer.
    """
    if any(mask_name(layer) in masks for layer in stack.layers[1:]):
        return _by_layer(stack, x, rows, truncation, state, final, packing, masks)
    x = dropped(x, masks, stack.layers[0])
    chunk = truncation if truncation and truncation < rows.steps else rows.steps
    if stack.body.bidirectional and (chunk < rows.steps or not (rows.full or packing)):
        return _by_direction(stack, x, rows, chunk, None, {}), None
    state = state or stack.initial_state(rows.batch)
    packed = not rows.full and (final or stack.body.bidirectional)
    cuts = [*range(0, rows.steps, chunk), rows.steps]
    outputs = []
    for begin, end in pairwise(cuts):
        if begin:
            state = tuple(part.detach() for part in state)
        y, state = _segment(
            stack, stack.flat, x[begin:end], state, _valid_steps(rows, begin, end) if packed else None
        )
        outputs.append(y)
    known = final or (rows.full and not stack.body.bidirectional)
    return outputs[0] if len(outputs) == 1 else torch.cat(outputs), state if known else None


def _by_layer(
    stack: RecurrentStack,
    x: torch.Tensor,
    rows: RowLengths,
    truncation: int | None,
    state: LayerStates | None,
    final: bool,
    packing: bool,
    masks: Mapping[str, torch.Tensor],
) -> tuple[torch.Tensor, LayerStates | None]:
    start, ways = state or stack.initial_state(rows.batch), len(stack.body.directions)
    ends: list[LayerStates] = []
    for index, layer in enumerate(stack.layers):
        alone = copy.copy(stack)
        alone.layers, alone.body = [layer], replace(stack.body, layers=1)
        initial = tuple(part[index * ways : (index + 1) * ways] for part in start)
        x, end = run(alone, x, rows, truncation, initial, final, packing, masks)
        if end is not None:
            ends.append(end)
    return x, tuple(torch.cat(parts) for parts in zip(*ends, strict=True)) if ends else None


def layer_outputs(
    stack: RecurrentStack, x: torch.Tensor, rows: RowLengths, state: LayerStates | None
) -> dict[str, torch.Tensor]:
    """Every h_t (steps, B, H) of every layer and direction by its prefix, arbitrary on padding: the operator
    runs once per layer and direction, since it returns the top layer's outputs only."""
    outputs: dict[str, torch.Tensor] = {}
    _by_direction(stack, x, rows, rows.steps, state, outputs)
    return outputs


def _by_direction(
    stack: RecurrentStack,
    x: torch.Tensor,
    rows: RowLengths,
    chunk: int,
    state: LayerStates | None,
    outputs: dict[str, torch.Tensor],
) -> torch.Tensor:
    """Outputs of the top layer, one direction of one layer at a time; `outputs` is filled with those of
    each."""
    start = state or stack.initial_state(rows.batch)
    index = 0
    for layer in stack.layers:
        for direction in layer:
            initial = tuple(part[index : index + 1] for part in start)
            index += 1
            if chunk < rows.steps:
                y = _truncated(stack, direction, x, rows, chunk, initial)
            elif direction.reverse:
                backward = ReverseRows.apply(x, rows.reversal)
                y = ReverseRows.apply(
                    _segment(stack, direction.flat, backward, initial, None)[0], rows.reversal
                )
            else:
                y = _segment(stack, direction.flat, x, initial, None)[0]
            outputs[direction.prefix] = y
        by_direction = [outputs[direction.prefix] for direction in layer]
        x = by_direction[0] if len(by_direction) == 1 else torch.cat(by_direction, dim=2)
    return x


def _truncated(
    stack: RecurrentStack,
    direction: Direction,
    x: torch.Tensor,
    rows: RowLengths,
    truncation: int,
    state: LayerStates,
) -> torch.Tensor:
    """One direction in chunks. The state that enters step k, 2k, ... is detached, whichever way time is read,
    so the chunks of the backward direction end one step later than those of the forward one."""
    first = truncation + 1 if direction.reverse else truncation
    cuts = [0, *range(first, rows.steps, truncation), rows.steps]
    chunks = list(pairwise(cuts))
    outputs = []
    for begin, end in reversed(chunks) if direction.reverse else chunks:
        valid = None if rows.full else _valid_steps(rows, begin, end)
        part = x[begin:end]
        if direction.reverse:
            part = _reversed(part, valid)
        state = tuple(one.detach() for one in state)
        y, state = _segment(stack, direction.flat, part, state, valid)
        outputs.append(_reversed(y, valid) if direction.reverse else y)
    return torch.cat(outputs[::-1] if direction.reverse else outputs)


def _reversed(x: torch.Tensor, valid: torch.Tensor | None) -> torch.Tensor:
    """A chunk (n, B, D) with every row reversed within its `valid` steps (None: all of them)."""
    if valid is None:
        return x.flip(0)
    rows = RowLengths(len(x), len(x), valid, x.device, x.dtype)
    reversed_rows: torch.Tensor = ReverseRows.apply(x, rows.reversal)
    return reversed_rows


def _valid_steps(rows: RowLengths, begin: int, end: int) -> torch.Tensor:
    """(B,): how many of the steps [begin, end) are valid in each row."""
    return (rows.lengths - begin).clamp(0, end - begin)


def _segment(
    stack: RecurrentStack,
    flat: list[torch.Tensor],
    x: torch.Tensor,
    state: LayerStates,
    valid: torch.Tensor | None,
) -> tuple[torch.Tensor, LayerStates]:
    """Run x (n, B, I) through the layers whose tensors are `flat`: outputs and last states.

    With `valid` (B,) the rows are packed: outputs after a row's valid steps are zero and its state stays what
    it was after them. torch refuses to pack a row of length 0, so such a row runs one step, then dropped.
    """
    if valid is None:
        return _operate(stack, flat, x, state)
    packed = pack_padded_sequence(x, valid.clamp(min=1), enforce_sorted=False)
    ordered = tuple(part.index_select(1, packed.sorted_indices) for part in state)
    data, last = _operate(stack, flat, packed.data, ordered, packed.batch_sizes)
    result = PackedSequence(data, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices)
    y, _ = pad_packed_sequence(result, total_length=len(x))
    last = tuple(part.index_select(1, packed.unsorted_indices) for part in last)
    if int(valid.min()) == 0:
        active = (valid > 0)[:, None].to(x.device)
        last = tuple(torch.where(active, new, old) for new, old in zip(last, state, strict=True))
    return y, last


def _operate(
    stack: RecurrentStack,
    flat: list[torch.Tensor],
    x: torch.Tensor,
    state: LayerStates,
    batch_sizes: torch.Tensor | None = None,
) -> tuple[torch.Tensor, LayerStates]:
    """torch's operator behind torch.nn.RNN, LSTM and GRU."""
    initial = list(state) if len(state) > 1 else state[0]
    per_layer = len(stack.layers[0][0].flat)
    directions = 2 if stack.body.bidirectional and len(flat) > per_layer else 1
    settings = (True, len(flat) // (per_layer * directions), 0.0, torch.is_grad_enabled(), directions == 2)
    if batch_sizes is None:
        y, *last = OPERATORS[stack.body.cell](x, initial, flat, *settings, False)
    else:
        y, *last = OPERATORS[stack.body.cell](x, batch_sizes, initial, flat, *settings)
    return y, tuple(last)
