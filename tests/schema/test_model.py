"""Model specifications, the stacks that architectures stand for, and the canonical parameter shapes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchsuite.errors import ContractError, UnsupportedError
from benchsuite.schema import (
    ARCHITECTURES,
    BUILTIN_CELLS,
    GATES,
    Convolutional,
    Decoder,
    Dense,
    Features,
    ModelSpec,
    Rbf,
    Recurrent,
    Size,
    Tokens,
    parameter_shapes,
    recurrent_body,
    recurrent_names,
    state_shapes,
)

STACKS = [name for name in ARCHITECTURES if name not in ("cnn", "encoder_decoder", "attention")]


def published_count(cell: str, inputs: int, hidden: int) -> int:
    """Parameters of one layer as textbooks give them: per gate a matrix over [x; h] and a bias, and one
    more bias vector per gate for the reset-after GRU."""
    gates = {"rnn": 1, "lstm": 4, "gru": 3}[cell]
    biases = 2 if cell == "gru" else 1
    return gates * (hidden * (inputs + hidden) + biases * hidden)


@given(
    cell=st.sampled_from(sorted(BUILTIN_CELLS)),
    architecture=st.sampled_from(STACKS),
    inputs=st.integers(1, 9),
    hidden=st.integers(1, 9),
    layers=st.integers(1, 4),
    outputs=st.integers(1, 5),
    tokens=st.booleans(),
    rbf=st.booleans(),
)
def test_shapes_add_up_to_the_published_counts(
    cell: str, architecture: str, inputs: int, hidden: int, layers: int, outputs: int, tokens: bool, rbf: bool
) -> None:
    body = recurrent_body(architecture, cell, Size(hidden=hidden, layers=layers))
    source = Tokens(13, inputs) if tokens else Features(inputs)
    model = ModelSpec(source, body, Rbf(outputs) if rbf else Dense(outputs), "cross_entropy")
    deep = layers if architecture.startswith("deep") else 1
    ways = 2 if architecture.endswith("bidirectional") else 1
    expected = ways * published_count(cell, inputs, hidden)
    expected += (deep - 1) * ways * published_count(cell, ways * hidden, hidden)
    expected += 13 * inputs if tokens else 0
    expected += ways * hidden * outputs + (0 if rbf else outputs)
    shapes = parameter_shapes(model)
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == expected
    prefixes = {name.rsplit(".", 1)[0] for name in shapes if name.startswith("rnn.")}
    assert sorted(prefixes) == sorted(recurrent_names(body))
    assert all(shapes[f"{prefix}.Wh"] == (hidden, GATES[cell] * hidden) for prefix in prefixes)


def test_the_gru_has_two_biases_and_the_others_one() -> None:
    for cell in BUILTIN_CELLS:
        model = ModelSpec(Features(2), Recurrent(cell, 3), Dense(1), "squared")
        biases = [name for name in parameter_shapes(model) if name.startswith("rnn.l0.fwd.b")]
        assert biases == (["rnn.l0.fwd.bx", "rnn.l0.fwd.bh"] if cell == "gru" else ["rnn.l0.fwd.b"])


@given(height=st.integers(4, 20), width=st.integers(4, 20), stages=st.integers(1, 2))
def test_the_convolutional_sizes_follow_the_pooling(height: int, width: int, stages: int) -> None:
    body = Convolutional(height, width, channels=(3, 5)[:stages], hidden=7)
    picture = np.zeros((height, width))
    for _ in range(stages):
        picture = picture[: picture.shape[0] // 2 * 2 : 2, : picture.shape[1] // 2 * 2 : 2]
    assert body.flattened == picture.size * body.channels[-1]
    shapes = parameter_shapes(ModelSpec(Features(width), body, Dense(4), "cross_entropy"))
    assert shapes["cnn.c0.W"] == (3, 3, 1, 3)
    assert shapes["cnn.dense.W"] == (body.flattened, 7)
    assert shapes["out.W"] == (7, 4)


def test_an_architecture_that_is_no_stack_is_refused_with_those_that_are() -> None:
    with pytest.raises(UnsupportedError, match="'cnn' is no recurrent stack; those are: plain, deep"):
        recurrent_body("cnn", "lstm", Size())


BODY = Recurrent("gru", 3)
WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: Features(0), "Features: size is 0, must be a whole number from 1"),
    (lambda: Features(2.5), "size is 2.5"),  # type: ignore[arg-type]
    (lambda: Tokens(5, 0), "Tokens: embedding is 0"),
    (lambda: Tokens(0, 3), "Tokens: vocabulary is 0"),
    (lambda: Recurrent("gruu", 3), "unknown cell 'gruu'; did you mean 'gru'"),
    (lambda: Recurrent("gru", 0), "Recurrent: hidden is 0"),
    (lambda: Recurrent("gru", 3, 0), "Recurrent: layers is 0"),
    (lambda: Convolutional(8, 0), "Convolutional: width is 0"),
    (lambda: Convolutional(8, 8, ()), "channels are ()"),
    (lambda: Convolutional(8, 8, (3, 0)), "channels are (3, 0)"),
    (lambda: Dense(0), "Dense: outputs is 0"),
    (lambda: Rbf(-1), "Rbf: outputs is -1"),
    (lambda: Decoder(9, 3, BODY, "bilinear", 5), "unknown attention 'bilinear'"),  # type: ignore[arg-type]
    (lambda: Decoder(9, 3, BODY, "none", 0), "Decoder: limit is 0"),
    (lambda: Decoder(3, 3, BODY, "none", 5), "Decoder: end is 3, must be an id in 0..2"),
    (lambda: Decoder(9, 3, Convolutional(8, 8), "none", 5), "must be Recurrent"),  # type: ignore[arg-type]
    (lambda: ModelSpec(Features(2), BODY, Dense(1), "mse"), "unknown loss 'mse'"),  # type: ignore[arg-type]
    (
        lambda: ModelSpec(Features(2), BODY, Dense(1), "squared", "final"),  # type: ignore[arg-type]
        "unknown readout 'final'",
    ),
    (lambda: ModelSpec(BODY, BODY, Dense(1), "squared"), "input is Recurrent("),  # type: ignore[arg-type]
    (lambda: ModelSpec(Features(2), Dense(1), Dense(1), "squared"), "body is Dense("),  # type: ignore[arg-type]
    (lambda: ModelSpec(Features(2), BODY, BODY, "squared"), "head is Recurrent("),  # type: ignore[arg-type]
    (
        lambda: ModelSpec(Features(2), BODY, Dense(1), "squared", decoder=BODY),  # type: ignore[arg-type]
        "decoder is Recurrent(",
    ),
]


@pytest.mark.parametrize(("make", "message"), WRONG, ids=[message for _, message in WRONG])
def test_values_are_checked_where_they_are_made(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ContractError) as caught:
        make()
    assert message in str(caught.value)


def test_a_changed_copy_is_checked_too() -> None:
    model = ModelSpec(Features(2), BODY, Dense(1), "squared")
    with pytest.raises(ContractError, match="unknown loss 'mae'"):
        replace(model, loss="mae")  # type: ignore[arg-type]


def test_sizes_of_numpy_are_whole_numbers() -> None:
    assert Features(np.int64(3)) == Features(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("cell", list(BUILTIN_CELLS))
def test_states_are_named_by_layer(cell: str) -> None:
    model = ModelSpec(Features(2), Recurrent(cell, 3, 2), Dense(1), "squared")
    parts = ["h", "c"] if cell == "lstm" else ["h"]
    assert list(state_shapes(model)) == [f"rnn.l{layer}.fwd.{part}" for layer in (0, 1) for part in parts]
    assert set(state_shapes(model).values()) == {(3,)}
    assert state_shapes(replace(model, body=Recurrent(cell, 3, bidirectional=True))) == {}
    assert state_shapes(replace(model, body=Convolutional(8, 8))) == {}
    decoder = Decoder(9, 3, Recurrent(cell, 3), "none", 5)
    assert state_shapes(replace(model, decoder=decoder)) == {}


def test_resets_are_in_a_models_tree_where_it_has_them() -> None:
    model = ModelSpec(Features(2), BODY, Dense(1), "squared")
    assert "resets" not in model.as_dict()
    assert replace(model, resets=True).as_dict() == model.as_dict() | {"resets": True}
    with pytest.raises(ContractError, match="resets is 1, must be bool"):
        replace(model, resets=1)  # type: ignore[arg-type]


def test_a_model_is_told_as_a_tree_of_kinds() -> None:
    model = ModelSpec(Tokens(5, 4), Convolutional(8, 8), Rbf(3), "cross_entropy")
    tree = json.loads(json.dumps(model.as_dict()))
    assert tree["kind"] == "modelspec"
    assert tree["input"] == {"kind": "tokens", "vocabulary": 5, "embedding": 4}
    assert tree["body"]["kind"] == "convolutional"
    assert tree["body"]["channels"] == [8, 16]
    assert tree["head"] == {"kind": "rbf", "outputs": 3}
    assert model.input_size == 4
