"""Between the canonical parameters and the kernels' own matrices."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from benchsuite.contracts.backend import Parameters
from benchsuite.schema import ModelSpec, Recurrent, decoder_names, parameter_shapes, recurrent_names
from benchsuite_numpy.cells import KERNELS
from benchsuite_numpy.support import has_kernel


def layers(model: ModelSpec) -> dict[str, Recurrent]:
    """The prefix of every recurrent layer and direction, the decoder's too -> the stack it belongs to."""
    found: dict[str, Recurrent] = {}
    if isinstance(model.body, Recurrent):
        found |= dict.fromkeys(recurrent_names(model.body), model.body)
    if model.decoder is not None:
        found |= dict.fromkeys(decoder_names(model.decoder), model.decoder.body)
    return found


def kernel_shapes(model: ModelSpec, masked: bool = False) -> dict[str, tuple[int, ...]]:
    """Names and shapes of what the kernels hold."""
    shapes = parameter_shapes(model)
    found = {name: shape for name, shape in shapes.items() if not _recurrent(name)}
    for prefix, body in layers(model).items():
        if has_kernel(model, body, masked):
            own = KERNELS[body.cell].shapes(shapes[f"{prefix}.Wx"][0], body.hidden)
        else:
            start = len(prefix) + 1
            own = {name[start:]: shape for name, shape in shapes.items() if name.startswith(f"{prefix}.")}
        found |= {f"{prefix}.{name}": shape for name, shape in own.items()}
    return found


def to_kernels(model: ModelSpec, parameters: Parameters, masked: bool = False) -> dict[str, np.ndarray]:
    """The kernels' arrays from canonical parameters."""
    return _converted(model, parameters, masked, lambda cell: KERNELS[cell].pack)


def from_kernels(model: ModelSpec, arrays: Mapping[str, np.ndarray], masked: bool = False) -> Parameters:
    """Canonical parameters, contiguous copies in the canonical order, from the kernels' arrays."""
    found = _converted(model, arrays, masked, lambda cell: KERNELS[cell].unpack)
    return {name: np.array(found[name], order="C") for name in parameter_shapes(model)}


Convert = Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]


def _recurrent(name: str) -> bool:
    return name.startswith(("rnn.", "dec."))


def _converted(
    model: ModelSpec, arrays: Mapping[str, np.ndarray], masked: bool, convert: Callable[[str], Convert]
) -> dict[str, np.ndarray]:
    found = {name: array for name, array in arrays.items() if not _recurrent(name)}
    for prefix, body in layers(model).items():
        start = len(prefix) + 1
        own = {name[start:]: array for name, array in arrays.items() if name.startswith(f"{prefix}.")}
        converted = convert(body.cell)(own) if has_kernel(model, body, masked) else own
        found |= {f"{prefix}.{name}": array for name, array in converted.items()}
    return found
