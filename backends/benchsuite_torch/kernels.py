"""Which kernel ran: read from torch's own profile of a call."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch.profiler import ProfilerActivity, profile

from benchsuite.contracts import Batch
from benchsuite.schema import Convolutional, ModelSpec, Tokens
from benchsuite_torch.additive import AdditiveLoop
from benchsuite_torch.placement import CLASSES
from benchsuite_torch.recurrence import RecurrentLoop

OPERATORS: dict[str, str] = {
    "aten::_cudnn_rnn": "cudnn",
    "aten::cudnn_convolution": "cudnn",
    "aten::miopen_rnn": "miopen",
    "aten::miopen_convolution": "miopen",
    "aten::mkldnn_rnn_layer": "onednn",
    "aten::mkldnn_convolution": "onednn",
}
"""Operators that only a library's own kernel runs."""
GENERAL = ("aten::lstm", "aten::gru", "aten::rnn_tanh", "aten::convolution")
"""torch's own entry points: `aten` where they ran and no library's kernel did."""
LOOPS = (RecurrentLoop.__name__, AdditiveLoop.__name__)
"""What only our loops over steps call, once a layer."""


def kernel_of(call: Callable[[], object]) -> str:
    """Run `call` once under the profiler and name what ran: `cudnn`, `onednn`, `aten`, `python_loop`. Several
    are joined by `+`, such as `aten+python_loop` for a fused encoder and a decoder with additive attention."""
    with profile(activities=[ProfilerActivity.CPU]) as record:
        call()
    ran = {event.key for event in record.key_averages()}
    libraries = sorted({name for operator, name in OPERATORS.items() if operator in ran})
    if not libraries and ran.intersection(GENERAL):
        libraries = ["aten"]
    return "+".join([*libraries, *(["python_loop"] if ran.intersection(LOOPS) else [])])


def sample_batch(model: ModelSpec) -> Batch:
    """Two rows of zeros that `model` accepts: enough to see which kernel runs."""
    body, rows = model.body, 2
    time = body.height * body.width // model.input_size if isinstance(body, Convolutional) else 3
    tokens, classes = isinstance(model.input, Tokens), model.loss in CLASSES
    inputs = np.zeros((rows, time), np.int32) if tokens else np.zeros((rows, time, model.input_size))
    lengths = np.full(rows, time, np.int32)
    if model.has_sequence_targets:
        label = model.head.outputs - 1
        return Batch(inputs, lengths, np.full((rows, 1), label, np.int32), target_lengths=lengths // time)
    leading = (rows, time) if model.readout == "steps" else (rows,)
    targets = np.zeros(leading, np.int32) if classes else np.zeros((*leading, model.head.outputs))
    return Batch(inputs, lengths, targets)
