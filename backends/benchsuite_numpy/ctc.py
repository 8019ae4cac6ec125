"""Connectionist temporal classification (Graves et al. 2006) over a batch, in log space.

A path goes through -, l_1, -, l_2, ..., l_U, -: blanks and labels in turn. The two kinds are kept apart, as
(U + 1, B) and (U, B), so that every step is a few operations on whole arrays; rows are columns here. A step's
variables are held relative to their largest, so that float32 keeps its digits however long the input is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchsuite.contracts import valid_mask
from benchsuite.schema import BLANK
from benchsuite_numpy.kernels.workspace import Workspace
from benchsuite_numpy.loops import Ordered, Plan
from benchsuite_numpy.runtime import Array, DeviceContext

NEVER = -1e30
"""Stands for ln 0: what is added to it drowns, and no difference of two of them is NaN."""


@dataclass(frozen=True)
class Labels:
    """The targets, rows in the order of the inputs.

    by_row    (B, U) class ids, BLANK beyond a row's own length
    skips     (U, B): 0 where a path may come to label u from label u - 1 without a blank, else NEVER
    valid     (B, U): 0 on labels, NEVER beyond
    one_hot   (B, U, C)
    ends      (B,): the number of labels, which is the place of the last blank
    last      (B,): each row's last step
    rows      for every packed step, its row's place
    times     for every packed step, which one it is
    """

    by_row: Array
    skips: Array
    valid: Array
    one_hot: Array
    ends: Array
    last: Array
    rows: Array
    times: Array


def place_labels(
    targets: np.ndarray, lengths: np.ndarray, plan: Plan, classes: int, device: DeviceContext, dtype: str
) -> Labels:
    """Of targets (B, U) and their lengths (B,), in the plan's order."""
    targets = targets[:, : int(lengths.max())].astype(np.int64)
    valid = valid_mask(lengths, targets.shape[1])
    targets = np.where(valid, targets, BLANK)
    skips = np.full(targets.shape, NEVER)
    skips[:, 1:][targets[:, 1:] != targets[:, :-1]] = 0
    one_hot = (targets[:, :, None] == np.arange(classes)) & valid[:, :, None]
    packed = Ordered(plan, plan.time, np.arange(plan.rows))
    xp = device.xp
    return Labels(
        by_row=xp.asarray(targets),
        skips=xp.asarray(np.ascontiguousarray(skips.T), dtype),
        valid=xp.asarray(np.where(valid, 0, NEVER), dtype),
        one_hot=xp.asarray(one_hot, dtype),
        ends=xp.asarray(lengths.astype(np.int64)),
        last=xp.asarray((np.asarray(plan.live)[:, None] > np.arange(plan.rows)).sum(axis=0) - 1),
        rows=xp.asarray(packed.packed_places),
        times=xp.asarray(packed.packed_times),
    )


class Ctc:
    """The mean over rows of -ln p(labels | scores)."""

    def __init__(self, device: DeviceContext, dtype: str) -> None:
        self._xp, self._dtype = device.xp, dtype
        self._workspace = Workspace(device.xp, dtype)

    def __call__(self, plan: Plan, labels: Labels, scores: Array) -> tuple[Array, Array]:
        """Of scores (N, C) packed by step; their gradients take their place.

        A row whose labels no path of its length gives has p = 0: an infinite loss, and gradients that are NaN.
        """
        xp, rows, times = self._xp, labels.rows, labels.times
        blank, emitted = self._emissions(plan, labels, scores)
        blanks, labelled, log_p = self._forward(plan, labels, blank, emitted)
        at_blank = self._occupied(plan, labels, blank, emitted, blanks, labelled)
        by_row = xp.ascontiguousarray(labelled.transpose(2, 0, 1))
        at_label = xp.matmul(by_row, labels.one_hot)
        possible = log_p > NEVER / 2
        share = xp.where(possible, 1 / plan.rows, xp.nan).astype(self._dtype)
        xp.subtract(scores, at_label[rows, times], out=scores)
        scores[:, BLANK] -= at_blank[times, rows]
        xp.multiply(scores, share[rows][:, None], out=scores)
        return -xp.where(possible, log_p, -xp.inf).sum() / plan.rows, scores

    def _emissions(self, plan: Plan, labels: Labels, scores: Array) -> tuple[Array, Array]:
        """ln p of the blank (T, B) and of each label (T, U, B) at each step, 0 on padding; `scores` becomes
        the softmax."""
        xp, rows, times = self._xp, labels.rows, labels.times
        blank = self._workspace.view("blank", (plan.time, plan.rows))
        emitted = self._workspace.view("emitted", (plan.time, labels.by_row.shape[1], plan.rows))
        if not plan.full:
            blank[...] = 0
            emitted[...] = 0
        xp.subtract(scores, scores.max(axis=1, keepdims=True), out=scores)
        chosen = xp.take_along_axis(scores, labels.by_row[rows], axis=1)
        first = scores[:, BLANK].copy()
        xp.exp(scores, out=scores)
        total = scores.sum(axis=1, keepdims=True)
        xp.divide(scores, total, out=scores)
        xp.log(total, out=total)
        blank[times, rows] = first - total[:, 0]
        emitted[times, :, rows] = chosen - total + labels.valid[rows]
        return blank, emitted

    def _forward(
        self, plan: Plan, labels: Labels, blank: Array, emitted: Array
    ) -> tuple[Array, Array, Array]:
        """ln alpha (eq. 5 to 8), less its largest at each step and row: on blanks (T, U + 1, B) and on labels
        (T, U, B). And ln p(labels | scores) (B,), in double precision."""
        xp, size = self._xp, emitted.shape[1]
        blanks = self._workspace.view("blanks", (plan.time, size + 1, plan.rows))
        labelled = self._workspace.view("labelled", emitted.shape)
        skipped = self._workspace.view("skipped", emitted.shape[1:])
        scale = xp.zeros(plan.rows, "float64")
        for t, live in enumerate(plan.live):
            b, a = blanks[t], labelled[t]
            if t == 0:
                b[...] = a[...] = NEVER
                b[0], a[0] = blank[0], emitted[0, 0]
            else:
                before_b, before_a = blanks[t - 1], labelled[t - 1]
                b[0] = before_b[0]
                self._either(before_b[1:], before_a, out=b[1:])
                skipped[0] = NEVER
                xp.add(before_a[:-1], labels.skips[1:], out=skipped[1:])
                self._any_of(before_a, before_b[:-1], skipped, out=a)
                xp.add(b, blank[t], out=b)
                xp.add(a, emitted[t], out=a)
            scale[:live] += self._relative(b, a)[:live]
        columns, last, ends = xp.arange(plan.rows), labels.last, labels.ends
        found = xp.logaddexp(blanks[last, ends, columns], labelled[last, ends - 1, columns])
        return blanks, labelled, found + scale

    def _occupied(
        self, plan: Plan, labels: Labels, blank: Array, emitted: Array, blanks: Array, labelled: Array
    ) -> Array:
        """The share of the paths (eq. 14) that are on a blank at each step, (T, B); in `labelled`, instead of
        alpha, the share of those that are on each label.

        beta is the recursion of eq. 9 to 11, without the probability of the step itself.
        """
        xp, size = self._xp, emitted.shape[1]
        b, a, skipped = self._workspace.views("beta", [(size + 1, plan.rows), *2 * [(size, plan.rows)]])
        next_b, next_a = self._workspace.views("onward", [b.shape, a.shape])
        at_blank = self._workspace.view("at_blank", (plan.time, plan.rows))
        b[...] = a[...] = NEVER
        columns = xp.arange(plan.rows)
        for t in range(plan.time - 1, -1, -1):
            if t + 1 < plan.time:
                xp.add(b, blank[t + 1], out=next_b)
                xp.add(a, emitted[t + 1], out=next_a)
                b[-1] = next_b[-1]
                self._either(next_b[:-1], next_a, out=b[:-1])
                xp.add(next_a[1:], labels.skips[1:], out=skipped[:-1])
                skipped[-1] = NEVER
                self._any_of(next_a, next_b[1:], skipped, out=a)
                self._relative(b, a)
            rows = plan.endings[t]
            if rows.start < rows.stop:
                ends = labels.ends[rows]
                b[:, rows] = a[:, rows] = NEVER
                b[ends, columns[rows]] = a[ends - 1, columns[rows]] = 0
            on_blank, on_label = blanks[t], labelled[t]
            xp.add(on_blank, b, out=on_blank)
            xp.add(on_label, a, out=on_label)
            self._relative(on_blank, on_label)
            xp.exp(on_blank, out=on_blank)
            xp.exp(on_label, out=on_label)
            at_blank[t] = on_blank.sum(axis=0)
            total = at_blank[t] + on_label.sum(axis=0)
            xp.divide(at_blank[t], total, out=at_blank[t])
            xp.divide(on_label, total, out=on_label)
        return at_blank

    def _relative(self, b: Array, a: Array) -> Array:
        """Take the largest of each column of both away from it; (B,), what was taken."""
        xp = self._xp
        largest = xp.maximum(b.max(axis=0), a.max(axis=0))
        xp.subtract(b, largest, out=b)
        xp.subtract(a, largest, out=a)
        return largest

    def _either(self, x: Array, y: Array, out: Array) -> None:
        """ln(exp x + exp y)."""
        xp, (low,) = self._xp, self._workspace.views("terms", [x.shape])
        xp.minimum(x, y, out=low)
        xp.maximum(x, y, out=out)
        xp.subtract(low, out, out=low)
        xp.exp(low, out=low)
        xp.add(low, 1, out=low)
        xp.log(low, out=low)
        xp.add(out, low, out=out)

    def _any_of(self, x: Array, y: Array, z: Array, out: Array) -> None:
        """ln(exp x + exp y + exp z)."""
        xp, (largest, term) = self._xp, self._workspace.views("terms", 2 * [x.shape])
        xp.maximum(x, y, out=largest)
        xp.maximum(largest, z, out=largest)
        for index, part in enumerate((x, y, z)):
            into = term if index else out
            xp.subtract(part, largest, out=into)
            xp.exp(into, out=into)
            if index:
                xp.add(out, term, out=out)
        xp.log(out, out=out)
        xp.add(out, largest, out=out)
