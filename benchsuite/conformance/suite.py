"""The whole kit as a list of (check, case) pairs, for pytest and for `benchsuite check`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchsuite.conformance import backend as checks
from benchsuite.conformance.backend import Check, ConformanceError, Kit
from benchsuite.conformance.cases import (
    Case,
    carry_cases,
    model_cases,
    training_cases,
    truncation_cases,
)
from benchsuite.contracts import Backend
from benchsuite.errors import BenchsuiteError, UnsupportedError
from benchsuite.spec import PRECISIONS, UNROLLS, Convolutional, Execution


@dataclass(frozen=True)
class Item:
    """One thing to check."""

    check: Check
    case: Case

    @property
    def name(self) -> str:
        return f"{self.check.__name__.removeprefix('check_')}[{self.case.name}]"


@dataclass(frozen=True)
class Result:
    """How one check of one execution ended: `ok`, `failed` or `unsupported`, and why."""

    item: Item
    execution: Execution
    status: str
    message: str = ""


def suite() -> list[Item]:
    """Every check with the cases it is meant for."""
    models = model_cases()
    recurrent = [case for case in models if not isinstance(case.model.body, Convolutional)]
    ragged = [case for case in recurrent if case.ragged]
    both = [case for case in ragged if "bidirectional" in case.name]
    few = [case for case in models if case.name in ("lstm-plain", "gru-bidirectional-rbf", "cnn")]
    found = [Item(checks.check_gradients, case) for case in models]
    found += [Item(checks.check_gradients, case) for case in truncation_cases()]
    found += [Item(checks.check_full_truncation, case) for case in ragged if case.name.endswith("-deep")]
    found += [Item(checks.check_padding, case) for case in ragged[::2]]
    found += [Item(checks.check_companions, case) for case in ragged[1::2]]
    found += [Item(checks.check_reversal, case) for case in both if case.model.readout != "steps"]
    found += [Item(checks.check_purity, case) for case in few]
    found += [Item(checks.check_log, case) for case in few]
    found += [Item(checks.check_carry, case) for case in carry_cases()]
    found += [Item(checks.check_training, case) for case in training_cases()]
    clipped = [case for case in training_cases() if case.recipe.clip != "none"]
    return found + [Item(checks.check_fifty_steps, case) for case in clipped]


def run_item(kit: Kit, item: Item) -> Result:
    """Run one check; what a backend says it does not support is reported as that, not as a failure."""
    try:
        if reason := kit.supports(item.case):
            return Result(item, kit.execution, "unsupported", reason)
        item.check(kit, item.case)
    except UnsupportedError as error:
        return Result(item, kit.execution, "unsupported", str(error))
    except ConformanceError as error:
        return Result(item, kit.execution, "failed", str(error))
    except BenchsuiteError as error:
        return Result(item, kit.execution, "failed", f"{type(error).__name__}: {error}")
    return Result(item, kit.execution, "ok")


def executions(precision: str, device: str = "cpu") -> list[Execution]:
    """One execution per unroll."""
    return [
        Execution.model_validate({"unroll": unroll, "precision": precision, "device": device})
        for unroll in UNROLLS
    ]


def run_suite(backend: Backend, reference: Backend, precision: str, device: str) -> Iterator[Result]:
    """Every check under every unroll, in one precision (frameworks want their precision set at import)."""
    if precision not in PRECISIONS:
        raise UnsupportedError(f"precision {precision!r}; known: {', '.join(PRECISIONS)}")
    for execution in executions(precision, device):
        kit = Kit(backend, reference, execution)
        for item in suite():
            yield run_item(kit, item)
