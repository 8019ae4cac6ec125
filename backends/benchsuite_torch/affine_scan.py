"""A layer of an affine cell as an associative scan over time (unroll `scan`).

s_t = a_t * s_{t-1} + b_t: (a, b) followed by (a', b') is (a' a, a' b + b'), which is associative (Blelloch
1990, section 1.4). Neighbours are joined, the scan of half as many steps gives the states after the odd ones,
and one more pass those after the even ones: 2 log2(T) operations over tensors that halve each time. Padding is
a = 1, b = 0; where a row starts again a = 0. Numbers are real (one part) or complex (two parts: real,
imaginary).
"""

from __future__ import annotations

import torch

from benchsuite.schema.cells.cell import affine_step
from benchsuite_torch.generic import LayerCell, Reading
from benchsuite_torch.layers import CellDirection, LayerStates


def run_layer(
    layer: CellDirection,
    x: torch.Tensor,
    reading: Reading,
    state: LayerStates,
    probe: list[torch.Tensor] | None,
    final: bool,
) -> tuple[torch.Tensor, LayerStates | None]:
    """What generic.run_layer() gives, by a scan. Every row has all T steps: `rows` are not sorted."""
    rows = reading.rows
    assert not rows.longest_first
    cell = LayerCell(layer, rows.batch)
    u = cell.inputs(reading.entering(x), reading.begins(layer.reverse))
    a, b = (_by_time(parts, rows.steps) for parts in cell.elements(u))
    if probe is not None:
        b = (b[0] + torch.stack(probe), *b[1:])
    if reading.resets is not None:
        again = reading.resets.mask
        start = tuple(part.new_full((), one.initial) for part, one in zip(a, layer.cell.state, strict=True))
        a, b = _where(again, _zero(a), a), _where(again, affine_step(a, b, start), b)
    live = a, b
    if not rows.full:
        a, b = _where(rows.valid, a, _one(a)), _where(rows.valid, b, _zero(b))
    if layer.reverse:
        a, b = _flipped(a), _flipped(b)
    first = affine_step(tuple(part[0] for part in a), tuple(part[0] for part in b), state)
    b = tuple(torch.cat([one[None], part[1:]]) for one, part in zip(first, b, strict=True))
    states: LayerStates = AffineScan.apply(_cuts(reading, layer.reverse), len(a), *a, *b)
    end = tuple(part[-1] for part in states) if final else None
    if layer.reverse:
        states = _flipped(states)
    after = states
    if cell.has_output and not rows.full:
        # on padding output() reads what a step leaves, never an initial state, which it might divide by
        after = _where(rows.valid, states, affine_step(*live, states))
    y = cell.output(u, tuple(part.flatten(0, 1) for part in after))
    return y.unflatten(0, (rows.steps, rows.batch)), end


class AffineScan(torch.autograd.Function):  # type: ignore[misc]
    """s_t = a_t s_{t-1} + b_t from s_{-1} = 0, in parts (T, B, H).

    The derivative is another such recurrence, backwards, with the conjugate a* of a and g_t, what reaches s_t:
    d_s_t = g_t + a*_{t+1} d_s_{t+1}; then d_b_t = d_s_t and d_a_t = d_s_t s*_{t-1}. Where the state is detached
    before step t + 1, a*_{t+1} counts as 0.
    """

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx, cuts: list[int], parts: int, *tensors: torch.Tensor
    ) -> LayerStates:
        """:param cuts: the steps before which the state is detached, in the order of the scan."""
        a, b = tensors[:parts], tensors[parts:]
        states = scan(a, b)
        ctx.cuts, ctx.parts = cuts, parts
        ctx.save_for_backward(*a, *states)
        return states

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, *given: torch.Tensor
    ) -> tuple[torch.Tensor | None, ...]:
        a, states = ctx.saved_tensors[: ctx.parts], ctx.saved_tensors[ctx.parts :]
        after = tuple(torch.cat([part[1:], torch.zeros_like(part[:1])]) for part in _conjugate(a))
        for part in after:
            for t in ctx.cuts:
                part[t - 1] = 0
        d = _flipped(scan(_flipped(after), _flipped(given)))
        before = tuple(torch.cat([torch.zeros_like(part[:1]), part[:-1]]) for part in states)
        return None, None, *_product(d, _conjugate(before)), *d


def scan(a: LayerStates, b: LayerStates) -> LayerStates:
    """s_t = a_t s_{t-1} + b_t from s_{-1} = 0, for parts (T, ...)."""
    steps = len(a[0])
    if steps == 1:
        return b
    a_odd, b_odd = _sliced(a, 1, steps), _sliced(b, 1, steps)
    a_even, b_even = _sliced(a, 0, steps - 1), _sliced(b, 0, steps - 1)
    after_odd = scan(_product(a_odd, a_even), affine_step(a_odd, b_odd, b_even))
    states = tuple(torch.empty_like(part) for part in b)
    for part, known, first in zip(states, after_odd, b, strict=True):
        part[1::2], part[0] = known, first[0]
    if steps > 2:
        before = tuple(part[: (steps - 1) // 2] for part in after_odd)
        later = affine_step(_sliced(a, 2, steps), _sliced(b, 2, steps), before)
        for part, known in zip(states, later, strict=True):
            part[2::2] = known
    return states


def _sliced(parts: LayerStates, begin: int, end: int) -> LayerStates:
    """Every second step from `begin`."""
    return tuple(part[begin:end:2] for part in parts)


def _cuts(reading: Reading, reverse: bool) -> list[int]:
    """The steps before which the state is detached, in the order in which the direction reads."""
    steps = reading.rows.steps
    found = [t for t in range(steps) if reading.detached(t)]
    return [steps - 1 - t for t in found if t < steps - 1] if reverse else found


def _by_time(parts: LayerStates, steps: int) -> LayerStates:
    return tuple(part.unflatten(0, (steps, -1)) for part in parts)


def _where(condition: torch.Tensor, new: LayerStates, old: LayerStates) -> LayerStates:
    return tuple(torch.where(condition, a, b) for a, b in zip(new, old, strict=True))


def _flipped(parts: LayerStates) -> LayerStates:
    return tuple(part.flip(0) for part in parts)


def _product(a: LayerStates, b: LayerStates) -> LayerStates:
    if len(a) == 1:
        return (a[0] * b[0],)
    return a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]


def _conjugate(number: LayerStates) -> LayerStates:
    return (number[0], *(-part for part in number[1:]))


def _one(like: LayerStates) -> LayerStates:
    return (torch.ones_like(like[0]), *_zero(like[1:]))


def _zero(like: LayerStates) -> LayerStates:
    return tuple(torch.zeros_like(part) for part in like)
