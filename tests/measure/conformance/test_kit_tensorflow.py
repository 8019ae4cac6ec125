"""The conformance kit on the TensorFlow backend."""

from __future__ import annotations

from fixtures.kit import CompiledBackend


class TestTensorFlow(CompiledBackend):
    backend = "tensorflow"
