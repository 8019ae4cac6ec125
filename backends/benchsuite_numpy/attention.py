"""The two attentions of a decoder, with one row of the memory for each of the decoder's.

B rows, T encoder steps of width F, U decoder steps, H hidden units; a row's products are its own, so they are
batched ones, and what can wait for the end of the loop is one product over all steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchsuite_numpy.cells.base import OutputGrads
from benchsuite_numpy.kernels.buffer import ParameterBuffer
from benchsuite_numpy.kernels.softmax import softmax, softmax_back
from benchsuite_numpy.kernels.workspace import Workspace
from benchsuite_numpy.loops import Plan
from benchsuite_numpy.placement import DecoderTargets, PlacedBatch
from benchsuite_numpy.runtime import Array, DeviceContext, Namespace

BLOCK = 1 << 18
"""Bytes of (rows, T, H) in a block of Additive's step: its passes then stay in an L2 cache of half a MiB."""
KEPT = 1 << 27
"""Bytes of tanh that Additive keeps: to read them is faster than to compute them again."""


@dataclass(frozen=True)
class Memory:
    """Rows in the decoder's order.

    y     (B, T, F), zero beyond a row's length
    mask  (B, T): 0 on valid steps, -inf beyond; None where every row is as long as the longest
    """

    y: Array
    mask: Array


def memory_of(
    xp: Namespace, workspace: Workspace, batch: PlacedBatch, outputs: Sequence[Sequence[Array]], places: Array
) -> Memory:
    """Gather `outputs`, by direction and t (H, width), in memory of `workspace`.

    places  (B,): where each of the batch's sorted rows goes
    """
    plan, hidden = batch.plan, outputs[0][0].shape[0]
    y = workspace.view("memory", (plan.rows, plan.time, len(outputs) * hidden))
    mask: Array = None
    if not plan.full:
        y[...] = 0
        lengths = xp.empty_like(batch.lengths)
        lengths[places] = batch.lengths
        beyond = xp.arange(plan.time) >= lengths[:, None]
        mask = xp.where(beyond, -xp.inf, 0).astype(y.dtype)
    for index, direction in enumerate(outputs):
        features = y[:, :, index * hidden : (index + 1) * hidden]
        for t, live in enumerate(plan.live):
            features[places[:live], t] = direction[t][:, :live].T
    return Memory(y, mask)


def output_grads(batch: PlacedBatch, d_y: Array, places: Array, directions: int) -> list[OutputGrads]:
    """dL/d(outputs) by direction from dL/dy (B, T, F)."""
    plan, hidden = batch.plan, d_y.shape[2] // directions
    return [
        [
            [(slice(0, live), d_y[places[:live], t, direction * hidden : (direction + 1) * hidden].T)]
            for t, live in enumerate(plan.live)
        ]
        for direction in range(directions)
    ]


class Additive:
    """e_tj = v . tanh(s_{t-1} Wq + y_j Wk + b) (Bahdanau et al. 2015, appendix A.1.2), one step at a time.

    tanh of every step, (U, B, T, H), can be the largest array of all. Up to KEPT bytes of it are kept for the
    backward pass; more is computed again there.
    """

    def __init__(self, device: DeviceContext, buffer: ParameterBuffer) -> None:
        self._xp, self._on_gpu = device.xp, device.on_gpu
        names = ("Wq", "Wk", "b", "v")
        self._Wq, self._Wk, self._b, self._v = (buffer.value[f"attn.{name}"] for name in names)
        self._dWq, self._dWk, self._db, self._dv = (buffer.gradient[f"attn.{name}"] for name in names)
        self._workspace = Workspace(device.xp, str(buffer.values.dtype))

    def keys(self, memory: Memory, workspace: Workspace) -> Array:
        """y Wk + b, (B, T, H)."""
        rows, time, features = memory.y.shape
        found = workspace.view("keys", (rows * time, self._Wk.shape[1]))
        self._xp.matmul(memory.y.reshape(-1, features), self._Wk, out=found)
        self._xp.add(found, self._b, out=found)
        return found.reshape(rows, time, -1)

    def attend(self, memory: Memory, keys: Array, h: Array, width: int) -> tuple[Array, Array]:
        """The contexts (N, F) and weights (N, T) of states h (H, N), `width` of them for every row."""
        xp, (rows, time, features) = self._xp, memory.y.shape
        q = xp.matmul(h.T, self._Wq).reshape(rows, width, 1, -1)
        hidden = xp.add(keys[:, None], q)
        xp.tanh(hidden, out=hidden)
        mask = None if memory.mask is None else memory.mask[:, None]
        a = softmax(xp, xp.matmul(hidden, self._v), mask)
        return xp.matmul(a, memory.y).reshape(-1, features), a.reshape(-1, time)

    def start(self, plan: Plan, memory: Memory, keep: bool) -> None:
        """Before a loop over `plan`; `keep` for a backward pass after it."""
        rows, time, features = memory.y.shape
        workspace, hidden = self._workspace, self._Wq.shape[1]
        self._plan, self._memory = plan, memory
        self._keys = self.keys(memory, workspace)
        self._at = plan.width_ends if keep else plan.time * [0]
        self._weights = workspace.view("weights", (plan.time if keep else 1, rows, time))
        self._queries = workspace.view("queries", (plan.width_ends[-1] if keep else rows, hidden))
        self._context = workspace.view("context", (rows, 1, features))
        self._keep, self._size = keep, rows
        if not self._on_gpu:
            self._size = max(1, min(rows, BLOCK // (memory.y.itemsize * time * hidden)))
        shapes = [(w, time, hidden) for w in plan.widths]
        kept = keep and plan.width_ends[-1] * time * hidden * memory.y.itemsize <= KEPT
        self._hidden = workspace.views("hidden", shapes) if kept else None
        self._work = workspace.view("work", (self._size, time, hidden))

    def _blocks(self, width: int) -> list[slice]:
        return [slice(start, min(start + self._size, width)) for start in range(0, width, self._size)]

    def _tanh(self, t: int, rows: slice, *, again: bool) -> Array:
        """tanh(q + keys) of some rows at step t, (rows, T, H); `again`: in the backward pass."""
        part = self._work[: rows.stop - rows.start] if self._hidden is None else self._hidden[t][rows]
        if not again or self._hidden is None:
            q = self._queries[self._at[t] + rows.start : self._at[t] + rows.stop]
            self._xp.add(self._keys[rows], q[:, None], out=part)
            self._xp.tanh(part, out=part)
        return part

    def forward(self, t: int, h: Array) -> Array:
        """The contexts (w, F) of the states h (H, w) before step t."""
        xp, width = self._xp, h.shape[1]
        xp.matmul(h.T, self._Wq, out=self._queries[self._at[t] : self._at[t] + width])
        a = self._weights[t if self._keep else 0, :width]
        for rows in self._blocks(width):
            xp.matmul(self._tanh(t, rows, again=False), self._v, out=a[rows])
        softmax(xp, a, None if self._memory.mask is None else self._memory.mask[:width])
        context = self._context[:width]
        xp.matmul(a[:, None], self._memory.y[:width], out=context)
        return context[:, 0]

    def start_back(self) -> None:
        """Before a loop backwards over the same plan."""
        plan, (rows, time, features) = self._plan, self._memory.y.shape
        workspace, hidden = self._workspace, self._Wq.shape[1]
        self._d_contexts = workspace.view("d_contexts", (plan.time, rows, features))
        self._d_hidden = workspace.view("d_hidden", (rows, time, hidden))
        self._d_energies = workspace.view("d_energies", (rows, time))
        self._before = workspace.view("before", (plan.width_ends[-1], hidden))
        self._d_queries = workspace.view("d_queries", (plan.width_ends[-1], hidden))
        for part in (self._d_hidden, self._d_energies, self._dv):
            part[...] = 0
        if plan.widths[-1] < plan.rows:
            for t, width in enumerate(plan.widths):
                self._d_contexts[t, width:] = self._weights[t, width:] = 0

    def backward(self, t: int, h: Array, d_context: Array) -> Array:
        """dL/dh (H, w) of the states before step t, from dL/d(context) (F, w); steps come last first."""
        xp, width, y = self._xp, h.shape[1], self._memory.y
        a, at = self._weights[t, :width], slice(self._at[t], self._at[t] + width)
        kept, d_q = self._d_contexts[t, :width], self._d_queries[at]
        kept[...] = d_context.T
        d_e = softmax_back(xp, a, xp.matmul(y[:width], kept[:, :, None])[:, :, 0])
        xp.add(self._d_energies[:width], d_e, out=self._d_energies[:width])
        for rows in self._blocks(width):
            # with tanh' = 1 - tanh^2 and d_e's sum of zero over j, the ones add nothing to dL/dq
            part, grad, total = self._tanh(t, rows, again=True), d_e[rows], self._d_hidden[rows]
            xp.add(self._dv, xp.matmul(grad.reshape(-1), part.reshape(-1, part.shape[2])), out=self._dv)
            xp.multiply(part, part, out=part)
            xp.matmul(grad[:, None], part, out=d_q[rows, None])
            xp.multiply(part, grad[:, :, None], out=part)
            xp.subtract(total, part, out=total)
        xp.multiply(d_q, self._v, out=d_q)
        xp.negative(d_q, out=d_q)
        self._before[at] = h.T
        return xp.matmul(self._Wq, d_q.T)

    def finish(self) -> Array:
        """dL/dy (B, T, F); the weights' gradients go to the buffer."""
        xp, (rows, time, features) = self._xp, self._memory.y.shape
        d_keys, y = self._d_hidden, self._memory.y.reshape(-1, features)
        xp.add(d_keys, self._d_energies[:, :, None], out=d_keys)
        xp.multiply(d_keys, self._v, out=d_keys)
        by_step = d_keys.reshape(rows * time, -1)
        xp.matmul(self._before.T, self._d_queries, out=self._dWq)
        xp.matmul(y.T, by_step, out=self._dWk)
        xp.matmul(self._workspace.ones(len(by_step)), by_step, out=self._db)
        d_y, by_context = self._workspace.views("d_y", [(rows, time, features), (rows, time, features)])
        xp.matmul(self._weights.transpose(1, 2, 0), self._d_contexts.transpose(1, 0, 2), out=by_context)
        xp.matmul(by_step, self._Wk.T, out=d_y.reshape(-1, features))
        return xp.add(d_y, by_context, out=d_y)


class Multiplicative:
    """e_tj = (s_t W) . y_j (Luong et al. 2015, "general"), over all steps at once.

    States and contexts are packed by step, (N, .); the products with the memory want them by row, (B, U, .).
    """

    def __init__(self, device: DeviceContext, buffer: ParameterBuffer) -> None:
        self._xp = device.xp
        self._W, self._dW = buffer.value["attn.W"], buffer.gradient["attn.W"]
        self._workspace = Workspace(device.xp, str(buffer.values.dtype))

    def attend(self, memory: Memory, h: Array, width: int) -> tuple[Array, Array]:
        """The contexts (N, F) and weights (N, T) of states h (H, N), `width` of them for every row."""
        xp, (rows, time, features) = self._xp, memory.y.shape
        q = xp.matmul(h.T, self._W).reshape(rows, width, features)
        a, context = self._attend(memory, q, xp.empty_like(q))
        return context.reshape(-1, features), a.reshape(-1, time)

    def _attend(self, memory: Memory, q: Array, context: Array) -> tuple[Array, Array]:
        mask = None if memory.mask is None else memory.mask[:, None]
        a = softmax(self._xp, self._xp.matmul(q, memory.y.transpose(0, 2, 1)), mask)
        return a, self._xp.matmul(a, memory.y, out=context)

    def forward(self, targets: DecoderTargets, memory: Memory, s: Array, contexts: Array) -> None:
        """Fill contexts (N, F) from states s (N, H)."""
        projected = self._workspace.view("projected", (len(s), self._W.shape[1]))
        self._xp.matmul(s, self._W, out=projected)
        self._memory, self._q = memory, self._by_row("q", targets, projected)
        context = self._workspace.view("context", self._q.shape)
        self._a, _ = self._attend(memory, self._q, context)
        contexts[...] = context[targets.places, targets.times]

    def backward(self, targets: DecoderTargets, s: Array, d_s: Array, d_contexts: Array) -> Array:
        """dL/dy (B, T, F); dL/ds by way of the attention is added to d_s (N, H)."""
        xp, y = self._xp, self._memory.y
        d_context = self._by_row("context", targets, d_contexts)
        d_e = softmax_back(xp, self._a, xp.matmul(d_context, y.transpose(0, 2, 1)))
        d_y, by_query = self._workspace.views("d_y", [y.shape, y.shape])
        xp.matmul(self._a.transpose(0, 2, 1), d_context, out=d_y)
        xp.matmul(d_e.transpose(0, 2, 1), self._q, out=by_query)
        xp.add(d_y, by_query, out=d_y)
        d_q = xp.matmul(d_e, y, out=self._q)[targets.places, targets.times]
        xp.matmul(s.T, d_q, out=self._dW)
        xp.add(d_s, xp.matmul(d_q, self._W.T), out=d_s)
        return d_y

    def _by_row(self, name: str, targets: DecoderTargets, packed: Array) -> Array:
        """(B, U, F) from packed (N, F), zero beyond each row's length."""
        plan = targets.plan
        found = self._workspace.view(name, (plan.rows, plan.time, packed.shape[1]))
        if not plan.full:
            found[...] = 0
        found[targets.places, targets.times] = packed
        return found
