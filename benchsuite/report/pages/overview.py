"""The first page: which model and which backend to use, and how sure that is."""

from __future__ import annotations

from benchsuite.contracts import Card, Cards, Cell, Column, Paragraph, Section, Table
from benchsuite.ranking import SPEED, Model
from benchsuite.report.material import Board, Material
from benchsuite.report.site import Page
from benchsuite.report.words import count, estimate


def overview_page(material: Material) -> Page:
    cards = Cards(tuple(_card(board) for board in material.boards))
    sections = [Section("", (cards,))]
    sections += [Section(board.title, (ranking_table(board),)) for board in material.boards if board.ranking]
    lead = f"{count(len(material.entries), 'trial')} of {material.name}."
    return Page("overview", f"Which model, which backend? {material.name}", tuple(sections), lead, "Overview")


def _card(board: Board) -> Card:
    ranking = board.ranking
    if ranking is None or not ranking.models:
        return Card(board.title, board.key, "No trial has a result.")
    best = ranking.models[0]
    assert best.metric is not None
    value = estimate(best.metric.mean, best.metric.half_width)
    return Card(
        board.title,
        board.key,
        f"{best.name}: {ranking.metric} {value}",
        (Paragraph(f"Fastest with {ranking.way(best.best)}."),),
    )


def ranking_table(board: Board) -> Table:
    """The models of a board, the best first."""
    ranking = board.ranking
    assert ranking is not None
    rows = [_row(place, model, ranking.way(model.best)) for place, model in enumerate(ranking.models, 1)]
    columns = (
        Column("", "integer"),
        Column("model"),
        Column(ranking.metric, "number"),
        Column("fastest with"),
        Column("sequences/s", "rate"),
    )
    return Table(f"Ranking: {board.title}", columns, rows)


def _row(place: int, model: Model, way: str) -> list[Cell]:
    metric = model.metric
    speed = model.best.scalars.get(SPEED)
    mean, half = (None, None) if metric is None else (metric.mean, metric.half_width)
    return [
        Cell(place),
        Cell(model.name),
        Cell(mean, half=half, mark="best" if place == 1 else ""),
        Cell(way),
        Cell(speed.mean if speed else None),
    ]
