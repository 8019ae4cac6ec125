"""Commands that a report prints are for the study at hand, and are run here as a reader would type them."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from fixtures.blocks import everything, text
from fixtures.records import record
from typer.testing import CliRunner, Result

from benchsuite.cli.app import app
from benchsuite.cli.studies import close_bundles, open_study
from benchsuite.contracts.report import Command
from benchsuite.report import commands
from benchsuite.report.commands import Variation, reproduce_command, results_words, vary
from benchsuite.report.content import make_site
from benchsuite.report.data import collect
from benchsuite.running.store import StudyStore
from benchsuite.running.study import StoredStudy, run

TINY = {
    "size.hidden": 4, "recipe.epochs": 1, "recipe.limit": 64, "recipe.batch_size": 16, "protocol.rounds": 3,
    "protocol.round_seconds": 0.001, "protocol.warmup_seconds": 0.01, "protocol.gradient_snapshots": 2,
}  # fmt: skip
AXES = {
    "task": "adding", "source": "generated", "options.length": 8, "options.examples": 200, "cell": "lstm",
    "architecture": "plain", "backend": "numpy", "seed": 0,
}  # fmt: skip
VARIATIONS = [one for one in vars(commands).values() if isinstance(one, Variation)]


def call(command: str, *more: str) -> Result:
    words = shlex.split(command)
    assert words[0] == "benchsuite"
    result = CliRunner().invoke(app, [*words[1:], *more])
    assert isinstance(result.exception, SystemExit | None), result.exception
    return result


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the results of a study of one trial, and with its matrix."""
    home = tmp_path_factory.mktemp("home")
    lines = ["[defaults]", *(f"{name} = {value}" for name, value in TINY.items()), "[axes]"]
    lines += [f"{name} = {json.dumps(value)}" for name, value in AXES.items()]
    (home / "mine.toml").write_text("\n".join(lines))
    done = run(home / "mine.toml", results=home / "results", name="mine", tracking_uri="none")
    assert [str(one.status) for one in done.records] == ["ok"]
    return home


@pytest.fixture
def study(home: Path, monkeypatch: pytest.MonkeyPatch) -> StoredStudy:
    monkeypatch.chdir(home)
    monkeypatch.delenv("BENCHSUITE_RESULTS", raising=False)
    return open_study("mine", None)


def printed(study: StoredStudy) -> list[str]:
    """Every command on the pages of the report, those of trials included."""
    site = make_site(collect([study]))
    pages = [*site.pages, *site.trials(0, 1)]
    blocks = [block for page in pages for block in everything(page) if isinstance(block, Command)]
    return list(dict.fromkeys(block.text for block in blocks if block.text.startswith("benchsuite ")))


def test_every_command_of_a_report_plans_what_its_sentence_says(study: StoredStudy) -> None:
    """No command runs a trial into the study itself, and none runs more than a handful."""
    runs = [command for command in printed(study) if command.startswith("benchsuite run ")]
    assert len(runs) >= 6
    for command in runs:
        said = call(command, "--dry-run")
        assert said.exit_code == 0, said.output
        count = int(re.findall(r"(\d+) trials? to run", said.output)[0])
        assert 2 <= count <= 4, command
        name = re.findall(r"--name (\S+)", command)[0]
        assert f"study {name}:" in said.output
        assert name != "mine"


def test_a_printed_command_gives_what_the_page_lacked(study: StoredStudy, home: Path) -> None:
    (command,) = [one for one in printed(study) if "size.hidden=" in one]
    done = call(command.replace("32,64,128,256", "4,8,16"))
    assert done.exit_code == 0, done.output
    varied = StoredStudy.load(home / "results" / "mine-hidden")
    said = "\n".join(text(everything(page)) for page in make_site(collect([varied])).pages)
    assert "scaling with hidden size" not in said
    assert len(StoredStudy.load(home / "results" / "mine").records) == 1, "the study itself stays as it is"


def test_a_trial_is_run_again_by_the_command_on_its_page(study: StoredStudy) -> None:
    (command,) = [one for one in printed(study) if study.records[0].trial_id in one]
    assert command == f"benchsuite reproduce mine {study.records[0].trial_id}"
    done = call(command)
    assert done.exit_code == 0, done.output
    assert call("benchsuite reproduce mine").exit_code == 0


@pytest.mark.usefixtures("study")
def test_of_a_bundle_the_command_names_the_bundle() -> None:
    made = call("benchsuite bundle mine --output kept.crate.zip --no-report")
    assert made.exit_code == 0, made.output
    try:
        opened = open_study("kept.crate.zip", None)
        command = reproduce_command(opened, opened.records[0].trial_id).text
        assert command == f"benchsuite reproduce kept.crate.zip {opened.records[0].trial_id}"
        assert not results_words(opened)
        runs = [one for one in printed(opened) if one.startswith("benchsuite run ")]
        assert all("/tmp" not in one.split("--name")[1] for one in runs)
    finally:
        close_bundles()
    assert call(command).exit_code == 0


@pytest.mark.usefixtures("study")
def test_a_study_that_lies_elsewhere_is_named_with_its_folder(home: Path, tmp_path: Path) -> None:
    again = StoredStudy.load(home / "results" / "mine")
    assert reproduce_command(again).text == "benchsuite reproduce mine"
    store = StudyStore(tmp_path / "others" / "away")
    with store.writing():
        store.describe({"matrix": {}})
        store.append(record())
    away = StoredStudy.load(tmp_path / "others" / "away")
    assert reproduce_command(away).text == f"benchsuite reproduce away --results {tmp_path / 'others'}"


@pytest.mark.parametrize("variation", VARIATIONS, ids=lambda one: one.name)
def test_where_nothing_can_be_varied_a_sentence_says_so(variation: Variation) -> None:
    data = collect([StoredStudy("mine", Path("results/mine"), [])])
    (block,) = vary(data, variation)
    assert "No trial of this study can be run with" in text([block])


def test_a_matrix_that_is_no_file_any_more_is_said_to_be_on_the_methods_page(tmp_path: Path) -> None:
    store = StudyStore(tmp_path / "results" / "mine")
    with store.writing():
        store.describe({"matrix": {"name": "own matrix", "origin": "/gone/own.toml", "text": "[axes]"}})
        store.append(record())
    blocks = vary(collect([StoredStudy.load(tmp_path / "results" / "mine")]), commands.VARY_HIDDEN)
    assert "is on the page Methods; save it as own-matrix.toml" in text(blocks)
    assert "benchsuite run own-matrix.toml" in text(blocks)
