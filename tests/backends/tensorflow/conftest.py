"""How the tests of the TensorFlow backend run: with graphs as they were traced, which are cheaper to make,
where a module asks for it."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module")
def plain_graphs() -> Iterator[None]:
    """TensorFlow does not optimise the graphs of the module's tests, as in `benchsuite check`: each of them
    runs a few times. What a module has traced is released at its end."""
    import tensorflow as tf  # the modules of this folder are skipped where it is not installed

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCHSUITE_TENSORFLOW_GRAPHS", "plain")
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
        yield
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False})
    from benchsuite_tensorflow import runtime

    runtime.forget_custom_gradients()
    gc.collect()
