"""The convolutional baseline: [convolution, tanh, 2 x 2 mean] per channel count, then a dense tanh layer."""

from __future__ import annotations

import torch
from torch.nn import functional

from benchsuite.schema import Convolutional
from benchsuite_torch.layers import AS_IS, CONVOLUTION, CanonicalTensor, NamedTensors, allocate


class ConvolutionalBody:
    """The model of benchsuite.schema.Convolutional, after LeNet-5 (LeCun et al. 1998)."""

    def __init__(self, body: Convolutional, device: torch.device, dtype: torch.dtype) -> None:
        self.body = body
        self.stages: list[tuple[torch.Tensor, torch.Tensor]] = []
        incoming = 1
        for channels in body.channels:
            kernel = allocate((channels, incoming, body.kernel, body.kernel), device, dtype)
            self.stages.append((kernel, allocate((channels,), device, dtype)))
            incoming = channels
        self.dense = allocate((body.flattened, body.hidden), device, dtype)
        self.bias = allocate((body.hidden,), device, dtype)

    def named_tensors(self) -> NamedTensors:
        named: NamedTensors = {}
        for index, (kernel, bias) in enumerate(self.stages):
            named[f"cnn.c{index}.W"] = CanonicalTensor(kernel, CONVOLUTION)
            named[f"cnn.c{index}.b"] = CanonicalTensor(bias, AS_IS[1])
        named["cnn.dense.W"] = CanonicalTensor(self.dense, AS_IS[2])
        named["cnn.dense.b"] = CanonicalTensor(self.bias, AS_IS[1])
        return named

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Features (B, hidden) of inputs (B, T, D) with T * D = height * width."""
        x = x.reshape(len(x), 1, self.body.height, self.body.width)
        for kernel, bias in self.stages:
            x = functional.avg_pool2d(functional.conv2d(x, kernel, bias, padding="same").tanh(), 2)
        flat = x.permute(0, 2, 3, 1).flatten(1)
        return torch.addmm(self.bias, flat, self.dense).tanh()
