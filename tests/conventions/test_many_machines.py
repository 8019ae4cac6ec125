"""docs/howto/many_machines.md: its files are well formed, its commands are such, and its Slurm array runs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from fixtures.sources import ROOT

from benchsuite.cli.app import app
from benchsuite.running.matrix import builtin_matrices
from benchsuite.running.merge import merge_studies
from benchsuite.running.shards import parse_shard
from benchsuite.running.study import StoredStudy

PAGE = (ROOT / "docs" / "howto" / "many_machines.md").read_text("utf-8")
COMMAND = re.compile(r"benchsuite (?:run|plan|merge|bundle|report|sync|data) [^\n`#]+")
VALUES = {
    "$SLURM_ARRAY_TASK_ID/$shards": "3/16",
    "$((JOB_COMPLETION_INDEX + 1))": "3",
    "${{ matrix.shard }}": "3",
    '"$matrix"': "quick",
    '"$@"': "",
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    found = []
    for line in COMMAND.findall(PAGE):
        for variable, value in VALUES.items():
            line = line.replace(variable, value)
        found.append(line.strip().removesuffix('"') if line.count('"') % 2 else line.strip())
    return found


@pytest.mark.parametrize("line", commands())
def test_a_command_of_the_page_is_one(line: str) -> None:
    _, name, *arguments = shlex.split(line)
    command: Any = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]
    if name == "data":
        command, arguments = command.commands[arguments[0]], arguments[1:]
    given = command.make_context(name, arguments).params
    if name in ("run", "plan"):
        assert given["matrix"] in builtin_matrices()
        assert given["shard"] is None or parse_shard(given["shard"])


def test_the_page_has_the_files_that_it_promises() -> None:
    assert len(commands()) > 15
    assert [len(blocks(language)) for language in ("bash", "yaml")] == [1, 2]


@pytest.mark.parametrize("number", range(len(blocks("bash"))))
def test_a_shell_script_can_be_parsed(number: int) -> None:
    done = subprocess.run(
        ["bash", "-n"], input=blocks("bash")[number], text=True, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_job_of_kubernetes_starts_as_many_shards_as_it_counts() -> None:
    job = yaml.safe_load(blocks("yaml")[0])
    spec = job["spec"]
    assert (job["kind"], spec["completionMode"]) == ("Job", "Indexed")
    (container,) = spec["template"]["spec"]["containers"]
    assert f"+ 1))/{spec['completions']}" in container["args"][0]
    assert container["resources"]["requests"] == container["resources"]["limits"]
    mounted = {one["name"] for one in container["volumeMounts"]}
    assert mounted == {one["name"] for one in spec["template"]["spec"]["volumes"]}
    (rule,) = spec["podFailurePolicy"]["rules"]
    assert rule["onExitCodes"]["containerName"] == container["name"]
    assert spec["template"]["spec"]["restartPolicy"] == "Never"


def test_the_workflow_runs_as_many_shards_as_it_merges() -> None:
    jobs = yaml.safe_load(blocks("yaml")[1])["jobs"]
    shards = jobs["shard"]["strategy"]["matrix"]["shard"]
    assert shards == list(range(1, len(shards) + 1))
    runs = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    assert any(f"}}}}/{len(shards)} " in run for run in runs)
    assert any(f"-of-{len(shards)} " in run for run in runs)
    assert jobs["merge"]["needs"] == "shard"


@pytest.mark.parametrize(
    "count", [pytest.param(2, id="small"), pytest.param(4, marks=pytest.mark.slow, id="larger")]
)
def test_the_array_runs_every_trial_once(tmp_path: Path, count: int) -> None:
    """Each index of the array in turn, as Slurm would start it; then the first one again, alone."""
    program = tmp_path / "bin" / "benchsuite"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m benchsuite "$@"\n')
    program.chmod(0o755)
    script = tmp_path / "array.sbatch"
    script.write_text(blocks("bash")[0])
    asked = ["smoke", "--backend", "numpy", "--set", f"seed={','.join(map(str, range(count)))}"]
    unset = ("BENCHSUITE_RESULTS", "VENV", "SHARDS")
    own = {name: value for name, value in os.environ.items() if name not in unset}

    def start(index: int, **more: str) -> str:
        slurm = {"SLURM_ARRAY_TASK_ID": str(index), "PATH": f"{program.parent}:{own['PATH']}", **more}
        done = subprocess.run(
            ["bash", str(script), *asked],
            cwd=tmp_path,
            env=own | slurm,
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    for index in range(1, count + 1):
        start(index, SLURM_ARRAY_TASK_COUNT=str(count))
    assert "0 trials to run" in start(1, SLURM_ARRAY_TASK_COUNT="1", SHARDS=str(count))
    results = tmp_path / "results"
    shards = [StoredStudy.read(path) for path in sorted(results.glob(f"smoke.shard-*-of-{count}"))]
    assert [len(one.records) for one in shards] == [1] * count
    merged = merge_studies(shards, results / "smoke")
    assert (merged.trials, merged.missing) == (count, ())
