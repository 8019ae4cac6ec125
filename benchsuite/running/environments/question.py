"""What an environment's interpreter says of itself; asked of it, never guessed."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from benchsuite.errors import RequestError
from benchsuite.running.environments.installers import last_word

SCRIPT = """
import json, platform
from benchsuite.plugins import registry
from importlib.metadata import version
found = registry()
print("\\n" + json.dumps({
    "python": platform.python_version(),
    "benchsuite": version("benchsuite"),
    "backends": {name: found.owners["backend:" + name].distribution for name in found.backends},
    "plugins": {one.distribution: one.problem for one in found.plugins},
}))
"""
ANSWER_SECONDS = 120


@dataclass(frozen=True)
class EnvironmentFacts:
    """Versions of Python and benchsuite; backend -> the distribution that registers it; distribution with
    plugins -> what is wrong with one of them, or ""."""

    python: str
    benchsuite: str
    backends: Mapping[str, str]
    plugins: Mapping[str, str]


def ask(python: str) -> EnvironmentFacts:
    """Raises RequestError where the interpreter does not run, or has no benchsuite."""
    command = [python, "-c", SCRIPT]
    environment = {**os.environ, "PYTHONWARNINGS": "ignore"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False, env=environment
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise RequestError(f"{python} does not run: {error}") from None
    if done.returncode:
        raise RequestError(f"{python} has no benchsuite that works: {last_word(done.stderr)}")
    return EnvironmentFacts(**json.loads(done.stdout.splitlines()[-1]))
