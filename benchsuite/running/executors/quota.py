"""How much processor time the control groups of this process allow: containers and batch systems set that."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

GROUPS_FILE = Path("/proc/self/cgroup")
GROUPS_ROOT = Path("/sys/fs/cgroup")


def parse_cpu_max(text: str) -> float:
    """Processors that `cpu.max` of version 2 allows, as in `150000 100000`; infinite for no limit, and for
    what is no such text."""
    words = text.split()
    if len(words) != 2 or words[0] == "max":
        return math.inf
    return parse_quota(words[0], words[1])


def parse_quota(quota: str, period: str) -> float:
    """Processors that `cpu.cfs_quota_us` and `cpu.cfs_period_us` of version 1 allow; a quota of -1 is none."""
    try:
        numbers = int(quota), int(period)
    except ValueError:
        return math.inf
    return numbers[0] / numbers[1] if min(numbers) > 0 else math.inf


def own_groups(text: str) -> dict[str, str]:
    """What /proc/self/cgroup says: controller -> path of its group; "" is the hierarchy of version 2."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        parts = line.split(":", 2)
        if len(parts) == 3:
            found |= dict.fromkeys(parts[1].split(","), parts[2])
    return found


def allowed_processors(groups: Path = GROUPS_FILE, root: Path = GROUPS_ROOT) -> float:
    """The least that this process's control groups allow, those around them included; infinite for no limit."""
    own = own_groups(_text(groups))
    limits = [parse_cpu_max(_text(folder / "cpu.max")) for folder in _upwards(root, own.get("", "/"))]
    for name in ("cpu", "cpu,cpuacct", "cpuacct,cpu"):
        for folder in _upwards(root / name, own.get("cpu", "/")):
            texts = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
            limits.append(parse_quota(*texts))
    return min(limits)


def group_name(groups: Path = GROUPS_FILE) -> str:
    """A short name of this process's control groups, equal for processes that share a limit."""
    own = own_groups(_text(groups))
    return hashlib.sha256(f"{own.get('', '')}\n{own.get('cpu', '')}".encode()).hexdigest()[:12]


def _upwards(root: Path, path: str) -> list[Path]:
    """The folder of a group and of all groups around it."""
    folder = root / path.strip("/")
    # a group outside of what a container sees has a path that begins with `..`
    if ".." in folder.parts:
        return [root]
    return [folder, *(above for above in folder.parents if above.is_relative_to(root))]


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""
