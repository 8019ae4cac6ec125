"""How it was measured: hardware, software, data, protocol, definitions, and how to cite."""

from __future__ import annotations

from benchsuite.contracts import Fact, Facts, Section
from benchsuite.report.material import Material
from benchsuite.report.site import Page


def methods_page(material: Material) -> Page:
    machines = tuple(
        Facts(machine.name, tuple(Fact(name, text) for name, text in machine.facts))
        for machine in material.machines
    )
    return Page("methods", "Methods and environment", (Section("Hardware", machines),), "", "Methods")
