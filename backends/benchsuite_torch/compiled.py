"""The recurrence through torch.compile: a cell's formula, a block of steps at a time (unroll `compiled`).

torch.compile writes out every step of a loop, forwards and backwards: 28 steps of an lstm take it more than a
minute. A block of at most MOST_STEPS steps is compiled once and called again for the next ones, so that what a
compilation takes does not grow with the length of the sequences. Padding is computed; a layer that reads
backwards reads each row reversed within its length.

T steps, B rows, I inputs, G gates, H units; K steps of a block.
"""

from __future__ import annotations

import atexit
import math
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache

import torch
from torch.nn import functional

from benchsuite.errors import UnsupportedError
from benchsuite_torch.fused import reversed_rows
from benchsuite_torch.layers import Direction, LayerStates
from benchsuite_torch.placement import RowLengths

MOST_STEPS = 8
"""Steps of a block."""
BUDGET_SECONDS = 120.0
"""Wall time of a program's compilations after which it gives up."""
CACHE_VARIABLE = "TORCHINDUCTOR_CACHE_DIR"
"""Where torch keeps what it compiled. Unset, a worker begins with an empty folder, so that what a compilation
takes does not depend on earlier runs."""

Block = Callable[[torch.Tensor, LayerStates, torch.Tensor, torch.Tensor], LayerStates]
"""From the inputs' part of K steps (K, B, G*H), the state (B, H), w_hh (G*H, H), b_hh (G*H): every part of the
state after each step, (K, B, H)."""


def _rnn(entering: torch.Tensor, state: LayerStates, w_hh: torch.Tensor, _: torch.Tensor) -> LayerStates:
    (h,), outputs, weight = state, [], w_hh.t()
    for x in entering.unbind(0):
        h = torch.tanh(torch.addmm(x, h, weight))
        outputs.append(h)
    return (torch.stack(outputs),)


def _lstm(entering: torch.Tensor, state: LayerStates, w_hh: torch.Tensor, _: torch.Tensor) -> LayerStates:
    (h, c), outputs, cells, weight = state, [], [], w_hh.t()
    for x in entering.unbind(0):
        i, f, g, o = torch.addmm(x, h, weight).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(c)
        outputs.append(h)
        cells.append(c)
    return torch.stack(outputs), torch.stack(cells)


def _gru(entering: torch.Tensor, state: LayerStates, w_hh: torch.Tensor, b_hh: torch.Tensor) -> LayerStates:
    (h,), outputs, weight = state, [], w_hh.t()
    for x in entering.unbind(0):
        xr, xz, xn = x.chunk(3, 1)
        hr, hz, hn = torch.addmm(b_hh, h, weight).chunk(3, 1)
        n = torch.tanh(xn + torch.sigmoid(xr + hr) * hn)
        h = n + torch.sigmoid(xz + hz) * (h - n)
        outputs.append(h)
    return (torch.stack(outputs),)


BLOCKS: dict[str, Block] = {"rnn": _rnn, "lstm": _lstm, "gru": _gru}


def compiler_problem() -> str | None:
    """Why nothing can be compiled here, or None."""
    name = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")
    if shutil.which(name) is None:
        return f"unroll compiled needs a C++ compiler; {name} is not here: install it, or name another in CXX"
    return None


class CompiledLoop:
    """Runs layers of one program.

    seconds  wall time of its compilations so far; blocks: how many there were
    """

    def __init__(self) -> None:
        self.seconds, self.blocks = 0.0, 0

    def run_direction(
        self,
        cell: str,
        layer: Direction,
        x: torch.Tensor,
        rows: RowLengths,
        state: LayerStates,
    ) -> LayerStates:
        """Every part of the state after each step (T, B, H), in the order of time, for x (T, B, I). Raises
        UnsupportedError where compiling takes too long or fails."""
        if layer.reverse:
            x = reversed_rows(x, rows)
        entering = functional.linear(x, layer.w_ih, layer.b_ih)
        blocks = math.ceil(rows.steps / MOST_STEPS)
        steps = math.ceil(rows.steps / blocks)
        # the last block is as long as the others: another length would be another compilation
        entering = functional.pad(entering, (0, 0, 0, 0, 0, blocks * steps - rows.steps))
        found = []
        for part in entering.split(steps):
            after = self._run(cell, part, state, layer.w_hh, layer.b_hh)
            state = tuple(one[-1] for one in after)
            found.append(after)
        parts = [torch.cat(part)[: rows.steps] for part in zip(*found, strict=True)]
        return tuple(reversed_rows(part, rows) for part in parts) if layer.reverse else tuple(parts)

    def _run(
        self, cell: str, part: torch.Tensor, state: LayerStates, w_hh: torch.Tensor, b_hh: torch.Tensor
    ) -> LayerStates:
        block = _compiled(cell)
        known = (cell, part.shape, part.dtype, torch.is_grad_enabled(), torch.is_inference_mode_enabled())
        if known in _seen:
            return block(part, state, w_hh, b_hh)
        begin = time.perf_counter()
        try:
            after = block(part, state, w_hh, b_hh)
        except torch._dynamo.exc.BackendCompilerFailed as error:
            reason = str(error).strip().partition("\n")[0]
            raise UnsupportedError(f"unroll compiled: torch.compile failed: {reason}") from error
        _seen.add(known)
        self.seconds, self.blocks = self.seconds + time.perf_counter() - begin, self.blocks + 1
        if self.seconds > BUDGET_SECONDS:
            blocks = f"{self.blocks} block{'s' if self.blocks > 1 else ''} of up to {MOST_STEPS} steps"
            raise UnsupportedError(
                f"unroll compiled: compiling {blocks} took {self.seconds:.0f} s; the most is "
                f"{BUDGET_SECONDS:.0f} s. Use unroll dynamic or fused"
            )
        return after


_seen: set[tuple[object, ...]] = set()
"""What this process has compiled: cell, shape, dtype, and whether a gradient or nothing is recorded."""


@cache
def _compiled(cell: str) -> Block:
    import torch._dynamo.config
    import torch._inductor.config

    if CACHE_VARIABLE not in os.environ:
        folder = os.environ[CACHE_VARIABLE] = tempfile.mkdtemp(prefix="benchsuite-inductor-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    torch._inductor.config.compile_threads = 1  # the worker has no other cores
    torch._dynamo.config.recompile_limit = 64  # by shape; above it torch.compile refuses
    return torch.compile(BLOCKS[cell], fullgraph=True, dynamic=False)  # type: ignore[no-any-return]


def release() -> None:
    """Forget all that was compiled: the next trial's compilations are its own."""
    if _seen:
        torch._dynamo.reset()
        _seen.clear()
        _compiled.cache_clear()
