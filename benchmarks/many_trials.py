"""Ten thousand trials of nothing through the local executor: `python -m benchmarks.many_trials [TRIALS]`.

Prints what a trial costs, how much memory the parent holds after a tenth of them and near their end, and how
long the study takes to be opened, planned, shown and reported.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.processes import NULL, environment, install_null, python, suite

TRIALS = 10_000
LOOK_SECONDS = 0.2
"""How often the parent's memory is looked at."""

OPEN = """
import sys, time
from pathlib import Path
from benchsuite.running.study import StoredStudy
begin = time.perf_counter(), time.process_time()
study = StoredStudy.read(Path(sys.argv[1]))
print(len(study.records), time.perf_counter() - begin[0], time.process_time() - begin[1])
"""


@dataclass(frozen=True)
class Cost:
    """Seconds of a command and of all processes that it started, and the most memory it held, in bytes."""

    wall: float
    cpu: float
    memory: int


def matrix(folder: Path, trials: int) -> Path:
    """The null matrix with that many seeds."""
    text = (NULL / "null.toml").read_text(encoding="utf-8").partition("seed = ")[0]
    path = folder / "many.toml"
    path.write_text(f"{text}seed = {list(range(trials))}\n".replace('"null"\nsummary', '"many"\nsummary'))
    return path


def watched(
    command: list[str], variables: dict[str, str], journal: Path
) -> tuple[Cost, list[tuple[int, int]]]:
    """What a run costs, and (records in its journal, bytes of memory of the parent) while it runs."""
    before, begin = _children_seconds(), time.perf_counter()
    seen, records, read, most = list[tuple[int, int]](), 0, 0, 0
    with subprocess.Popen(
        command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        parent = psutil.Process(process.pid)
        while process.poll() is None:
            time.sleep(LOOK_SECONDS)
            if journal.is_file():
                with journal.open("rb") as file:
                    file.seek(read)
                    new = file.read()
                records, read = records + new.count(b"\n"), read + len(new)
            try:
                memory = int(parent.memory_info().rss)
            except psutil.Error:
                break
            most = max(most, memory)
            if memory:
                seen.append((records, memory))
        process.wait()
    return Cost(time.perf_counter() - begin, _children_seconds() - before, most), seen


def _children_seconds() -> float:
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime


def at(seen: list[tuple[int, int]], records: int) -> float:
    """MiB that the parent held when its journal first had that many records; the last one seen else."""
    return next((memory for count, memory in seen if count >= records), seen[-1][1]) / 2**20


def main(trials: int) -> None:
    """Run, then read."""
    with tempfile.TemporaryDirectory(prefix="benchsuite-many-") as made:
        folder = Path(made)
        paths = [install_null(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
        variables = environment(folder / "compiled", PYTHONPATH=os.pathsep.join(paths))
        asked, results = matrix(folder, trials), folder / "results"
        few = suite("run", str(asked), "--set", "seed=0", "--results", str(folder / "first"))
        watched([*few, "--tracking-uri", "none"], variables, folder)  # compiles what is imported
        where = ["--results", str(results)]
        run, seen = watched(
            suite("run", str(asked), *where, "--tracking-uri", "none"),
            variables,
            results / "many" / "records.jsonl",
        )
        print(f"{trials:,} trials of nothing: wall {run.wall:.1f} s, CPU of all processes {run.cpu:.1f} s")
        print(f"  each: wall {1e3 * run.wall / trials:.1f} ms, CPU {1e3 * run.cpu / trials:.1f} ms")
        shares = [trials // 10, trials // 2, trials - trials // 100]
        print("  memory of the parent:", ", ".join(f"{at(seen, n):.0f} MiB at {n:,}" for n in shares))
        size = (results / "many" / "records.jsonl").stat().st_size
        opened = subprocess.run(
            python("-c", OPEN, str(results / "many")),
            env=variables,
            capture_output=True,
            text=True,
            check=True,
        )
        count, wall, cpu = opened.stdout.split()
        took = f"opens in {float(wall):.2f} s (CPU {float(cpu):.2f} s)"
        print(f"  its journal of {size / 2**20:.0f} MiB, {count} records, {took}")
        report = ["report", "many", *where, "--output", str(folder / "site")]
        for name, command in {
            "plan": ["plan", str(asked), *where],
            "show": ["show", "many", *where],
            "report": report,
            "report as Markdown": [*report[:-1], str(folder / "text"), "--format", "markdown"],
        }.items():
            cost, _ = watched(suite(*command), variables, folder)
            print(f"  {name}: wall {cost.wall:.1f} s, CPU {cost.cpu:.1f} s, {cost.memory / 2**20:.0f} MiB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else TRIALS)
