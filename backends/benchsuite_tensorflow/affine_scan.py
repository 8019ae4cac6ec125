"""A layer of an affine cell as a scan over time: s_t = a_t s_{t-1} + b_t of all steps at once (Blelloch 1990).

The composition of two affine maps is one, (a', b') after (a, b) = (a' a, a' b + b'), so prefixes can be made in
any grouping. Steps are cut into blocks of a fixed size: inside them one step after the other, all blocks at
once; over their ends by log2 doubling; then every block's steps are moved by the state that enters it. Doubling
over all T steps passes log2(T) times over arrays of T steps: on one CPU thread a training step of 32 rows and
64 units took 1.3 to 1.6 times as long with it at T = 128, and 2.1 to 2.9 times at T = 1024.

Elements are tuples of tensors: one part, real numbers, or two, the real and the imaginary part of complex ones.
Time-major: T steps, B rows, H hidden units, every part (T, B, H).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import tensorflow as tf

from benchsuite.schema.cells.cell import affine_step
from benchsuite_tensorflow.cells import State, Tensor
from benchsuite_tensorflow.generic import CellCode, LayerSteps, Weights
from benchsuite_tensorflow.runtime import SCAN

BLOCK = 16
"""Steps of a block. They are written out in the graph, which therefore is of one size for every T; with blocks
of 8 or 32 steps a training step took as long within 10 %."""


def scan_over_time(cell: CellCode, weights: Weights, u: Tensor, steps: LayerSteps) -> tuple[State, State]:
    """OverTime for an affine cell. Where the step keeps the state, on padding, a is one and b zero; where it
    starts anew a is zero."""
    rows, start = u.shape[1], steps.initial
    a, b = (
        tuple(tf.reshape(part, [-1, rows, cell.hidden]) for part in parts)
        for parts in cell.elements(weights, tf.reshape(u, [-1, u.shape[2]]))
    )
    if steps.probe is not None:
        b = (b[0] + steps.probe, *b[1:])
    if steps.resets is not None:
        a, b = _cut(steps.resets[..., None], a, b, cell.start(rows, u.dtype))
    if steps.valid is not None:
        valid = steps.valid[..., None]
        a = _chosen(valid, a, _one_like(a))
        b = _chosen(valid, b, tuple(map(tf.zeros_like, b)))
    if steps.attached is not None:
        detached = ~steps.attached if steps.valid is None else ~steps.attached & valid
        a, b = _cut(detached, a, b, tuple(map(tf.stop_gradient, _before(scan(a, b, start), start))))
    states = scan(a, b, start)
    return states, tuple(part[-1] for part in states)


def scan(a: State, b: State, start: State) -> State:
    """All s_t = a_t s_{t-1} + b_t from s_{-1} = `start`, (B, H) each.

    The derivative is a scan from the end: with g_t = dL/ds_t in total, g_t = dL/ds_t at fixed s_{t+1}, plus
    conj(a_{t+1}) g_{t+1}; dL/db_t = g_t; dL/da_t = g_t conj(s_{t-1}).
    """
    parts = len(b)

    def run(*given: Tensor) -> Any:
        a, b, start = given[:parts], given[parts : 2 * parts], given[2 * parts :]
        states = _solved(a, b, start, backwards=False)

        def gradient(*d_states: Tensor) -> State:
            following = _conjugate(tuple(tf.concat([part[1:], tf.zeros_like(part[:1])], 0) for part in a))
            nothing = tuple(map(tf.zeros_like, start))
            total = _solved(following, d_states, nothing, backwards=True)
            first = tuple(part[0] for part in total)
            d_a = _times(_conjugate(_before(states, start)), total)
            return *d_a, *total, *_times(_conjugate(tuple(part[0] for part in a)), first)

        return states, gradient

    found: State = tuple(tf.custom_gradient(run)(*a, *b, *start))
    return found


def _solved(a: State, b: State, start: State, backwards: bool) -> State:
    """s_t = a_t s_{t-1} + b_t from s_{-1} = start; or `backwards` s_t = a_t s_{t+1} + b_t from s_T = start."""
    with tf.name_scope(SCAN):
        time: Tensor = tf.shape(b[0])[0]
        rows, hidden = b[0].shape[1], b[0].shape[2]
        size = min(BLOCK, b[0].shape[0] or BLOCK)
        padding = -time % size

        def blocks(part: Tensor, fill: int) -> list[Tensor]:
            """Step 0, 1, ... of every block: (blocks, B, H) each."""
            wide = tf.pad(part, [[0, padding], [0, 0], [0, 0]], constant_values=fill)
            return list(tf.unstack(tf.reshape(wide, [-1, size, rows, hidden]), axis=1))

        a_steps = list(zip(*(blocks(part, int(not k)) for k, part in enumerate(a)), strict=True))
        b_steps = list(zip(*(blocks(part, 0) for part in b), strict=True))
        order = range(size - 1, -1, -1) if backwards else range(size)
        for before, now in pairwise(order):
            b_steps[now] = affine_step(a_steps[now], b_steps[now], b_steps[before])
            a_steps[now] = _times(a_steps[now], a_steps[before])
        entering = _entering(a_steps[order[-1]], b_steps[order[-1]], start, backwards)
        moved = [affine_step(*pair, entering) for pair in zip(a_steps, b_steps, strict=True)]
        joined = [tf.reshape(tf.stack(part, 1), [-1, rows, hidden]) for part in zip(*moved, strict=True)]
        return tuple(part[:time] for part in joined)


def _entering(a: State, b: State, start: State, backwards: bool) -> State:
    """The state that enters each block, from the map (a, b) over each whole block, (blocks, B, H)."""
    begin = tuple(part[None] for part in start)
    if backwards:
        a, b = (tuple(tf.reverse(part, [0]) for part in parts) for parts in (a, b))
    b = tuple(tf.concat([first, part[:-1]], 0) for first, part in zip(begin, b, strict=True))
    a = tuple(tf.concat([tf.zeros_like(part[:1]), part[:-1]], 0) for part in a)
    found = _doubled(a, b)
    return tuple(tf.reverse(part, [0]) for part in found) if backwards else found


def _doubled(a: State, b: State) -> State:
    """s_i = a_i s_{i-1} + b_i from zero, (n, B, H) each, in log2(n) rounds: after round r every element is the
    composition of 2^r maps."""
    count, parts = tf.shape(b[0])[0], len(b)

    def round_(distance: Tensor, *maps: Tensor) -> tuple[Tensor, ...]:
        a, b = maps[:parts], maps[parts:]
        late_a, late_b = (tuple(part[distance:] for part in each) for each in (a, b))
        early_a, early_b = (tuple(part[: count - distance] for part in each) for each in (a, b))
        new = *_times(late_a, early_a), *affine_step(late_a, late_b, early_b)
        joined = [tf.concat([old[:distance], late], 0) for old, late in zip(maps, new, strict=True)]
        kept = [tf.ensure_shape(part, old.shape) for part, old in zip(joined, maps, strict=True)]
        return (2 * distance, *kept)

    done = tf.while_loop(lambda distance, *_: distance < count, round_, (tf.constant(1), *a, *b))
    return tuple(done[1 + parts :])


def _times(x: State, y: State) -> State:
    if len(x) == 1:
        return (x[0] * y[0],)
    return x[0] * y[0] - x[1] * y[1], x[0] * y[1] + x[1] * y[0]


def _conjugate(x: State) -> State:
    return x if len(x) == 1 else (x[0], -x[1])


def _one_like(x: State) -> State:
    return (tf.ones_like(x[0]), *map(tf.zeros_like, x[1:]))


def _before(states: State, start: State) -> State:
    """The state before each step."""
    return tuple(tf.concat([first[None], part[:-1]], 0) for first, part in zip(start, states, strict=True))


def _chosen(condition: Tensor, x: State, y: State) -> State:
    return tuple(tf.where(condition, *pair) for pair in zip(x, y, strict=True))


def _cut(where: Tensor, a: State, b: State, entering: State) -> tuple[State, State]:
    """The maps, but with `entering` in place of the state before the step where the condition holds."""
    return _chosen(where, tuple(map(tf.zeros_like, a)), a), _chosen(where, affine_step(a, b, entering), b)
