"""How to read a board."""

from __future__ import annotations

from benchsuite.contracts.report import Bullets, PageSection, Paragraph
from benchsuite.publishing.board.change_points import LEAST_POINTS, PENALTY, is_available
from benchsuite.publishing.board.told import Told
from benchsuite.report.site import Page


def methods_page(told: Told) -> Page:
    """Levels, rankings, histories, and what is not claimed."""
    levels = Bullets(
        (
            "claimed: somebody published it, and benchsuite verify found a fault, which the study's "
            "page says. It is in no ranking and no history.",
            "verified: every rule of benchsuite verify holds: the files are whole, parity with the "
            "float64 reference was proved within the stated tolerances, no timing is refused, the records"
            " fit the suite.",
            "reproduced by n others: n other names published the same trials, from runs of their own, "
            "with figures that are bit-equal or within the tolerance of a reproduction. Speed and memory "
            "are not part of that.",
            "contradicted: another name got other figures from the same trial. Training amplifies "
            "rounding, so that other hardware or another version may do that; both rows are shown.",
        )
    )
    ranking = (
        Paragraph(
            "Every ranking is of one kind of machine (processor, cores, GPU), one task, source and set of"
            " options. Of several records of a trial the latest verified one counts. Models are ordered "
            "by the metric on the test split, as a mean over seeds; speeds of one model are compared by "
            "processor time where each run has one thread on a CPU, else by wall time."
        ),
    )
    changes = [
        Paragraph(
            "Each point of a history is one study. On each machine the logarithms of the speeds, and the "
            "metrics, are cut into segments of equal level by PELT (Killick, Fearnhead and Eckley 2012) "
            f"with squared deviations as cost and a penalty of {PENALTY:g} s² ln n per change; s² is "
            f"estimated from neighbouring points. Fewer than {LEAST_POINTS} points say nothing, and "
            "changes below 3 % of speed or 0.2 % of a metric are not reported. Changes with a reason are "
            "those that the file accepted.toml of the results repository explains."
        )
    ]
    if not is_available():
        changes.append(Paragraph("This site was made without ruptures: no change was looked for.", "warning"))
    checking = (
        Paragraph(
            "Each study is a bundle: download it, verify it, open its report, run it again. The name of a"
            " study ends in the first digits of the SHA-256 of its content, so that it cannot be "
            "exchanged unseen."
        ),
    )
    sections = (
        PageSection("Levels", (levels,)),
        PageSection("Rankings", ranking),
        PageSection("Histories and changes", tuple(changes)),
        PageSection("Check it yourself", checking),
    )
    return Page(
        "methods", "How to read this", sections, f"{told.title}: what its words mean.", "How to read this"
    )
