"""The recurrence through torch.compile: a cell's formula, a block of steps at a time (unroll `compiled`).

torch.compile writes out every step of a loop, forwards and backwards: 28 steps of an lstm take it more than a
minute. A block of at most MOST_STEPS steps is compiled once and called again for the next ones, so that what a
compilation takes does not grow with the length of the sequences. Padding is computed; a layer that reads
backwards reads each row reversed within its length.

T steps, B rows, I inputs, G gates, H units; K steps of a block.
"""

from __future__ import annotations

import atexit
import contextlib
import math
import os
import shutil
import sys
from collections.abc import Callable
from functools import cache

import torch
from torch.nn import functional

from benchsuite.contracts import Compilation, CompilationTimer
from benchsuite.errors import UnsupportedError
from benchsuite_torch.fused import reversed_rows
from benchsuite_torch.layers import Direction, LayerStates
from benchsuite_torch.placement import RowLengths

MOST_STEPS = 8
"""Steps of a block."""
BUDGET_SECONDS = 120.0
"""Wall time of a program's compilations after which it gives up."""
CACHE_VARIABLE = "TORCHINDUCTOR_CACHE_DIR"
"""Where torch keeps what it compiled. Unset, every trial begins with an empty folder, so that what it compiles
takes as long as if there had been none before."""

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

    made  what was compiled for it so far: a block forwards (`step` where a gradient is recorded, else
          `predict`), and backwards (`step_backward`), each with its first run. The shape is (K, B, G*H)
    """

    def __init__(self) -> None:
        self.made: list[Compilation] = []

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
        records = torch.is_grad_enabled()
        follows = any(one.requires_grad for one in state)  # on another block, to which it passes a gradient
        known = (cell, part.shape, part.dtype, records, torch.is_inference_mode_enabled(), follows)
        if known in _compiled_forwards:
            after = block(part, state, w_hh, b_hh)
        else:
            timer = CompilationTimer()
            try:
                after = block(part, state, w_hh, b_hh)
            except torch._dynamo.exc.BackendCompilerFailed as error:
                reason = str(error).strip().partition("\n")[0]
                raise UnsupportedError(f"unroll compiled: torch.compile failed: {reason}") from error
            _compiled_forwards.add(known)
            self.made.append(timer.read("step" if records else "predict", _words(part)))
            self._check_budget()
        if records and known not in _compiled_backwards:
            self._tell_backward(known, after[0], _words(part))
        return after

    def _tell_backward(self, known: Known, output: torch.Tensor, shape: str) -> None:
        """torch.compile compiles a block backwards when autograd first comes to one of its kind, which is the
        last of a row's blocks."""
        timers: list[CompilationTimer] = []

        def begin(_: object) -> None:
            if known not in _compiled_backwards:
                timers.append(CompilationTimer())

        def end(*_: object) -> None:
            if timers:
                _compiled_backwards.add(known)
                self.made.append(timers.pop().read("step_backward", shape))

        assert output.grad_fn is not None
        output.grad_fn.register_prehook(begin)
        output.grad_fn.register_hook(end)

    def _check_budget(self) -> None:
        seconds = sum(one.seconds for one in self.made)
        if seconds > BUDGET_SECONDS:
            count = f"{len(self.made)} function{'s' if len(self.made) > 1 else ''}"
            raise UnsupportedError(
                f"unroll compiled: compiling {count} of up to {MOST_STEPS} steps took {seconds:.0f} s; "
                f"the most is {BUDGET_SECONDS:.0f} s. Use unroll dynamic or fused"
            )


def _words(part: torch.Tensor) -> str:
    return "x".join(map(str, part.shape))


Known = tuple[object, ...]
"""What a block is compiled for: cell, shape, dtype, whether a gradient or nothing is recorded, and whether the
state at the start has a gradient."""
_compiled_forwards: set[Known] = set()
_compiled_backwards: set[Known] = set()
"""What this process has compiled."""


@cache
def _compiled(cell: str) -> Block:
    import torch._dynamo.config
    import torch._inductor.config

    _use_an_empty_folder()
    torch._inductor.config.compile_threads = 1  # the worker has no other cores
    torch._dynamo.config.recompile_limit = 64  # by shape; above it torch.compile refuses
    return torch.compile(BLOCKS[cell], fullgraph=True, dynamic=False)  # type: ignore[no-any-return]


_users_folder = os.environ.get(CACHE_VARIABLE)
"""As it is before torch imports its compiler, which sets the variable to a folder that all processes share."""
_own_folder = contextlib.ExitStack()
atexit.register(_own_folder.close)


@cache
def _use_an_empty_folder() -> None:
    """Unless the user named one."""
    if _users_folder is None:
        from torch._inductor.utils import fresh_cache

        _own_folder.enter_context(fresh_cache())


def release() -> None:
    """Forget all that was compiled, in memory and on the disk: the next trial's compilations are its own."""
    if _compiled_forwards:
        torch._dynamo.reset()
        _compiled_forwards.clear()
        _compiled_backwards.clear()
        _compiled.cache_clear()
        _own_folder.close()
        _use_an_empty_folder.cache_clear()
