"""Options of tasks: checked once, in the words of whoever sets them, and read with their types."""

import dataclasses
from typing import Any

import pytest

from benchsuite.contracts import Option, Options, TaskEntry
from benchsuite.errors import ContractError, PluginError, RequestError, UnknownNameError
from benchsuite.schema import Scalar


def unused() -> None:
    raise AssertionError("checking options loads nothing")


ENTRY = TaskEntry(
    "spelling",
    unused,  # type: ignore[arg-type]
    "spells words",
    {"words": "all words"},
    ("words",),
    options={
        "length": Option(3, "letters of a word", least=2, most=9),
        "share": Option(0.5, "how many are wrong", least=0.0),
        "top": Option(4, "rank", most=4),
        "side": Option("left", "where it is read", ("left", "right")),
        "count": Option(2, "words", (2, 3)),
        "upper": Option(False, "whether in capitals", (True, False)),
    },
)


def test_what_is_not_given_has_its_default() -> None:
    found = ENTRY.complete({"length": 9, "share": 1})
    assert dict(found) == {
        "length": 9,
        "share": 1.0,
        "top": 4,
        "side": "left",
        "count": 2,
        "upper": False,
    }
    assert isinstance(found["share"], float)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("length", 1, r"option length of spelling is 1; it must be 2 to 9: letters of a word"),
        ("length", 10, "it must be 2 to 9"),
        ("length", True, "an integer, not true"),
        ("length", 2.0, r"an integer, not 2\.0"),
        ("length", "2", 'an integer, not "2"'),
        ("share", -0.1, r"it must be 0\.0 or more"),
        ("share", float("nan"), "it must be"),
        ("top", 5, "it must be 4 or less"),
        ("side", "lefft", "did you mean 'left'"),
        ("count", 4, "cannot be 4; allowed: 2, 3"),
        ("upper", 1, "true or false, not 1"),
    ],
)
def test_a_value_that_is_not_allowed_is_told_what_is(name: str, value: Scalar, message: str) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        ENTRY.complete({name: value})
    assert f"{name} of spelling" in str(caught.value)


def test_limits_are_told_in_words() -> None:
    told = {name: option.limits() for name, option in ENTRY.options.items()}
    assert told == {
        "length": "2 to 9",
        "share": "0.0 or more",
        "top": "4 or less",
        "side": "left, right",
        "count": "2, 3",
        "upper": "True, False",
    }
    assert Option(1, "any").limits() == ""


def test_unknown_options_and_sources_are_told_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"option of spelling 'lenght'; did you mean 'length'"):
        ENTRY.complete({"lenght": 3})
    with pytest.raises(UnknownNameError, match=r"source of spelling 'word'; did you mean 'words'"):
        ENTRY.check_source("word")
    ENTRY.check_source("words")


def test_options_are_read_with_their_types() -> None:
    found = ENTRY.complete({"side": "right"})
    assert found.integer("length") == 3
    assert found.real("share") == 0.5
    assert found.text("side") == "right"
    assert found.flag("upper") is False
    assert found.one_of("side", ("left", "right")) == "right"


@pytest.mark.parametrize(
    ("read", "name"),
    [("integer", "upper"), ("integer", "share"), ("text", "length"), ("flag", "side"), ("real", "no")],
)
def test_reading_an_option_as_what_it_is_not_breaks_the_contract(read: str, name: str) -> None:
    with pytest.raises(ContractError, match=name):
        getattr(ENTRY.complete({}), read)(name)


def test_a_choice_that_the_task_does_not_know_breaks_the_contract() -> None:
    with pytest.raises(ContractError, match='option side is "left"'):
        Options("spelling", {"side": "left"}).one_of("side", ("up", "down"))


def test_an_entry_says_which_option_packs_sequences_into_rows() -> None:
    entry = dataclasses.replace(ENTRY, packing="length")
    assert entry.has_resets(entry.complete({}))
    assert not ENTRY.has_resets(ENTRY.complete({}))
    unpacked = dataclasses.replace(ENTRY, packing="upper")
    assert not unpacked.has_resets(unpacked.complete({}))
    assert unpacked.has_resets(unpacked.complete({"upper": True}))


def test_an_entry_packs_by_one_of_its_options() -> None:
    with pytest.raises(PluginError, match="packing is 'rows', must be one of length, share"):
        dataclasses.replace(ENTRY, packing="rows")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"default": [3]}, "the default is [3], must be one of"),
        ({"default": None}, "the default is None, must be one of"),
        ({"help": " "}, "help is ' ', must be a text that is not empty"),
        ({"choices": [3, 4]}, "choices are [3, 4], must be a tuple of values like the default 3"),
        ({"choices": ("3",)}, "choices are ('3',), must be a tuple"),
        ({"choices": (4, 5)}, "the default is not allowed: option default cannot be 3; allowed: 4, 5"),
        ({"most": 2}, "the default is not allowed: option default is 3; it must be 2 or less"),
    ],
)
def test_an_option_that_means_nothing_is_refused_where_it_is_made(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(PluginError) as caught:
        Option(**{"default": 3, "help": "steps", **fields})
    assert said in str(caught.value)
