"""What is wrong with a matrix is said at once, with places and the nearest names."""

from __future__ import annotations

import time

import pytest
from fixtures.matrix_worlds import GOOD, problems, small_registry

from benchsuite.errors import MatrixError
from benchsuite.running.matrix import expand, parse_matrix


@pytest.mark.parametrize(
    ("change", "place", "text"),
    [
        (("lstm", "lsmt"), "axes.cell (line 5)", "unknown cell 'lsmt'; did you mean 'lstm'"),
        (('"numpy"', '"nunpy"'), "axes.backend (line 7)", "unknown backend 'nunpy'; did you mean 'numpy'"),
        (('"alpha"', '"alhpa"'), "axes.task (line 3)", "unknown task 'alhpa'; did you mean 'alpha'"),
        (
            ('"tiny"', '"tinny"'),
            "axes.source (line 4)",
            "unknown source of alpha 'tinny'; did you mean 'tiny'",
        ),
        (
            ('"plain"', '"plane"'),
            "axes.architecture (line 6)",
            "unknown architecture 'plane'; did you mean 'plain'",
        ),
        (("cell =", "cel ="), "axes.cel (line 5)", "unknown field 'cel'; did you mean 'cell'"),
        (('"lstm"', '"none"'), "axes.cell (line 5)", "unknown cell 'none'"),
        (('"lstm"', "3"), "axes.cell (line 5)", "3: input should be a valid string"),
        (('"lstm"', "[]"), "axes.cell (line 5)", "an empty list"),
        (('cell = "lstm"', ""), "axes.cell (line 2)", "required"),
        (('source = "tiny"', ""), "tasks.alpha.source", "required: which data to use. Known: tiny, big."),
        (("[axes]", "[axis]"), "axis (line 2)", "unknown table 'axis'; did you mean 'axes'"),
    ],
)
def test_a_wrong_word_is_named_with_its_line_and_the_nearest(
    change: tuple[str, str], place: str, text: str
) -> None:
    found = problems(GOOD.replace(*change))
    assert any(where == place and text in what for where, what in found), found


@pytest.mark.parametrize(
    ("addition", "place", "text"),
    [
        ("unroll = 'fusd'", "axes.unroll (line 8)", "unknown unroll 'fusd'; did you mean 'fused'"),
        ("device = 'GPU 0'", "axes.device (line 8)", "a device is `cpu`"),
        ("seed = -1", "axes.seed (line 8)", "greater than or equal to 0"),
        ("seed = 1.5", "axes.seed (line 8)", "valid integer"),
        ("threads = true", "axes.threads (line 8)", "valid integer"),
        ("recipe.learning_rate = inf", "axes.recipe.learning_rate (line 8)", "finite"),
        ("recipe.epoch = 2", "axes.recipe.epoch (line 8)", "did you mean 'epochs'"),
        ("recipe = 3", "axes.recipe (line 8)", "recipe is a table of settings"),
        (
            "options.horizn = 2",
            "axes.options.horizn (line 8)",
            "unknown option of alpha 'horizn'; did you mean 'horizon'",
        ),
        ("options.horizon = 'x'", "axes.options.horizon (line 8)", 'is an integer, not "x"'),
        ("options.horizon = true", "axes.options.horizon (line 8)", "is an integer, not true"),
        ("options.view = 'row'", "axes.options.view (line 8)", "did you mean 'rows'"),
        ("options.horizon = 2020-01-01", "axes.options.horizon (line 8)", "not date"),
        ("device = 'cpu'\nexecution.device = 'gpu'", "axes.execution.device (line 9)", "given twice"),
        ("[defaults]\nseed = [0, 1]", "defaults.seed (line 9)", "one value only; a list belongs to [axes]"),
        ("[tasks.alfa]\nseed = 1", "tasks.alfa (line 8)", "unknown task 'alfa'; did you mean 'alpha'"),
        ("[tasks.alpha]\ntask = 'beta'", "tasks.alpha.task (line 9)", "cannot be set here"),
        ("[tasks]\nalpha = 3", "tasks.alpha (line 9)", "must be a table"),
        ("[include]\nseed = 1", "include (line 8)", "write `[[include]]`"),
        (
            "[[include]]\nrecipe.clip = 'nrm'",
            "include #1.recipe.clip (line 9)",
            "unknown clip 'nrm'; did you mean 'norm'",
        ),
        ("[[exclude]]", "exclude #1 (line 8)", "no condition"),
        ("[[exclude]]\nbackend = 'x*'", "exclude #1.backend (line 9)", '"x*" matches nothing'),
        ("[[exclude]]\nbackend = 'nump'", "exclude #1.backend (line 9)", "did you mean 'numpy'"),
        (
            "[[exclude]]\nsource = 'tin'",
            "exclude #1.source (line 9)",
            "unknown source 'tin'; did you mean 'tiny'",
        ),
        ("[[exclude]]\noptions.vew = 'rows'", "exclude #1.options.vew (line 9)", "did you mean 'view'"),
        ("[[exclude]]\ncell = 'lstm'", "axes (line 2)", "no trial is left"),
    ],
)
def test_a_wrong_setting_is_named_with_its_line(addition: str, place: str, text: str) -> None:
    found = problems(GOOD + addition)
    assert any(where == place and text in what for where, what in found), found


def test_every_problem_is_listed_at_once() -> None:
    text = (
        GOOD.replace("lstm", "lsmt").replace("tiny", "tinny") + "recipe.epoch = 2\n[[exclude]]\ncell = 'x*'\n"
    )
    places = [place for place, _ in problems(text, ("seed",))]
    assert places == [
        "axes.cell (line 5)",
        "axes.recipe.epoch (line 8)",
        "exclude #1.cell (line 10)",
        "--set seed",
        "axes.source (line 4)",
    ]


def test_the_message_holds_the_file_and_the_count() -> None:
    with pytest.raises(MatrixError, match=r"^test\.toml: 1 problem\n  axes\.cell \(line 5\): unknown cell"):
        expand(parse_matrix(GOOD.replace("lstm", "lsmt"), "test", "test.toml"), small_registry())


def test_too_many_combinations_are_refused_at_once() -> None:
    begin = time.monotonic()
    text = GOOD.replace(
        "[axes]", f"[axes]\nseed = {list(range(4_000))}\nsize.hidden = {list(range(1, 3_000))}"
    )
    assert "[axes]" in GOOD
    with pytest.raises(MatrixError, match="combinations, and may have 300,000; give shorter lists"):
        expand(parse_matrix(text, "m", "m.toml"), small_registry())
    assert time.monotonic() - begin < 10


@pytest.mark.parametrize("seed", [2**63, 10**30])
def test_a_seed_that_no_framework_takes_is_refused(seed: int) -> None:
    with pytest.raises(MatrixError, match="seed"):
        expand(parse_matrix(GOOD, "m", "m.toml"), small_registry(), [f"seed={seed}"])
