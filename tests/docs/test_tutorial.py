"""The tutorial as it says: its matrix, its commands in their order, its Python, and what it reads from them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures.command import call
from fixtures.sources import ROOT

from benchsuite.running.study import StoredStudy

TEXT = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(sh|toml|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """What the tutorial tells to type, but for its installation."""
    lines = [line for kind, text in BLOCK.findall(TEXT) if kind == "sh" for line in text.splitlines()]
    return [line for line in lines if line.startswith("benchsuite ")]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What each command printed; the folder of the tutorial is the current one."""
    folder = tmp_path_factory.mktemp("tutorial")
    printed: dict[str, str] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("BENCHSUITE_RESULTS", raising=False)
        for kind, text in BLOCK.findall(TEXT):
            if kind == "toml":
                Path(text.splitlines()[0].removeprefix("# ")).write_text(text, encoding="utf-8")
            elif kind == "python":
                exec(compile(text, "docs/tutorial.md", "exec"), {})
            for line in text.splitlines() if kind == "sh" else ():
                if line.startswith("benchsuite "):
                    _, *words = shlex.split(line)
                    # the mirror to MLflow is no part of what the tutorial installs
                    extra = ["--tracking-uri", "none"] if words[0] == "run" else []
                    printed[line] = call(*words, *extra).stdout
        yield printed


def test_the_tutorial_runs_from_the_installation_to_the_bundle(done: dict[str, str]) -> None:
    assert list(done) == commands()
    assert {"run", "plan", "compare", "report", "bundle", "show", "reproduce"} == {
        line.split()[1] for line in done
    }


def test_the_first_result_has_the_caution_that_the_tutorial_explains(done: dict[str, str]) -> None:
    text = done["benchsuite run smoke --backend numpy"]
    assert "below baseline" in text
    assert "0.09665" in text


def test_the_answer_is_the_one_that_the_tutorial_reads(done: dict[str, str]) -> None:
    frame = StoredStudy.load("results/first").frame()
    error = frame.groupby("cell")["test/mse"].mean()
    assert error["rnn"] > 0.14
    assert error["lstm"] < 0.01
    assert error["gru"] < 0.01
    assert set(frame["verdict.parity"]) == {"ok"}
    assert "not distinguishable from gru plain with n = 3: lstm plain" in done["benchsuite run first.toml"]
    assert "9 trials" in done["benchsuite plan first.toml"]
    assert "B is better" in done["benchsuite compare first:cell=rnn first:cell=lstm"]


def test_the_report_and_the_bundle_are_there_and_read(done: dict[str, str]) -> None:
    assert Path("site/index.html").is_file()
    assert Path("site/gradients.html").is_file()
    assert "gru plain" in done["benchsuite show first.crate.zip"]
    assert "lstm plain" in done["benchsuite reproduce first.crate.zip e4ca"]
