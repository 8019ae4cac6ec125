"""The image baseline by matrix products over gathered windows (im2col)."""

from __future__ import annotations

from benchsuite.schema import Convolutional
from benchsuite_numpy.arrays import Array, DeviceContext, Workspace
from benchsuite_numpy.flat import ParameterBuffer


class Stage:
    """Convolution, tanh and 2 x 2 mean; pictures are (B, height, width, channels)."""

    def __init__(
        self,
        place: DeviceContext,
        flat: ParameterBuffer,
        index: int,
        height: int,
        width: int,
        kernel: int,
        below: bool,
    ) -> None:
        """`below`: whether dL/d(input) is wanted."""
        self._xp, self._below, self._k = place.xp, below, kernel
        self._height, self._width = height, width
        self._arena = Workspace(place.xp, str(flat.values.dtype))
        names = f"cnn.c{index}.W", f"cnn.c{index}.b"
        shape = flat.value[names[0]].shape
        self._in, self._out = shape[2], shape[3]
        self._W = flat.value[names[0]].reshape(-1, self._out)
        self._dW = flat.gradient[names[0]].reshape(-1, self._out)
        self._b, self._db = flat.value[names[1]], flat.gradient[names[1]]

    def _padded(self, rows: int) -> tuple[Array, Array]:
        """The input with its zero frame, and the part inside the frame."""
        before, grown = (self._k - 1) // 2, self._k - 1
        frame = self._arena.view("frame", (rows, self._height + grown, self._width + grown, self._in))
        return frame, frame[:, before : before + self._height, before : before + self._width]

    def _windows(self, rows: int) -> Array:
        return self._arena.view("windows", (rows, self._height, self._width, self._k, self._k, self._in))

    def forward(self, x: Array) -> Array:
        """(B, height // 2, width // 2, out channels)."""
        rows, xp, k = len(x), self._xp, self._k
        frame, inside = self._padded(rows)
        frame[...] = 0
        inside[...] = x
        windows = self._windows(rows)
        seen = xp.lib.stride_tricks.sliding_window_view(frame, (k, k), axis=(1, 2))
        windows[...] = seen.transpose(0, 1, 2, 4, 5, 3)
        y = self._arena.view("activation", (rows * self._height * self._width, self._out))
        xp.matmul(windows.reshape(len(y), -1), self._W, out=y)
        xp.add(y, self._b, out=y)
        xp.tanh(y, out=y)
        self._y = y
        a, b, c, d = self._quarters(y, rows)
        pooled = self._arena.view("pooled", a.shape)
        xp.add(a, b, out=pooled)
        xp.add(pooled, c, out=pooled)
        xp.add(pooled, d, out=pooled)
        return xp.multiply(pooled, 0.25, out=pooled)

    def _quarters(self, y: Array, rows: int) -> list[Array]:
        """The four members of every 2 x 2 window, each (B, height // 2, width // 2, channels)."""
        y = y.reshape(rows, self._height, self._width, self._out)
        y = y[:, : self._height // 2 * 2, : self._width // 2 * 2]
        return [y[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]

    def backward(self, d_pooled: Array) -> Array:
        """dL/d(input) where wanted; the stage's gradients go to the flat vector."""
        rows, xp, k, y = len(d_pooled), self._xp, self._k, self._y
        spread = self._arena.view("spread", y.shape)
        spread[...] = 0
        for part in self._quarters(spread, rows):
            xp.multiply(d_pooled, 0.25, out=part)
        xp.multiply(y, y, out=y)
        xp.multiply(y, spread, out=y)
        da = xp.subtract(spread, y, out=spread)
        windows = self._windows(rows)
        flat = windows.reshape(len(y), -1)
        xp.matmul(flat.T, da, out=self._dW)
        xp.matmul(self._arena.ones(len(da)), da, out=self._db)
        if not self._below:
            return None
        xp.matmul(da, self._W.T, out=flat)
        frame, inside = self._padded(rows)
        frame[...] = 0
        for u in range(k):
            for v in range(k):
                part = frame[:, u : u + self._height, v : v + self._width]
                xp.add(part, windows[:, :, :, u, v], out=part)
        return inside


class Convolution:
    """The stages and the dense layer above them."""

    def __init__(self, place: DeviceContext, body: Convolutional, flat: ParameterBuffer) -> None:
        self._xp, self._flat = place.xp, flat
        self._arena = Workspace(place.xp, str(flat.values.dtype))
        self._shape = (-1, body.height, body.width, 1)
        self._stages: list[Stage] = []
        height, width = body.height, body.width
        for index in range(len(body.channels)):
            self._stages.append(Stage(place, flat, index, height, width, body.kernel, index > 0))
            height, width = height // 2, width // 2
        self._last = (-1, height, width, body.channels[-1])

    def forward(self, pictures: Array) -> Array:
        """Features (B, hidden + 1) of pictures (B, T, D), the last column ones."""
        xp, x = self._xp, pictures.reshape(self._shape)
        for stage in self._stages:
            x = stage.forward(x)
        self._x = x.reshape(len(x), -1)
        self._h = xp.matmul(self._x, self._flat.value["cnn.dense.W"])
        xp.add(self._h, self._flat.value["cnn.dense.b"], out=self._h)
        xp.tanh(self._h, out=self._h)
        features = self._arena.view("features", (len(x), self._h.shape[1] + 1))
        features[:, :-1], features[:, -1] = self._h, 1
        return features

    def backward(self, d_features: Array) -> None:
        """All gradients of the body, from dL/d(features)."""
        xp, gradient = self._xp, self._flat.gradient
        da = d_features * (1 - self._h * self._h)
        xp.matmul(self._x.T, da, out=gradient["cnn.dense.W"])
        da.sum(axis=0, out=gradient["cnn.dense.b"])
        slope = xp.matmul(da, self._flat.value["cnn.dense.W"].T).reshape(self._last)
        for stage in reversed(self._stages):
            slope = stage.backward(slope)
