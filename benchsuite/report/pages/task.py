"""The page of one task: its models, how they learnt, and what they produce."""

from __future__ import annotations

from benchsuite.contracts import Paragraph, Section
from benchsuite.report.material import Board, Material
from benchsuite.report.pages.overview import ranking_table
from benchsuite.report.site import Page


def task_page(board: Board, material: Material) -> Page:
    del material
    block = ranking_table(board) if board.ranking else Paragraph("No trial has a result.", "warning")
    return Page(board.key, board.title, (Section("Models", (block,)),))
