"""How one file came from another: the shortest chains between them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any, Final

from provdb.lineage.assess import completeness_of
from provdb.lineage.completeness import Completeness
from provdb.lineage.file_answer import lineage_until
from provdb.lineage.result import (
    Lineage,
    LineageEdge,
    LineageNode,
    joined_marks,
    weakness,
)
from provdb.lineage.traverse import WalkOptions
from provdb.store import Store
from provdb.tabular import Tabular, html_note

__all__ = ["Paths", "path"]

_EVERYTHING: Final = WalkOptions()
_LIMIT: Final = 10
_COMPLETE: Final = Completeness()


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths(Tabular):
    """The shortest chains from one version of a file back to another one.

    Attributes:
        question: What was asked, as text by name.
        later: Id of the version that came from the other one; of the second file
            where neither did.
        earlier: Id of that other one.
        chains: Ids of the nodes of each chain, from the later version back; none if
            neither came from the other.
        count: How many chains of that length there are.
        nodes: The nodes of the chains, nearest to the later version first.
        edges: The relations along the chains; two where an entity has two roles.
        warnings: What the reader should know: limits, ties.
        completeness: What is missing or in doubt along the chains.
        damaging: Activities that may have damaged a file of the chains.
    """

    question: Mapping[str, Any]
    later: str
    earlier: str
    chains: tuple[tuple[str, ...], ...]
    count: int
    nodes: tuple[LineageNode, ...]
    edges: tuple[LineageEdge, ...]
    warnings: tuple[str, ...] = ()
    completeness: Completeness = _COMPLETE
    damaging: tuple[LineageNode, ...] = ()

    @property
    def is_reversed(self) -> bool:
        """Whether the first file came from the second one, not the second from it."""
        ids = self.question["ids"]
        return bool(self.chains) and self.later == ids[0] != self.earlier

    @property
    def truncated(self) -> bool:
        """Whether there are more chains than these."""
        return self.count > len(self.chains)

    @property
    def sentence(self) -> str:
        """What was found, in words, and what is in doubt of it."""
        a, b = self.question["names"]
        if not self.chains:
            return f"neither came {b} from {a} nor {a} from {b}"
        later, earlier = (a, b) if self.is_reversed else (b, a)
        steps = sum(id_ in self._activities for id_ in self.chains[0])
        if len(self.chains[0]) == 1:
            return f"{a} and {b} are the same version of one file"
        ways = "1 way" if self.count == 1 else f"{self.count} ways"
        through = "1 step" if steps == 1 else f"{steps} steps"
        shown = f", {len(self.chains)} of them shown" if self.truncated else ""
        answer = f"{later} came from {earlier} in {ways} through {through}{shown}"
        places = self.lineage.places
        missing = self.completeness.missing(places)
        return "; ".join(
            filter(None, (answer, missing, self.completeness.doubts(places)))
        )

    @property
    def lineage(self) -> Lineage:
        """The part of the lineage of the later version that the chains are.

        Where there is no chain it is that version alone.
        """
        return Lineage(
            question={
                "name": self.question["names"][0 if self.is_reversed else 1],
                "id": self.later,
                "direction": "upstream",
                "as_of": self.question["as_of"],
            },
            start=self.later,
            nodes=self.nodes,
            edges=self.edges,
            truncated=self.truncated,
            warnings=self.warnings,
            completeness=self.completeness,
            damaging=self.damaging,
        )

    def _repr_html_(self) -> str:
        """Return the table that a notebook shows, and below it the sentence."""
        return Tabular._repr_html_(self) + html_note(self.sentence)

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each node of each chain, from the later version back.

        Beside the node it holds the relation by which the node above comes from it,
        the evidence for that relation, and what is in doubt of both.
        """
        nodes = {node.id: node for node in self.nodes}
        edges: dict[tuple[str, str], list[LineageEdge]] = {}
        for edge in self.edges:
            edges.setdefault((edge.source, edge.target), []).append(edge)
        rows = []
        for number, chain in enumerate(self.chains, start=1):
            above = [[], *(edges[pair] for pair in pairwise(chain))]
            rows += [
                {
                    "path": number,
                    **nodes[id_].to_dict(),
                    **_relation(nodes[id_], found),
                }
                for id_, found in zip(chain, above, strict=True)
            ]
        return rows

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as it stands in JSON."""
        return {
            "question": dict(self.question),
            "later": self.later if self.chains else None,
            "earlier": self.earlier if self.chains else None,
            "paths": [list(chain) for chain in self.chains],
            "count": self.count,
            "nodes": [node.to_dict() for node in self.nodes],
            "edges": [edge.to_dict() for edge in self.edges],
            "truncated": self.truncated,
            "warnings": list(self.warnings),
            "completeness": self.completeness.to_dict(sentence=self.sentence),
        }

    @property
    def _activities(self) -> set[str]:
        return {node.id for node in self.nodes if node.kind == "activity"}


def path(
    store: Store,
    a: str,
    b: str,
    *,
    options: WalkOptions = _EVERYTHING,
    limit: int = _LIMIT,
) -> Paths:
    """Return how one file came from another: the shortest chains between them.

    It is looked for in the lineage of the second file, then in that of the first: a
    chain exists exactly when one of them is in the lineage of the other.

    Args:
        store: Where the documents are.
        a: The one file, as `find_name` takes it.
        b: The other one.
        options: How far to walk, and through what.
        limit: Chains to return at most.

    Raises:
        NotFound: Nothing has one of the names.
        Ambiguous: Several things have one of them.

    >>> import provdb
    >>> from provdb.store import open_store
    >>> store = open_store("memory://")
    >>> records = provdb.store_demo(store)
    >>> found = path(store, "LST-1.1.Run01807.0003.fits.fz", "dl3_LST-1.Run01807.fits")
    >>> [node.name for node in found.nodes if node.kind == "activity"]
    ['dl2_to_dl3', 'merge_dl2', 'dl1_to_dl2', 'dl1ab', 'r0_to_dl1']
    """
    answer = lineage_until(store, b, a, options=options)
    first = answer
    if not _is_found(answer):
        answer = lineage_until(store, a, b, options=options)
    ids = [str(first.question["until"]), first.start]
    question = {"names": [a, b], "ids": ids, "as_of": first.question["as_of"]}
    if not _is_found(answer):
        return _none(question, first, answer)
    return _found(question, answer, limit=limit)


def _is_found(answer: Lineage) -> bool:
    return any(node.id == answer.question["until"] for node in answer.nodes)


def _none(question: Mapping[str, Any], of_b: Lineage, of_a: Lineage) -> Paths:
    """Return that there is no chain, and which other versions there are chains to."""
    a, b = question["names"]
    others = [
        f"{later} came from another version of {earlier}: {node.id}"
        for answer, later, earlier in ((of_b, b, a), (of_a, a, b))
        for node in answer.nodes
        if node.entity == _entity(answer.question["until"])
    ]
    cut = [w for w in (*of_b.warnings, *of_a.warnings) if w.startswith("the answer")]
    return Paths(
        question=question,
        later=of_b.start,
        earlier=of_a.start,
        chains=(),
        count=0,
        nodes=(),
        edges=(),
        warnings=tuple(dict.fromkeys([*others, *cut])),
    )


def _entity(version: str) -> str:
    return version.partition("@")[0]


def _found(question: Mapping[str, Any], answer: Lineage, *, limit: int) -> Paths:
    earlier = str(answer.question["until"])
    ways = _Ways(answer, earlier)
    chains = tuple(islice(ways.chains(), limit))
    pairs = {pair for chain in chains for pair in pairwise(chain)}
    shown = {id_ for chain in chains for id_ in chain}
    nodes = tuple(node for node in ways.in_order(answer.nodes) if node.id in shown)
    edges = tuple(e for e in answer.edges if (e.source, e.target) in pairs)
    damaged_by = {id_ for edge in edges for id_ in edge.damaged_by}
    return Paths(
        question=question,
        later=answer.start,
        earlier=earlier,
        chains=chains,
        count=ways.count(),
        nodes=nodes,
        edges=edges,
        # What the earlier file itself came from is not part of the answer.
        completeness=completeness_of(
            [node for node in nodes if node.id != earlier],
            edges,
            reasons=dict(answer.completeness.mixed),
        ),
        damaging=tuple(
            node
            for node in (*answer.nodes, *answer.damaging)
            if node.id in damaged_by - shown
        ),
    )


class _Ways:
    """All shortest chains from the start of a lineage to one of its nodes."""

    def __init__(self, answer: Lineage, end: str) -> None:
        self._start, self._end = answer.start, end
        self._places = {
            node.id: place for place, node in enumerate(self.in_order(answer.nodes))
        }
        distances = {node.id: node.distance for node in answer.nodes}
        above: dict[str, set[str]] = {}
        for edge in answer.edges:
            if distances[edge.target] == distances[edge.source] + 1:
                above.setdefault(edge.target, set()).add(edge.source)
        # Only what leads to the end: no chain that is begun has to be given up.
        self._below: dict[str, set[str]] = {}
        todo = [end]
        seen = {end}
        for node in todo:
            for source in above.get(node, ()):
                self._below.setdefault(source, set()).add(node)
                if source not in seen:
                    seen.add(source)
                    todo.append(source)
        self._nearest_last = todo

    @staticmethod
    def in_order(nodes: Iterable[LineageNode]) -> list[LineageNode]:
        """Return nodes in an order of their own, nearest first."""
        return sorted(
            nodes,
            key=lambda node: (
                node.distance,
                -1 if node.run is None else node.run,
                -1 if node.subrun is None else node.subrun,
                node.location or node.name or "",
                node.id,
            ),
        )

    def chains(self) -> Iterator[tuple[str, ...]]:
        """Yield each chain, in the order of their nodes."""
        waiting: list[tuple[str, ...]] = [(self._start,)]
        while waiting:
            chain = waiting.pop()
            if chain[-1] == self._end:
                yield chain
                continue
            below = sorted(self._below[chain[-1]], key=self._places.__getitem__)
            waiting += [(*chain, node) for node in reversed(below)]

    def count(self) -> int:
        """Return how many chains there are, without following each."""
        counts = {self._end: 1}
        for node in self._nearest_last[1:]:
            counts[node] = sum(counts[below] for below in self._below[node])
        return counts[self._start]


def _relation(node: LineageNode, edges: Iterable[LineageEdge]) -> dict[str, Any]:
    found = list(edges)
    roles = sorted({edge.role for edge in found if edge.role is not None})
    return {
        "relation": found[0].relation if found else None,
        "role": ", ".join(roles) or None,
        "evidence": max((e.evidence for e in found), key=weakness, default=None),
        "inferred": any(edge.is_inferred for edge in found),
        "rule": next((edge.rule for edge in found if edge.rule is not None), None),
        "time_conflict": any(edge.time_conflict for edge in found),
        "marks": list(joined_marks([node.marks, *(edge.marks for edge in found)])),
    }
