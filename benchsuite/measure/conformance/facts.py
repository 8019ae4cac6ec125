"""What a backend and a program say of themselves, which records keep as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchsuite.contracts import Compilation, Device
from benchsuite.errors import UnsupportedError
from benchsuite.measure.conformance.backend import ConformanceError, Kit
from benchsuite.measure.conformance.cases import Case
from benchsuite.schema import DeviceName


def check_facts(kit: Kit, case: Case) -> None:
    """devices() names `cpu` first and no device twice; versions() and notes() are texts by name, memory() whole
    numbers of bytes; compilations() says what was compiled; product() gives a function that runs."""
    backend, program = kit.backend, kit.build(case)
    program.step(program.place(case.batch(kit.dtype)))
    program.synchronize()
    program.kernel()
    _check_devices(backend.devices())
    _check_texts("versions()", backend.versions(), str)
    _check_texts("notes()", program.notes(), str)
    _check_texts("memory()", program.memory(), int)
    _check_compilations(program.compilations())
    backend.product(8, 4, 3, kit.execution)()


def _check_devices(devices: list[Device]) -> None:
    names = [device.name for device in devices]
    if names[:1] != ["cpu"] or len(set(names)) < len(names):
        raise ConformanceError(
            f"devices() gives {', '.join(names) or 'none'}; must begin with cpu, each one once"
        )
    for name in names:
        try:
            DeviceName.parse(name)
        except UnsupportedError as error:
            raise ConformanceError(f"devices(): {error}") from None


def _check_compilations(found: Sequence[object]) -> None:
    for one in found:
        if not isinstance(one, Compilation) or not min(one.seconds, one.cpu_seconds) >= 0:
            raise ConformanceError(
                f"compilations() gives {one!r}; must be Compilation, with seconds that are not negative"
            )


def _check_texts(what: str, found: Mapping[str, object], kind: type) -> None:
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, kind):
            raise ConformanceError(f"{what} gives {name!r}: {value!r}, must be {kind.__name__} by name")
