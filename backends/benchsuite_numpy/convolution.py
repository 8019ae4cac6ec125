"""The image baseline by matrix products over gathered windows (im2col)."""

from __future__ import annotations

from benchsuite.schema import Convolutional
from benchsuite_numpy.kernels.buffer import ParameterBuffer
from benchsuite_numpy.kernels.workspace import Workspace
from benchsuite_numpy.runtime import Array, DeviceContext


class Stage:
    """Convolution, tanh and 2 x 2 mean; pictures are (B, height, width, channels)."""

    def __init__(
        self,
        device: DeviceContext,
        buffer: ParameterBuffer,
        index: int,
        height: int,
        width: int,
        kernel: int,
        below: bool,
    ) -> None:
        """`below`: whether dL/d(input) is wanted."""
        self._xp, self._below, self._k = device.xp, below, kernel
        self._height, self._width = height, width
        self._workspace = Workspace(device.xp, str(buffer.values.dtype))
        names = f"cnn.c{index}.W", f"cnn.c{index}.b"
        shape = buffer.value[names[0]].shape
        self._in, self._out = shape[2], shape[3]
        self._W = buffer.value[names[0]].reshape(-1, self._out)
        self._dW = buffer.gradient[names[0]].reshape(-1, self._out)
        self._b, self._db = buffer.value[names[1]], buffer.gradient[names[1]]

    def _padded(self, rows: int) -> tuple[Array, Array]:
        """The input with its zero frame, and the part inside the frame."""
        before, grown = (self._k - 1) // 2, self._k - 1
        frame = self._workspace.view("frame", (rows, self._height + grown, self._width + grown, self._in))
        return frame, frame[:, before : before + self._height, before : before + self._width]

    def _windows(self, rows: int) -> Array:
        return self._workspace.view("windows", (rows, self._height, self._width, self._k, self._k, self._in))

    def forward(self, x: Array) -> Array:
        """(B, height // 2, width // 2, out channels)."""
        rows, xp, k = len(x), self._xp, self._k
        frame, inside = self._padded(rows)
        frame[...] = 0
        inside[...] = x
        windows = self._windows(rows)
        seen = xp.lib.stride_tricks.sliding_window_view(frame, (k, k), axis=(1, 2))
        windows[...] = seen.transpose(0, 1, 2, 4, 5, 3)
        y = self._workspace.view("activation", (rows * self._height * self._width, self._out))
        xp.matmul(windows.reshape(len(y), -1), self._W, out=y)
        xp.add(y, self._b, out=y)
        xp.tanh(y, out=y)
        self._y = y
        a, b, c, d = self._quarters(y, rows)
        pooled = self._workspace.view("pooled", a.shape)
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
        """dL/d(input) where wanted; the stage's gradients go to the buffer."""
        rows, xp, k, y = len(d_pooled), self._xp, self._k, self._y
        spread = self._workspace.view("spread", y.shape)
        spread[...] = 0
        for part in self._quarters(spread, rows):
            xp.multiply(d_pooled, 0.25, out=part)
        xp.multiply(y, y, out=y)
        xp.multiply(y, spread, out=y)
        da = xp.subtract(spread, y, out=spread)
        windows = self._windows(rows)
        columns = windows.reshape(len(y), -1)
        xp.matmul(columns.T, da, out=self._dW)
        xp.matmul(self._workspace.ones(len(da)), da, out=self._db)
        if not self._below:
            return None
        xp.matmul(da, self._W.T, out=columns)
        frame, inside = self._padded(rows)
        frame[...] = 0
        for u in range(k):
            for v in range(k):
                part = frame[:, u : u + self._height, v : v + self._width]
                xp.add(part, windows[:, :, :, u, v], out=part)
        return inside


class Convolution:
    """The stages and the dense layer above them."""

    def __init__(self, device: DeviceContext, body: Convolutional, buffer: ParameterBuffer) -> None:
        self._xp, self._buffer = device.xp, buffer
        self._workspace = Workspace(device.xp, str(buffer.values.dtype))
        self._shape = (-1, body.height, body.width, 1)
        self._stages: list[Stage] = []
        height, width = body.height, body.width
        for index in range(len(body.channels)):
            self._stages.append(Stage(device, buffer, index, height, width, body.kernel, index > 0))
            height, width = height // 2, width // 2
        self._last = (-1, height, width, body.channels[-1])

    def forward(self, pictures: Array) -> Array:
        """Features (B, hidden + 1) of pictures (B, T, D), the last column ones."""
        xp, x = self._xp, pictures.reshape(self._shape)
        for stage in self._stages:
            x = stage.forward(x)
        self._x = x.reshape(len(x), -1)
        self._h = xp.matmul(self._x, self._buffer.value["cnn.dense.W"])
        xp.add(self._h, self._buffer.value["cnn.dense.b"], out=self._h)
        xp.tanh(self._h, out=self._h)
        features = self._workspace.view("features", (len(x), self._h.shape[1] + 1))
        features[:, :-1], features[:, -1] = self._h, 1
        return features

    def backward(self, d_features: Array) -> None:
        """All gradients of the body, from dL/d(features)."""
        xp, gradient = self._xp, self._buffer.gradient
        da = d_features * (1 - self._h * self._h)
        xp.matmul(self._x.T, da, out=gradient["cnn.dense.W"])
        da.sum(axis=0, out=gradient["cnn.dense.b"])
        grad = xp.matmul(da, self._buffer.value["cnn.dense.W"].T).reshape(self._last)
        for stage in reversed(self._stages):
            grad = stage.backward(grad)
