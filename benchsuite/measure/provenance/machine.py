"""The environment of a process: hardware, system, software, threads."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from functools import cache
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import threadpoolctl

from benchsuite.measure.provenance.cpu import cpu_facts
from benchsuite.measure.provenance.gpu import gpu_facts
from benchsuite.schema.texts import described, sentence

ROOT = Path(__file__).resolve().parents[3]
"""The folder that the package lies in."""

MARKER = "benchsuite-environment.json"
"""In the folder of an environment that `benchsuite env create` made: what it was made of."""

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "GLIBC_TUNABLES",
    "CUDA_VISIBLE_DEVICES",
    "CUBLAS_WORKSPACE_CONFIG",
    "XLA_FLAGS",
    "JAX_ENABLE_X64",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_DETERMINISTIC_OPS",
    "TF_XLA_FLAGS",
    "PYTHONHASHSEED",
    "LD_PRELOAD",
)
"""Environment variables that change results or speed; recorded where they are set."""
KERNEL_VARIABLES = (
    "OPENBLAS_CORETYPE",
    "MKL_ENABLE_INSTRUCTIONS",
    "ONEDNN_MAX_CPU_ISA",
    "ATEN_CPU_CAPABILITY",
    "NPY_DISABLE_CPU_FEATURES",
)
"""Those that choose one library's instructions and leave the others theirs; recorded as well."""


@cache
def environment() -> dict[str, str]:
    """Facts of this process and machine, by dotted name; strings only."""
    facts = {
        **hardware(),
        "hardware.memory_bytes": str(psutil.virtual_memory().total),
        "system.platform": platform.platform(),
        "system.machine": platform.machine(),
        "system.libc": " ".join(platform.libc_ver()),
        "python.version": platform.python_version(),
        "python.implementation": platform.python_implementation(),
        "python.numpy": np.__version__,
        "python.environment": _environment_name(Path(sys.prefix)),
        "python.distributions": _distributions(),
        **_git_commit(),
    }
    for pool in threadpoolctl.threadpool_info():
        facts[f"threads.{pool['user_api']}.{pool['prefix']}"] = str(pool["num_threads"])
        if pool["user_api"] == "blas":
            facts[f"blas.{pool['prefix']}"] = _version_and_kernels(pool)
    known = (*VARIABLES, *KERNEL_VARIABLES)
    facts |= {f"variable.{name}": os.environ[name] for name in known if name in os.environ}
    return {name: value for name, value in facts.items() if value}


@cache
def hardware() -> dict[str, str]:
    """The facts of environment() that tell one machine from another; they take no look at what is installed."""
    facts = {
        **cpu_facts(),
        "hardware.cores": str(psutil.cpu_count(logical=False) or os.cpu_count()),
        "hardware.logical_cores": str(os.cpu_count()),
        **gpu_facts(),
    }
    return {name: value for name, value in facts.items() if value}


def kernel_variables() -> dict[str, str]:
    """The environment variables that are set here and choose which instructions a library uses."""
    names = (*KERNEL_VARIABLES, "GLIBC_TUNABLES", "TF_ENABLE_ONEDNN_OPTS", "TF_XLA_FLAGS", "XLA_FLAGS")
    return {name: os.environ[name] for name in names if name in os.environ}


def _version_and_kernels(pool: dict[str, Any]) -> str:
    """Such as `0.3.31, SkylakeX kernels`: the same library is half as fast with another processor's."""
    kernels = f"{pool['architecture']} kernels" if pool.get("architecture") else ""
    return ", ".join(filter(None, [pool["version"] or "", kernels]))


def _environment_name(prefix: Path) -> str:
    """The name of the environment of `benchsuite env create` that this interpreter belongs to; "" for another.
    Its path would tell readers of a published record whose machine it was."""
    return prefix.name if (prefix / MARKER).is_file() else ""


def _distributions() -> str:
    found = dict(filter(None, map(_name_and_version, distributions())))
    return ", ".join(f"{name}=={found[name]}" for name in sorted(found, key=str.lower))


def _name_and_version(distribution: Distribution) -> tuple[str, str] | None:
    """From the head of its metadata; None where that is missing. importlib parses all of it, the long
    description too, whenever it is asked: a tenth of a second for two hundred distributions."""
    text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        if not line:
            break  # the head ends here
        name, _, value = line.partition(":")
        fields.setdefault(name.lower(), value.strip())
    return (fields["name"], fields["version"]) if fields.get("name") and fields.get("version") else None


def _git_commit(root: Path = ROOT) -> dict[str, str]:
    """`code.git_commit`: the commit of the source tree this package runs from, with `+changes` where files
    differ; or `code.git_problem`: why it is not known."""
    if not (root / ".git").exists():
        return {}
    try:
        commit = _git(root, "rev-parse", "HEAD")
        changes = "+changes" if _git(root, "status", "--porcelain", "--untracked-files=no") else ""
    except subprocess.CalledProcessError as error:
        return {"code.git_problem": sentence(str(error.stderr).strip().partition("\n")[0])}
    except (OSError, subprocess.SubprocessError) as error:
        return {"code.git_problem": described(error)}
    return {"code.git_commit": commit + changes}


def _git(root: Path, *arguments: str) -> str:
    """What git says of the tree at `root`. Variables such as GIT_DIR, which a hook of another repository sets,
    would make it say something of that one; and who owns the tree does not matter to a reader."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    asked = ["git", "-C", str(root), "-c", f"safe.directory={root}", "-c", "core.fsmonitor=false"]
    done = subprocess.run(
        [*asked, *arguments], capture_output=True, text=True, timeout=10, check=True, env=own
    )
    return done.stdout.strip()
