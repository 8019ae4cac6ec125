"""The conformance kit on the JAX backend."""

from __future__ import annotations

from fixtures.kit import CompiledBackend


class TestJax(CompiledBackend):
    backend = "jax"
