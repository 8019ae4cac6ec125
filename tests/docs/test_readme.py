"""README.md begins with what costs little, and warns before what costs gigabytes."""

from __future__ import annotations

import re

import pytest
from fixtures.sources import ROOT, project, published_bundle

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INSTALLS = re.compile(r"pip install .*\"\.\[([\w,]+)\]\"|tox run(?: -e (\S+))?")


def frameworks(line: str) -> bool:
    """Whether a command installs PyTorch: an extra that has it, or an environment of tox with all extras."""
    found = INSTALLS.search(line)
    if found is None:
        return False
    extras = project()["project"]["optional-dependencies"]
    asked = (found[1] or "all").split(",")
    return any("torch" in name or "torch" in " ".join(extras[name]) for name in asked)


def installing() -> list[int]:
    """Where in the page a command that installs PyTorch is."""
    return [
        block.start(1) + line.start()
        for block in FENCE.finditer(TEXT)
        for line in re.finditer(r"^.+$", block[1], re.MULTILINE)
        if frameworks(line[0])
    ]


def test_the_first_commands_install_no_framework() -> None:
    first = FENCE.search(TEXT)
    assert first is not None
    assert "benchsuite run smoke --backend numpy" in first[1]
    assert not any(frameworks(line) for line in first[1].splitlines())


def test_the_warning_of_the_cuda_build_comes_before_a_command_that_would_fetch_it() -> None:
    assert len(installing()) >= 2
    assert 0 < TEXT.index("CUDA build") < min(installing())
    assert "gigabytes" in TEXT[: min(installing())]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('python3 -m pip install -c constraints.txt ".[all]"', True),
        ('python3 -m pip install ".[tasks,torch]"', True),
        ("python3 -m pip install tox && tox run -e quick", True),
        ('python3 -m pip install ".[tasks,report]"', False),
        ("benchsuite run quick", False),
    ],
)
def test_which_commands_install_pytorch(line: str, expected: bool) -> None:
    assert frameworks(line) is expected


def test_a_finished_report_is_linked_before_the_installation() -> None:
    assert TEXT.index("(results/README.md)") < TEXT.index("pip install")
    assert published_bundle().is_file()
