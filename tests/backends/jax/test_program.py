"""A JAX program: dtypes, buffers, update rules, asynchrony, kernels; one test for each trap of JAX."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402
from jax.experimental import rnn  # noqa: E402

from benchsuite.contracts import Batch  # noqa: E402
from benchsuite.errors import UnsupportedError  # noqa: E402
from benchsuite.measure.conformance.cases import Case, model_cases  # noqa: E402
from benchsuite.measure.initialisation import initial_parameters  # noqa: E402
from benchsuite.schema import (  # noqa: E402
    Dense,
    Execution,
    Features,
    ModelSpec,
    Recipe,
    Recurrent,
    recurrent_names,
)
from benchsuite_jax import environment, fused, optimisers  # noqa: E402
from benchsuite_jax.backend import JaxBackend  # noqa: E402
from benchsuite_jax.model import Model  # noqa: E402
from benchsuite_jax.placement import Feed  # noqa: E402
from benchsuite_jax.program import JaxProgram  # noqa: E402

FLOAT32, FLOAT64 = Execution(), Execution(precision="float64")


@pytest.fixture(autouse=True)
def _single_precision_at_first(single_precision: None) -> None:
    """Before the fixtures that a test names."""


def case(name: str) -> Case:
    return next(case for case in model_cases() if case.name == name)


def build(name: str, recipe: Recipe, execution: Execution) -> tuple[JaxProgram, Batch]:
    found = case(name)
    weights = found.parameters(execution.dtype)
    return JaxBackend().build(found.model, weights, recipe, execution), found.batch(execution.dtype)


def in_worker(execution: Execution, script: str) -> str:
    """What `script` prints in a process with the worker's environment for `execution`."""
    variables = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=variables | environment(execution),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_float64_without_x64_is_refused_not_rounded() -> None:
    assert jnp.asarray(np.ones(1)).dtype == np.float32, "the trap: jax rounds without a word"
    with pytest.raises(UnsupportedError, match="JAX_ENABLE_X64=1 in the environment before jax is imported"):
        build("rnn-plain", Recipe(), FLOAT64)
    with pytest.raises(UnsupportedError, match="JAX_ENABLE_X64"):
        JaxBackend().product(2, 2, 2, FLOAT64)


def test_a_worker_for_float64_has_x64_before_the_import() -> None:
    script = "import jax, numpy; print(jax.numpy.asarray(numpy.ones(1)).dtype)"
    assert in_worker(FLOAT64, script) == "float64"
    assert in_worker(FLOAT32, script) == "float32"


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("optimiser", ["sgd", "momentum", "rmsprop", "adam"])
def test_double_scalars_do_not_promote_a_float32_program(optimiser: str) -> None:
    assert (jnp.ones(1, jnp.float32) * np.float64(2)).dtype == np.float64, "the trap"
    names = ("learning_rate", "momentum", "rho", "beta1", "beta2", "epsilon", "clip_at")
    doubles = {name: np.float64(getattr(Recipe(), name)) for name in names}
    recipe = Recipe().model_copy(update={**doubles, "optimiser": optimiser, "clip": "norm"})
    program, batch = build("gru-plain-tokens-mean", recipe, FLOAT32)
    program.step(program.place(replace(batch, lengths=batch.lengths.astype(np.int64))))
    assert {value.dtype.name for value in program.parameters().values()} == {"float32"}
    assert program.predict(program.place(batch))[0].dtype == np.float32
    for executable in program._executables.compiled.values():
        assert "f64[" not in executable.as_text()


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("optimiser", ["sgd", "momentum", "rmsprop", "adam"])
def test_update_rules_are_optax_with_epsilon_outside_the_root(optimiser: str) -> None:
    import optax

    recipe = Recipe.model_validate({"optimiser": optimiser, "learning_rate": 0.1, "epsilon": 1e-2})
    theirs = {
        "sgd": optax.sgd(0.1),
        "momentum": optax.sgd(0.1, momentum=0.9),
        "rmsprop": optax.rmsprop(0.1, decay=0.9, eps=1e-2, eps_in_sqrt=False),
        "adam": optax.adam(0.1, eps=1e-2),
    }
    ours, peer = follow(recipe, theirs[optimiser])
    np.testing.assert_allclose(ours, peer, rtol=1e-13)
    if optimiser == "rmsprop":
        _, inside = follow(recipe, optax.rmsprop(0.1, decay=0.9, eps=1e-2, eps_in_sqrt=True))
        assert np.max(np.abs(ours - inside)) > 1e-3, "the trap: optax adds epsilon inside the root"


@pytest.mark.usefixtures("double_precision")
def test_decay_and_schedule_are_optaxs_adamw() -> None:
    import optax

    recipe = Recipe(learning_rate=0.1, weight_decay=0.5, schedule="cosine", schedule_steps=20)
    ours, peer = follow(recipe, optax.adamw(optax.cosine_decay_schedule(0.1, 20), weight_decay=0.5))
    np.testing.assert_allclose(ours, peer, rtol=1e-6)  # optax counts the cosine in single precision
    constant = recipe.model_copy(update={"schedule": "constant"})
    ours, peer = follow(constant, optax.adamw(0.1, weight_decay=0.5))
    np.testing.assert_allclose(ours, peer, rtol=1e-13)


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_one_compilation_serves_every_step_of_a_schedule(optimiser: str) -> None:
    recipe = Recipe(optimiser=optimiser, schedule="step", decay_every=2, warmup=2, schedule_steps=9)
    program, batch = build("rnn-plain", recipe, FLOAT32)
    placed = program.place(batch)
    for _ in range(6):
        program.step(placed)
    assert program.notes()["compilations"] == "1"


@pytest.mark.parametrize(("ragged", "compilations"), [(False, "2"), (True, "1")])
def test_full_rows_of_ragged_data_share_the_program_of_padded_ones(ragged: bool, compilations: str) -> None:
    program, padded = build("rnn-plain", Recipe(), FLOAT32)
    assert padded.lengths.min() < padded.time
    full = replace(padded, lengths=np.full_like(padded.lengths, padded.time))
    for batch in (full, padded, full):
        program.predict(program.place(replace(batch, ragged=ragged)))
    assert program.notes()["compilations"] == compilations


def follow(recipe: Recipe, transformation: object) -> tuple[np.ndarray, np.ndarray]:
    """Where twelve steps lead, by our rule and by an optax transformation."""
    import optax

    random = np.random.default_rng(3)
    ours = peer = {"w": jnp.asarray(random.normal(size=5))}
    moments, state = optimisers.initial_moments(recipe, ours), transformation.init(peer)  # type: ignore[attr-defined]
    for count in range(1, 13):
        gradient = {"w": jnp.asarray(random.normal(size=5) * 0.1)}
        corrections = optimisers.bias_corrections(recipe, count, "float64")
        rate = optimisers.scheduled_rate(recipe, count, "float64")
        ours, moments = optimisers.update(recipe, ours, gradient, moments, corrections, rate)
        change, state = transformation.update(gradient, state, peer)  # type: ignore[attr-defined]
        peer = optax.apply_updates(peer, change)
    return np.asarray(ours["w"]), np.asarray(peer["w"])


def test_an_asynchronous_step_is_not_done_when_it_returns() -> None:
    model = ModelSpec(Features(64), Recurrent("lstm", 256), Dense(4), "cross_entropy")
    program = JaxBackend().build(model, initial_parameters(model, 0, "float32"), Recipe(), FLOAT32)
    random = np.random.default_rng(0)
    inputs = random.normal(size=(64, 60, 64)).astype(np.float32)
    batch = Batch(inputs, np.full(64, 60, np.int32), np.zeros(64, np.int32))
    placed = program.place(batch)
    program.step(placed)
    program.synchronize()
    start = time.perf_counter()
    program.step(placed)
    looks = time.perf_counter() - start
    program.synchronize()
    takes = time.perf_counter() - start
    assert looks < 0.5 * takes, "the trap: an unsynchronised step looks faster than it is"
    assert all(value.is_ready() for value in jax.tree.leaves((program._parameters, program._moments)))
    assert len(program.drain().loss) == 2


@pytest.mark.parametrize(("time_steps", "layers"), [(65, 1), (33, 2)])
def test_a_static_graph_is_bounded_with_a_reason(time_steps: int, layers: int) -> None:
    model = ModelSpec(Features(1), Recurrent("rnn", 2, layers), Dense(2), "cross_entropy")
    execution = Execution(unroll="static")
    program = JaxBackend().build(model, initial_parameters(model, 0, "float32"), Recipe(), execution)
    inputs = np.zeros((1, time_steps, 1), np.float32)
    with pytest.raises(UnsupportedError, match=r"the most is 64.*Use unroll dynamic"):
        program.place(Batch(inputs, np.array([time_steps], np.int32), np.zeros(1, np.int32)))


@pytest.mark.parametrize(
    ("unroll", "name", "kernel"),
    [
        ("dynamic", "lstm-plain", "scan"),
        ("static", "lstm-plain", "unrolled"),
        ("dynamic", "gru-plain-tokens-mean", "scan"),
        ("static", "gru-plain-tokens-mean", "unrolled"),
        ("dynamic", "cnn", "convolution"),
    ],
)
def test_the_kernel_is_read_from_the_compiled_program(unroll: str, name: str, kernel: str) -> None:
    program, batch = build(name, Recipe(), Execution.model_validate({"unroll": unroll}))
    program.step(program.place(batch))
    assert program.kernel() == kernel


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize(("layers", "bidirectional"), [(1, False), (2, True)])
def test_cudnn_weights_are_packed_in_its_order(layers: int, bidirectional: bool) -> None:
    """cuDNN needs a GPU; jax's own model of what cuDNN computes does not, and reads the same flat array."""
    body = Recurrent("lstm", 6, layers, bidirectional)
    model = ModelSpec(Features(5), body, Dense(3), "squared", readout="steps")
    weights = {name: jnp.asarray(w) for name, w in initial_parameters(model, 1, "float64").items()}
    random = np.random.default_rng(2)
    x, lengths = jnp.asarray(random.normal(size=(4, 9, 5))), jnp.array([9, 1, 5, 7], jnp.int32)
    sizes = (5, 6, layers, bidirectional)
    unpacked = rnn.unpack_lstm_weights(fused.packed_weights(recurrent_names(body), weights), *sizes)
    ways = layers * len(body.directions)
    zero = jnp.zeros((ways, 4, 6))
    outputs, _, _ = rnn.lstm_ref(x, zero, zero, *unpacked, lengths, 5, 6, layers, 0.0, bidirectional)
    looped = Model(model, "dynamic", None, jax.lax.Precision.HIGHEST)
    start = looped.fresh_start(4, x.dtype)
    found = looped.forward(weights, Feed(x.swapaxes(0, 1), lengths), start).scores
    valid = np.arange(9)[None, :] < np.asarray(lengths)[:, None]
    expected = np.asarray(outputs @ weights["out.W"] + weights["out.b"]) * valid[..., None]
    np.testing.assert_allclose(np.asarray(found).swapaxes(0, 1), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted in Linux's /proc")
def test_the_worker_environment_limits_the_thread_pool() -> None:
    script = (
        "import os, jax; jax.numpy.ones(3).block_until_ready();"
        "names = [open(f'/proc/self/task/{t}/comm').read() for t in os.listdir('/proc/self/task')];"
        "print(sum('XLAEigen' in name for name in names))"
    )
    counts = {threads: int(in_worker(Execution(threads=threads), script)) for threads in (1, 3)}
    assert counts[3] - counts[1] == 2, counts
