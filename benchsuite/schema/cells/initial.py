"""Initial values of a cell's parameters: functions of (random, shape)."""

from __future__ import annotations

import numpy as np

from benchsuite.schema.cells.cell import Initial


def glorot(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Uniform in +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010, eq. 16); axes before the last two
    are a convolution's window."""
    window = int(np.prod(shape[:-2]))
    bound = np.sqrt(6.0 / (window * (shape[-2] + shape[-1])))
    return random.uniform(-bound, bound, shape)


def orthogonal(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """A random orthogonal matrix (Saxe et al. 2014)."""
    q, r = np.linalg.qr(random.normal(size=shape))
    return q * np.sign(np.diag(r))


def constant(value: float) -> Initial:
    """`value` everywhere."""
    return lambda _random, shape: np.full(shape, float(value))


def normal(deviation: float) -> Initial:
    """Normal numbers with mean 0 and this standard deviation."""
    return lambda random, shape: random.normal(0.0, deviation, shape)


def uniform(low: float, high: float) -> Initial:
    """Uniform numbers in [low, high)."""
    return lambda random, shape: random.uniform(low, high, shape)


def gates(*forms: Initial) -> Initial:
    """Equal blocks of the last axis, one for each gate, drawn one after the other."""

    def drawn(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        block = (*shape[:-1], shape[-1] // len(forms))
        return np.concatenate([form(random, block) for form in forms], axis=-1)

    return drawn
