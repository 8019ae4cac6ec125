"""A cell's graph with fewer nodes: operations of one operand are joined, and known formulas have names."""

from __future__ import annotations

from itertools import accumulate

from _extensions.cell_graph import GAP, Node, nodes_of, readers

LONGEST_LABEL = 22
NAMED = {"mean": "LN", "where": "g", "√": "√"}
"""What a part of the graph with one operand is called, by an operation in it: layer normalisation, the
function g of the minimal cells, a root that is bounded near 0."""
LARGEST = "LN"
"""The name that goes to the largest part that it fits; another one goes to the smallest."""
MOST_NODES = 8
SIGNS = ("−", "1/")


def shortened_graph(sinks: list[Node]) -> list[Node]:
    """The nodes of the graph after joining, each after all that it reads."""
    while _named(nodes_of(sinks)) or _joined(nodes_of(sinks)):
        pass
    return nodes_of(sinks)


def _named(nodes: list[Node]) -> bool:
    """Replace one part of the graph that has a single operand and a name by one node."""
    for node in reversed(nodes):  # a part may hold smaller ones
        if len(node.reads) < 2:
            continue
        part, found = [node], None
        while len(part) <= MOST_NODES:
            entries = _entries(part)
            name = next((NAMED[word] for word in NAMED if any(word in each.label for each in part)), None)
            if len(entries) == 1 and name and (found is None or name == LARGEST):
                found = name, next(iter(entries.values()))
            inner = _absorbed(nodes, part)
            if inner is None:
                break
            part.append(inner)
        if found:
            node.label, node.reads = f"{found[0]}({GAP})", [found[1]]
            return True
    return False


def _entries(part: list[Node]) -> dict[tuple[int, str], tuple[Node, str]]:
    """What the nodes of a part read that is none of them: by node, and by gate where it is a split."""
    own = {id(each) for each in part}
    outside = [read for each in part for read in each.reads if id(read[0]) not in own]
    plain = [(node, "" if note in SIGNS else note) for node, note in outside]
    return {(id(node), note): (node, note) for node, note in plain}


def _absorbed(nodes: list[Node], part: list[Node]) -> Node | None:
    """The latest operand of a part that nothing else reads, and that is an operation by element."""
    own, read_by = {id(each) for each in part}, readers(nodes)
    operands = {key for key, _ in _entries(part)}
    for node in reversed(nodes):
        inside = id(node) in operands and all(id(reader) in own for reader in read_by[id(node)])
        if inside and node.kind == "step" and node.label != "split":
            return node
    return None


def _joined(nodes: list[Node]) -> bool:
    """Join one node of a single operand with that operand, where nothing else reads it."""
    read_by = readers(nodes)
    for node in nodes:
        if node.kind in ("source", "sink") or len(node.reads) != 1 or GAP not in node.label:
            continue
        (read, note) = node.reads[0]
        if note or len(read_by[id(read)]) != 1 or len(read.reads) != 1 or GAP not in read.label:
            continue
        if read.kind == "product" and not node.label.startswith(f"{GAP} + "):
            continue
        if node.kind == "product":
            continue
        label = node.label.replace(GAP, _grouped(read.label, node.label))
        if len(label) <= LONGEST_LABEL:
            node.label, node.kind, node.reads = label, read.kind, read.reads
            return True
    return False


def _grouped(inner: str, outer: str) -> str:
    """`inner` as an operand of `outer`: a sum is in brackets where it is multiplied or subtracted."""
    if outer.startswith(f"{GAP} + ") or f"({GAP})" in outer:
        return inner
    depths = accumulate((c == "(") - (c == ")") for c in inner)
    apart = any(c == " " and depth == 0 for c, depth in zip(inner, depths, strict=True))
    return f"({inner})" if apart else inner
