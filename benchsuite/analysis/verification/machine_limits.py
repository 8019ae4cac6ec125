"""Speeds that no machine has: more operations per second than its fastest matrix products."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from benchsuite.analysis.machines import machine_of
from benchsuite.analysis.validity import has_valid_timing
from benchsuite.analysis.verification.evidence import Evidence

LIMIT_SLACK = 1.25
"""Times the best rate of products among the records of a machine. Products of other shapes may be faster than
those that were measured."""


def limit_faults(all_found: Sequence[Evidence]) -> Iterator[str]:
    """Records that do more operations per second than the machine's products showed with the same device,
    threads and precision, in any record."""
    groups: dict[tuple[object, ...], list[Evidence]] = defaultdict(list)
    for found in all_found:
        if has_valid_timing(found.record):
            execution = found.record.trial.execution
            key = (
                machine_of(found.record.environment), execution.device, execution.threads, execution.precision,
            )  # fmt: skip
            groups[key].append(found)
    for members in groups.values():
        best = max((one.scalar("speed/peak_flops_per_second") or 0.0 for one in members), default=0.0)
        for one in members:
            flops, step = one.scalar("speed/flops_per_step"), one.scalar("speed/step_median_seconds")
            if best and flops and step and flops / step > LIMIT_SLACK * best:
                yield one.fault(
                    f"does {flops / step:.3g} operations per second; the machine's products reach {best:.3g}"
                )
