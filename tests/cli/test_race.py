"""`benchsuite race` as a user types it."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from fixtures.command import call
from fixtures.scripted import wait_until

from benchsuite.running.races import read_races
from benchsuite.running.store import StudyStore

RUN = ["run", "smoke", "--backend", "numpy", "--tracking-uri", "none", "--set", "size.hidden=4"]


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A results folder with the study `pair`, of two ways to run one model, and `one`, of a single trial."""
    folder = tmp_path_factory.mktemp("results")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCHSUITE_RESULTS", str(folder))
        call(*RUN, "--name", "pair", "--set", "allocator=tuned,default")
        call(*RUN, "--name", "one")
        yield folder


def test_a_race_is_printed_stored_bundled_and_reported(results: Path, tmp_path: Path) -> None:
    said = call("race", "pair", "--rounds", "6").stdout
    assert "race 1/1: mnist_rows/digits lstm plain, 2 racers" in said
    assert "CPU time of a training step, 6 rounds" in said
    assert "numpy dynamic allocator=tuned" in said
    assert "fastest" in said
    assert f"1 race, stored in {results / 'pair' / 'races'}" in said
    (raced,) = read_races(results / "pair")
    assert raced.races[0].judgement is not None
    path = tmp_path / "pair.zip"
    call("bundle", "pair", "--no-report", "--output", str(path))
    call("report", str(path), "--output", str(tmp_path / "site"), "--format", "markdown")
    text = (tmp_path / "site" / "report.md").read_text("utf-8")
    assert "### Raced" in text
    assert "fell out" not in text
    assert "is a bundle" in call("race", str(path), code=2).stderr


def test_json_is_what_is_stored(results: Path) -> None:
    arguments = [
        "race",
        "pair",
        "--rounds",
        "5",
        "--what",
        "inference",
        "--clock",
        "wall",
        "--json",
        "--no-pin",
    ]
    found = json.loads(call(*arguments).stdout)
    assert (found["what"], found["cores"], found["interrupted"]) == ("inference", "", False)
    (race,) = found["races"]
    assert race["clock"] == "wall"
    assert {racer["problem"] for racer in race["racers"]} == {""}
    assert len(race["judgement"]["ranks"]) == 2
    assert found["races"] == json.loads(read_races(results / "pair")[-1].model_dump_json())["races"]


def test_ways_that_were_not_recorded_race(results: Path, tmp_path: Path) -> None:
    """A study of one trial, in two ways of which one was recorded, with another batch than was recorded."""
    shown = ["race", "one", "--rounds", "5"]
    shown += ["--set", "allocator=tuned,default", "--set", "recipe.batch_size=8"]
    said = call(*shown).stdout
    assert "race 1/1: mnist_rows/digits lstm plain batch_size=8, 2 racers" in said
    (race,) = read_races(results / "one")[-1].races
    assert {racer.trial.execution.allocator for racer in race.racers} == {"tuned", "default"}
    assert {racer.trial.recipe.batch_size for racer in race.racers} == {8}
    call("report", "one", "--output", str(tmp_path), "--format", "markdown")
    text = (tmp_path / "report.md").read_text("utf-8")
    assert "lstm plain batch_size=8 | step | numpy dynamic allocator=tuned" in text.replace("\\", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_asks_to_end_keeps_what_was_raced(results: Path, number: signal.Signals) -> None:
    before = len(read_races(results / "pair"))

    def interrupt() -> None:
        assert wait_until(lambda: len(racers()) == 2, 60)
        time.sleep(2.0)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=interrupt)
    thread.start()
    ended = call("race", "pair", "--rounds", "1000000", code=128 + number)
    thread.join()
    assert "interrupted; what was raced is kept" in ended.stderr
    kept = read_races(results / "pair")
    assert len(kept) <= before + 1
    assert all(one.interrupted for one in kept[before:])
    assert wait_until(lambda: not racers())
    with StudyStore(results / "pair").writing():
        pass


def racers() -> list[psutil.Process]:
    """The workers of this process."""
    return [one for one in psutil.Process().children() if "benchsuite.measure.worker" in one.cmdline()]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "unknown study 'nothing'"),
        (["one"], "only one trial is chosen, mnist_rows/digits lstm plain numpy"),
        (["pair", "--backend", "torch"], "unknown backend of study 'pair' 'torch'"),
        (["pair", "--what", "sleep"], "unknown value of --what 'sleep'"),
        (["pair", "--clock", "sun"], "unknown value of --clock 'sun'"),
        (["pair", "--rounds", "4"], "--rounds"),
        (["pair", "--seed", ","], "--seed names nothing"),
        (["pair", "--set", "thread=2"], "unknown field 'thread'"),
        (["pair", "--set", "allocator=tuned"], "only one trial is chosen"),
        (["pair", "--set", "backend+=torch", "--backend", "jax"], "unknown backend of study 'pair' 'jax'"),
        (["pair", "--python", "numpy=/nowhere"], "is no program that can be run"),
    ],
)
@pytest.mark.usefixtures("results")
def test_a_wrong_request_ends_with_2(arguments: list[str], said: str) -> None:
    assert said in call("race", *arguments, code=2).stderr
