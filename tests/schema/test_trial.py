"""Trials: their id is a hash of their content, equal work has one id, and JSON brings them back."""

from __future__ import annotations

import json

import pytest
from fixtures.tiny import trial
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from benchsuite.schema import DROPOUTS, Execution, Recipe, Size, Trial
from benchsuite.schema.trial import ADDED_TO_PROTOCOL, ADDED_TO_RECIPE, ADDED_TO_SIZE

NUMBERS = st.floats(1e-6, 1e3, allow_nan=False)


@given(
    seed=st.integers(0, 2**32),
    hidden=st.integers(1, 4096),
    rate=NUMBERS,
    options=st.dictionaries(
        st.text(min_size=1, max_size=5),
        st.booleans() | st.integers(-9, 9) | NUMBERS | st.text(max_size=4),
        max_size=3,
    ),
    clip=st.sampled_from(["none", "norm", "value"]),
)
def test_json_brings_a_trial_back_with_the_same_id(
    seed: int, hidden: int, rate: float, options: dict[str, object], clip: str
) -> None:
    one = trial(
        seed=seed,
        size={"hidden": hidden},
        recipe={"learning_rate": rate, "clip": clip},
        options=options,
    )
    for again in (Trial.model_validate_json(one.canonical_json()), Trial.model_validate(one.model_dump())):
        assert again == one
        assert again.id == one.id
        assert {name: (type(value), value) for name, value in again.options.items()} == {
            name: (type(value), value) for name, value in options.items()
        }


@pytest.mark.parametrize(
    "change",
    [
        {"task": "other"},
        {"source": "other"},
        {"options": {"length": 3}},
        {"cell": "lstm"},
        {"architecture": "deep"},
        {"backend": "torch"},
        {"seed": 1},
        {"size": {"hidden": 65}},
        {"recipe": {"learning_rate": 2e-3}},
        {"execution": {"threads": 2}},
        {"protocol": {"rounds": 3}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_change_changes_the_id(change: dict[str, object]) -> None:
    assert trial(**change).id != trial().id


def test_the_id_does_not_depend_on_the_order_of_options_nor_on_defaults_being_spelt_out() -> None:
    assert trial(options={"a": 1, "b": 2}).id == trial(options={"b": 2, "a": 1}).id
    spelt = trial(size=Size().model_dump(), recipe=Recipe().model_dump(), execution=Execution().model_dump())
    assert spelt.id == trial().id


def test_the_id_is_stable_across_versions_of_this_code() -> None:
    """A changed id orphans every stored record: change this only together with the changelog."""
    one = trial()
    assert set(one.id) <= set("0123456789abcdef")
    assert len(one.id) == 16
    keys = json.loads(one.canonical_json())
    assert list(keys) == sorted(keys)


def test_fields_that_were_added_change_no_id_at_their_defaults() -> None:
    """The ids are those of trials that were made before recipes had these fields."""
    assert trial().id == "6d5fc5bfb4f42432"
    assert trial().configuration_id == "189a12cb2a9afece"
    keys = json.loads(trial().canonical_json())
    assert not set(keys["recipe"]) & set(ADDED_TO_RECIPE)
    assert not set(keys["size"]) & set(ADDED_TO_SIZE)
    assert not set(keys["protocol"]) & set(ADDED_TO_PROTOCOL)


def test_tied_embeddings_are_part_of_the_id_but_not_of_a_model_without_recurrence() -> None:
    tied = trial(size={"tied": True})
    assert tied.id != trial().id
    assert Trial.model_validate_json(tied.canonical_json()) == tied
    assert trial(architecture="cnn", size={"tied": True}) == trial(architecture="cnn")


def test_online_steps_are_part_of_the_id_where_they_are_asked_for() -> None:
    assert trial(protocol={"online": 10}).id != trial().id


@pytest.mark.parametrize("name", ADDED_TO_RECIPE)
def test_fields_that_were_added_are_part_of_the_id_where_they_are_set(name: str) -> None:
    values = {"schedule": "cosine", "weight_decay": 0.1, "label_smoothing": 0.1, "decay_factor": 0.5}
    values |= dict.fromkeys(DROPOUTS, 0.5) | {"initialisation": "glorot"}
    one, plain = (trial(architecture="deep", recipe=recipe) for recipe in ({name: values.get(name, 3)}, {}))
    assert one.id != plain.id
    assert one.configuration_id != plain.configuration_id
    assert Trial.model_validate_json(one.canonical_json()) == one


@pytest.mark.parametrize("architecture", ["plain", "bidirectional"])
def test_one_layer_architectures_ignore_the_number_of_layers(architecture: str) -> None:
    few, many = (trial(architecture=architecture, size={"layers": layers}) for layers in (1, 5))
    assert few == many
    assert few.id == many.id
    as_object = trial(architecture=architecture, size=Size(layers=5))
    assert as_object.id == few.id


@pytest.mark.parametrize("architecture", ["deep", "deep_bidirectional"])
def test_deep_architectures_keep_the_number_of_layers(architecture: str) -> None:
    assert trial(architecture=architecture, size={"layers": 5}).size.layers == 5


def test_the_convolutional_baseline_has_no_cell() -> None:
    one, other = (trial(architecture="cnn", cell=cell) for cell in ("lstm", "none"))
    assert one.cell == "none"
    assert one.id == other.id
    assert "lstm" not in one.label


def test_a_changed_copy_is_validated_and_has_an_id_of_its_own() -> None:
    one = trial()
    first = one.id
    copy = one.model_copy(update={"seed": 7})
    assert copy.id == trial(seed=7).id != first
    assert copy.configuration_id == one.configuration_id
    assert one.model_copy(update={"architecture": "cnn"}).cell == "none"
    assert one.model_copy(deep=True) == one
    with pytest.raises(ValidationError, match="seed"):
        one.model_copy(update={"seed": -1})


def test_trials_that_differ_in_their_seed_alone_share_a_configuration() -> None:
    ids = {trial(seed=seed).configuration_id for seed in range(3)}
    assert len(ids) == 1
    assert trial(cell="lstm").configuration_id not in ids
    assert "seed" not in trial().configuration()


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"seed": -1}, "seed"),
        ({"unknown": 1}, "unknown"),
        ({"size": {"hidden": 0}}, "hidden"),
        ({"recipe": {"optimiser": "adamw"}}, "optimiser"),
        ({"recipe": {"learning_rate": float("nan")}}, "learning_rate"),
        ({"recipe": {"momentum": 1.0}}, "momentum"),
        ({"execution": {"unroll": "packed"}}, "unroll"),
        ({"protocol": {"gradient_snapshots": 1}}, "gradient_snapshots"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_nonsense_is_refused_with_its_place(fields: dict[str, object], place: str) -> None:
    with pytest.raises(ValidationError, match=place):
        trial(**fields)


def test_trials_do_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        trial().seed = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    ("precision", "dtype"), [("float32", "float32"), ("tf32", "float32"), ("float64", "float64")]
)
def test_the_type_of_the_parameters_follows_the_precision(precision: str, dtype: str) -> None:
    assert Execution.model_validate({"precision": precision}).dtype == dtype


def test_the_label_names_what_a_person_compares() -> None:
    label = trial(seed=4, execution={"unroll": "fused", "precision": "float64"}).label
    assert label == "sign/generated gru plain numpy fused cpu float64 seed 4"
