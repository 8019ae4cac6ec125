"""The public door: what is given to a loaded backend is checked, and the documented code runs."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.numpy_cases import batch, decoder_model, model, parameters

import benchsuite
from benchsuite.contracts import NO_TARGETS, Batch, CheckedProgram, Program
from benchsuite.errors import ContractError, MissingFrameworkError, UnknownNameError, UnsupportedError
from benchsuite.measure.conformance.cases import Case, decoder_cases, model_cases
from benchsuite.schema import Execution, ModelSpec, Recipe
from benchsuite_numpy.reference import ReferenceBackend

DOCUMENT = Path(__file__).parents[2] / "docs" / "backends.md"
DOUBLE = Execution(precision="float64")


def test_the_documented_code_runs_and_says_what_it_says() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 4
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, str(DOCUMENT), "exec"), names)
    assert names["scores"].shape == (2, 4, 2)
    assert not names["scores"][1, 3].any()
    assert {prefix: h.shape for prefix, h in names["h"].items()} == {
        "rnn.l0.fwd": (2, 4, 8),
        "rnn.l1.fwd": (2, 4, 8),
    }
    assert {name.rpartition(".")[2] for name in names["values"]} == {"h", "c"}
    assert all(array.shape == (2, 8) for array in names["values"].values())
    np.testing.assert_array_equal(names["values"]["rnn.l1.fwd.h"][1], names["h"]["rnn.l1.fwd"][1, 2])
    assert names["trained"].keys() == names["weights"].keys() == names["found"].parameters.keys()


def build(spec: ModelSpec, recipe: Recipe | None = None) -> CheckedProgram:
    loaded = benchsuite.load_backend("numpy")
    program = loaded.build(spec, parameters(spec), recipe or Recipe(carry=True), DOUBLE)
    assert isinstance(program, CheckedProgram)
    return program


def reference(spec: ModelSpec, recipe: Recipe | None = None) -> Program:
    return ReferenceBackend().build(spec, parameters(spec), recipe or Recipe(carry=True), DOUBLE)


def test_it_answers_as_the_program_behind_it() -> None:
    spec = model("lstm", "deep", readout="steps", loss="squared")
    program, plain = build(spec), reference(spec)
    data = batch(spec, [4, 2])
    placed = program.place(data)
    state: Any = None
    there: Any = None
    for _ in range(3):
        scores, state = program.predict(placed, state)
        expected, there = plain.predict(data, there)
        np.testing.assert_allclose(scores, expected, rtol=1e-12, atol=1e-14)
        for prefix, h in plain.outputs(data, there).items():
            np.testing.assert_allclose(program.outputs(placed, state)[prefix], h, rtol=1e-12, atol=1e-14)
        program.step(placed, state)
        plain.step(data, there)
    np.testing.assert_allclose(program.drain().loss, plain.drain().loss, rtol=1e-12)
    assert program.kernel().startswith("python_loop")
    assert program.memory() == {}
    program.synchronize()
    program.load_parameters(parameters(spec))
    assert program.gradients(placed).loss == pytest.approx(reference(spec).gradients(data).loss)


@pytest.mark.parametrize("case", [*model_cases()[::5], *decoder_cases()[::7]], ids=lambda case: case.name)
def test_a_batch_without_targets_can_be_predicted(case: Case) -> None:
    loaded = benchsuite.load_backend("numpy")
    program = loaded.build(case.model, case.parameters("float64"), case.recipe, DOUBLE)
    data = case.batch("float64")
    bare = program.place(Batch(data.inputs, data.lengths))
    if case.model.decoder is not None:
        with pytest.raises(ContractError, match=r"predict\(\) needs targets"):
            program.predict(bare)
        rows = np.zeros(data.size, np.int64) + np.arange(data.size)
        tokens = np.full(data.size, case.model.decoder.start, np.int32)
        found = program.decoding(bare).advance(tokens, rows, 1)
        wanted = program.decoding(program.place(data)).advance(tokens, rows, 1)
        np.testing.assert_array_equal(found.tokens, wanted.tokens)
    else:
        expected, _ = program.predict(program.place(data))
        np.testing.assert_array_equal(program.predict(bare)[0], expected)
        assert program.outputs(bare).keys() == program.outputs(program.place(data)).keys()
    for call in (program.step, program.gradients):
        with pytest.raises(ContractError, match="needs targets, and the batch was placed without"):
            call(bare)


SPEC = model("lstm", readout="steps", loss="squared")
DATA = batch(SPEC, [4, 2])
Wrong = Callable[[CheckedProgram, CheckedProgram], object]
WRONG: list[tuple[Wrong, str]] = [
    (lambda a, _: a.step(DATA), "step() takes what place() of the same program returned, not Batch"),
    (lambda a, b: a.step(b.place(DATA)), "not that of another program"),
    (lambda a, b: a.predict(b.place(DATA)), "predict() takes what place()"),
    (lambda a, b: a.gradients(b.place(DATA)), "gradients() takes what place()"),
    (lambda a, b: a.outputs(b.place(DATA)), "outputs() takes what place()"),
    (lambda a, b: a.decoding(b.place(DATA)), "decoding() takes what place()"),
    (lambda a, b: a.predict(a.place(DATA), b.step(b.place(DATA))), "not that of another program"),
    (lambda a, _: a.predict(a.place(DATA), {"h": 0}), "a state is None, or what this program's"),
    (
        lambda a, _: a.step(a.place(batch(SPEC, [4, 4, 4])), a.step(a.place(DATA))),
        "a state of 2 rows was given with a batch of 3",
    ),
    (lambda a, b: a.read_state(b.step(b.place(DATA))), "read_state() takes a state that this program"),
    (lambda a, _: a.make_state({"rnn.l0.fwd.h": np.zeros((2, 4))}), "rnn.l0.fwd.c is missing"),
    (lambda a, _: a.load_parameters({}), "out.W is missing"),
    (lambda a, _: a.place(replace(DATA, lengths=0 * DATA.lengths)), "lengths must lie in 1..4, given 0..0"),
    (lambda a, _: a.place(replace(DATA, targets=DATA.targets[:, :1])), "targets: float64 (2, 1, 3) given"),
    (
        lambda a, _: a.place(replace(DATA, targets=NO_TARGETS, inputs=DATA.inputs[0])),
        "inputs: float64 (4, 3)",
    ),
    (lambda a, _: a.kernel(), "kernel() names what ran in a step"),
]


@pytest.mark.parametrize(("wrong", "message"), WRONG, ids=[message for _, message in WRONG])
def test_what_does_not_fit_is_named(wrong: Wrong, message: str) -> None:
    with pytest.raises(ContractError) as caught:
        wrong(build(SPEC), build(SPEC))
    assert message in str(caught.value)


def test_what_cannot_be_built() -> None:
    loaded = benchsuite.load_backend("numpy")
    spec = model("gru", "bidirectional")
    with pytest.raises(UnsupportedError, match=r"recipe\.carry needs a forward stack"):
        loaded.build(spec, parameters(spec), Recipe(carry=True), DOUBLE)
    with pytest.raises(UnsupportedError, match="no fused recurrent kernel"):
        loaded.build(SPEC, parameters(SPEC), Recipe(), Execution(unroll="fused"))
    with pytest.raises(ContractError, match=r"out\.b is missing"):
        loaded.build(SPEC, {}, Recipe(), DOUBLE)
    with pytest.raises(UnsupportedError, match="no device name"):
        loaded.product(2, 2, 2, Execution(device="gpu 1"))
    program = build(SPEC)
    with pytest.raises(UnsupportedError, match="no decoder"):
        program.decoding(program.place(DATA))
    with pytest.raises(ContractError, match="starts at zero"):
        build(decoder_model(), Recipe()).make_state({})
    with pytest.raises(UnknownNameError, match="unknown backend 'nunpy'; did you mean 'numpy'"):
        benchsuite.load_backend("nunpy")
    assert loaded.devices()[0].name == "cpu"
    assert "numpy" in loaded.versions()


def test_a_framework_that_is_not_installed_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchsuite.plugins import registry

    entry = replace(registry().backend("torch"), requirements=("absent-framework",))
    monkeypatch.setitem(registry().backends, "torch", entry)
    with pytest.raises(MissingFrameworkError, match=r"absent-framework.*benchsuite\[torch\]"):
        benchsuite.load_backend("torch")


def test_importing_benchsuite_imports_no_backend() -> None:
    code = "import sys, benchsuite; print([m for m in ('numpy', 'benchsuite_numpy') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
