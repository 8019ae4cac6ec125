"""Generation: the encoder runs once, then every token is one call of one compiled function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from benchsuite.contracts import Advance, Decoding
from benchsuite_jax.attention import Memory
from benchsuite_jax.cells import States
from benchsuite_jax.model import Encoded, Model
from benchsuite_jax.runtime import Executables

Parameters = dict[str, jax.Array]


class JaxDecoding(Decoding):
    """The encoder's memory and the hypotheses' states, on the device. Each step overwrites the states; a
    function is compiled for each (N, T, k)."""

    def __init__(
        self,
        model: Model,
        executables: Executables,
        parameters: Callable[[], Parameters],
        encoded: Encoded,
        aligned: bool,
    ) -> None:
        self._model, self._executables, self._parameters = model, executables, parameters
        self._memory, self._states = encoded
        self._aligned = aligned and self._memory is not None

    def advance(self, tokens: np.ndarray, parents: np.ndarray, k: int) -> Advance:
        """See the contract. Waits for the device: the search needs to know."""
        assert self._model.spec.decoder is not None
        most = min(k, self._model.spec.decoder.vocabulary)
        arguments = (
            self._parameters(),
            self._memory,
            self._states,
            np.asarray(tokens, np.int32),
            np.asarray(parents, np.int32),
        )
        time = None if self._memory is None else self._memory.outputs.shape
        padded = self._memory is not None and self._memory.valid is not None
        key = ("advance", (len(tokens), time, padded, most, self._aligned))
        run = self._executables.get(key, self._function(most), arguments, donate=(2,))
        self._states, *found = run(*arguments)
        log_p, likeliest, alignment = jax.device_get(found)
        return Advance(
            np.asarray(log_p, np.float64),
            np.array(likeliest),
            None if alignment is None else np.array(alignment),
        )

    def _function(self, k: int) -> Callable[..., tuple[Any, ...]]:
        def function(
            p: Parameters, memory: Memory | None, states: States, tokens: jax.Array, parents: jax.Array
        ) -> tuple[Any, ...]:
            continued = jax.tree.map(lambda part: part.at[parents].get(mode="promise_in_bounds"), states)
            states, scores, attention = self._model.generate(p, memory, continued, tokens)
            highest, likeliest = jax.lax.top_k(scores, k)
            log_p = highest - jax.nn.logsumexp(scores, axis=-1, keepdims=True)
            return states, log_p, likeliest, attention if self._aligned else None

        return function
