"""From the encoder's readout to the decoder's first states: s_0 = tanh(last W + b), a piece for each layer."""

from __future__ import annotations

from benchsuite.schema import Recurrent
from benchsuite_numpy.arrays import Array, DeviceContext, Workspace
from benchsuite_numpy.cells import KERNELS
from benchsuite_numpy.flat import ParameterBuffer
from benchsuite_numpy.stack import State


class Bridge:
    """Rows of the readout are in the inputs' order, those of the states in the decoder's."""

    def __init__(self, place: DeviceContext, flat: ParameterBuffer, body: Recurrent) -> None:
        self._xp, self._layers = place.xp, body.layers
        self._parts = KERNELS[body.cell].parts
        self._W, self._dW = flat.affine("bridge")
        self._arena = Workspace(place.xp, str(flat.values.dtype))

    def forward(self, last: Array, source: Array) -> list[State]:
        """States by layer, (H, N) for every part; an LSTM's c is 0.

        last    (B, F + 1), the last column ones
        source  (N,): the readout's row for each of the decoder's
        """
        xp = self._xp
        self._last = last
        self._s = self._arena.view("s", (self._W.shape[1], len(last)))
        xp.matmul(self._W.T, last.T, out=self._s)
        xp.tanh(self._s, out=self._s)
        pieces = xp.split(self._s[:, source], self._layers)
        return [[piece, *((self._parts - 1) * [xp.zeros_like(piece)])] for piece in pieces]

    def backward(self, d_states: list[Array], target: Array) -> Array:
        """dL/d(last) (B, F) from dL/ds_0 (H, B) by layer; `target`: the decoder's row for each readout's."""
        xp = self._xp
        da = xp.concatenate(d_states)[:, target]
        xp.multiply(da, 1 - self._s * self._s, out=da)
        xp.matmul(self._last.T, da.T, out=self._dW)
        return xp.matmul(da.T, self._W[:-1].T)
