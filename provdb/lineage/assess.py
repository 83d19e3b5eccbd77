"""What of some nodes and edges is missing or in doubt: counted from their marks."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from provdb.lineage.completeness import Completeness
from provdb.lineage.result import LineageEdge, LineageNode, is_contested, is_inferred

__all__ = ["completeness_of"]

_GAPS: Final = ("gap", "unknown")
_NO_REASONS: Final[Mapping[str, str]] = MappingProxyType({})


def completeness_of(
    nodes: Collection[LineageNode],
    edges: Collection[LineageEdge],
    *,
    reasons: Mapping[str, str] = _NO_REASONS,
    ties: Collection[str] = (),
    damaged_by: Iterable[str] = (),
    is_cut: bool = False,
) -> Completeness:
    """Return the completeness of an answer that has these nodes and edges.

    Args:
        nodes: The nodes, with their marks.
        edges: The relations between them.
        reasons: What differs in each mixed version, by its id.
        ties: Files that a link rule could link to several others; each a sentence.
        damaged_by: Activities that may have damaged what the question itself read.
        is_cut: Whether a limit or a filter kept something out.

    >>> product = LineageNode("5a2d", "entity", level="DL1", origin="gap")
    >>> completeness_of([product], []).gaps
    ('5a2d',)
    """
    # Nearly all edges are in no doubt, and there can be many.
    marked = [edge for edge in edges if edge.marks]
    damaged = {*damaged_by, *(id_ for edge in marked for id_ in edge.damaged_by)}
    by_evidence = Counter(edge.evidence for edge in edges)
    # What was asked for is read by the question, and its marks are of that.
    doubted = [node for node in nodes if node.marks]
    return Completeness(
        gaps=tuple(sorted(node.id for node in nodes if node.origin in _GAPS)),
        mixed=tuple(
            (node.id, reasons.get(node.id, ""))
            for node in sorted(doubted, key=lambda node: node.id)
            if "mixed" in node.marks
        ),
        contested=sum(edge.is_contested for edge in marked)
        + sum(is_contested(node.marks) for node in doubted),
        time_conflicts=sum(edge.time_conflict for edge in marked)
        + sum("time_conflict" in node.marks for node in doubted),
        inferred=sum(n for how, n in by_evidence.items() if is_inferred(how)),
        damaged=tuple(sorted(damaged)),
        incomplete=tuple(
            sorted(node.id for node in doubted if "incomplete" in node.marks)
        ),
        ties=tuple(ties),
        is_cut=is_cut,
    )
