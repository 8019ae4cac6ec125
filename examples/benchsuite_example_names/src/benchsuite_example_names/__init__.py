"""First names, letter by letter: a task on a small file that it downloads. Nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import Iterable

from benchsuite import hookimpl
from benchsuite.contracts import DataFile, Option, Task, TaskEntry

NAMES = DataFile(
    name="makemore_names.txt",
    url="https://raw.githubusercontent.com/karpathy/makemore/988aa59e4d8fefa526d06f3b453ad116258398d4/names.txt",
    sha256="0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d",
    bytes=228145,
    licence="MIT (of the repository)",
)


def _load() -> Task:
    from benchsuite_example_names.task import NamesTask

    return NamesTask()


@hookimpl
def benchsuite_register_tasks() -> Iterable[TaskEntry]:
    return [
        TaskEntry(
            "names",
            _load,
            "the next letter of a first name",
            sources={
                "makemore": "29,494 first names (228 kB)",
                "generated": "names of random syllables; needs no download",
            },
            offline=("generated",),
            architectures=("plain", "deep"),
            options={
                "names": Option(
                    600, "names of the source `generated`, all splits together", least=100, most=5000
                )
            },
            files=(NAMES,),
        )
    ]
