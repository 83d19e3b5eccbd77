"""What of some nodes and edges is missing or in doubt: counted from their marks."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from provdb.lineage.completeness import Completeness
from provdb.lineage.result import LineageEdge, LineageNode

__all__ = ["completeness_of"]

_NO_REASONS: Final[Mapping[str, str]] = MappingProxyType({})


def completeness_of(
    nodes: Collection[LineageNode],
    edges: Collection[LineageEdge],
    *,
    reasons: Mapping[str, str] = _NO_REASONS,
    ties: Collection[str] = (),
    is_cut: bool = False,
) -> Completeness:
    """Return the completeness of an answer that has these nodes and edges.

    Args:
        nodes: The nodes, with their marks.
        edges: The relations between them.
        reasons: What differs in each mixed version, by its id.
        ties: Files that a link rule could link to several others; each a sentence.
        is_cut: Whether a limit or a filter kept something out.

    >>> product = LineageNode("5a2d", "entity", level="DL1", origin="gap")
    >>> completeness_of([product], []).gaps
    ('5a2d',)
    """
    damaged = {id_ for edge in edges for id_ in edge.damaged_by}
    return Completeness(
        gaps=tuple(sorted(node.id for node in nodes if node.origin == "gap")),
        mixed=tuple(
            (node.id, reasons.get(node.id, ""))
            for node in sorted(nodes, key=lambda node: node.id)
            if "mixed" in node.marks
        ),
        contested=sum(edge.is_contested for edge in edges),
        time_conflicts=sum(edge.time_conflict for edge in edges),
        inferred=sum(edge.is_inferred for edge in edges),
        damaged=tuple(sorted(damaged)),
        incomplete=tuple(
            sorted(node.id for node in nodes if "incomplete" in node.marks)
        ),
        ties=tuple(ties),
        is_cut=is_cut,
    )
