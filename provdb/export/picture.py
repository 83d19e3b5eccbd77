"""A lineage as a picture: boxes and arrows, before any format of pictures.

Every drawn format is made of this one value, so all have the same boxes, arrows and
words. Whatever stands in the data is text here; each format escapes it in its way.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from provdb.export.labels import facts, name_lines, visible
from provdb.export.links import LinkTemplate
from provdb.lineage import Lineage, LineageEdge, LineageNode, collapse
from provdb.lineage.result import DOUBTS, joined_marks, mark_in_words, name_in_words
from provdb.model import LEVELS

__all__ = ["MOST_BOXES", "Arrow", "Box", "Entry", "Picture", "picture", "readable"]

# Above this the subruns of a step are one box.
MOST_BOXES: Final = 60

_MARKS: Final = ("failed", "interrupted", "running")
_BETWEEN_FILES: Final = ("wasDerivedFrom", "hadMember")
_MEANINGS: Final[Mapping[str, str]] = {
    "step": "step",
    **{level: level for level in LEVELS},
    "file": "other file",
    "value": "value, no file",
    "many": "many of one kind",
    "asked": "what was asked for",
    "failed": "failed",
    "interrupted": "interrupted",
    "running": "has no end",
    "mixed": "mixed: parts of several passes",
    "incomplete": "incomplete: records are missing",
    "gap": "gap: nobody is known to have made it",
    "inferred": "inferred, not recorded",
    "contested": "contested or clock: perhaps another write",
    "time_conflict": "time conflict: written after its use",
    "maybe_damaged": "maybe damaged by a failed write",
}
# One sign for both: another write may have made what was used.
_ENTRY_OF: Final[Mapping[str, str]] = {"clock": "contested"}


class Box(NamedTuple):
    """A step or a file, or many of them.

    Attributes:
        id: Id of the node.
        colour: ``step``, a level, ``file`` for any other file, or ``value`` for what
            is no file.
        name: Its name, in one line or two.
        facts: What else is to be read in it, a line each.
        mark: ``failed``, ``interrupted`` or ``running``, or None if all is well.
        size: How many it stands for, 1 for a node of its own.
        is_asked: Whether it is what was asked for.
        link: Where the data is, as a URL, or None.
        hint: Its whole place or name.
        doubts: ``gap``, ``mixed``, ``incomplete`` and other marks, in this order.
    """

    id: str
    colour: str
    name: tuple[str, ...]
    facts: tuple[str, ...] = ()
    mark: str | None = None
    size: int = 1
    is_asked: bool = False
    link: str | None = None
    hint: str = ""
    doubts: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What is in doubt of it, as it is to be read; nothing if nothing is."""
        return ", ".join(map(mark_in_words, self.doubts))

    @property
    def is_step(self) -> bool:
        """Whether it is a step, not a file."""
        return self.colour == "step"

    @property
    def is_data(self) -> bool:
        """Whether it is a file that has a level."""
        return self.colour in LEVELS


class Arrow(NamedTuple):
    """A relation between two boxes, in the orientation of W3C PROV.

    Attributes:
        source: Id of the later box.
        target: Id of the earlier box.
        relation: The name that PROV gives it.
        words: What is to be read at it, or nothing.
        is_inferred: Whether no record states it.
        marks: What is in doubt of it, in the order of `DOUBTS`.
        hint: Relation, roles, the rule, and what the marks mean.
    """

    source: str
    target: str
    relation: str
    words: str = ""
    is_inferred: bool = False
    marks: tuple[str, ...] = ()
    hint: str = ""

    @property
    def signs(self) -> tuple[str, ...]:
        """What is to be seen of the marks: ``clock`` looks like ``contested``.

        >>> Arrow("9891", "5a2d", "used", marks=("clock", "maybe_damaged")).signs
        ('contested', 'maybe_damaged')
        """
        found = {_ENTRY_OF.get(mark, mark) for mark in self.marks}
        return tuple(key for key in _MEANINGS if key in found)


class Entry(NamedTuple):
    """A line of the legend: a colour or a mark, and what it means."""

    key: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What is drawn of a lineage.

    Attributes:
        title: What it shows, in words.
        notes: What the reader should know of it, a sentence each.
        boxes: The steps and files, by level, run and subrun.
        arrows: The relations between them, in order.
        legend: What the colours and marks that occur in it mean.
        sentence: What the answer knows and does not know.
        is_certain: Whether it is complete, and nothing is in doubt.
    """

    title: str
    notes: tuple[str, ...]
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    legend: tuple[Entry, ...]
    sentence: str = ""
    is_certain: bool = True


def readable(lineage: Lineage) -> Lineage:
    """Return an answer as a picture of it can be read: collapsed, if it is large.

    An answer that is collapsed already stays as it is.
    """
    if lineage.opened is not None or len(lineage.nodes) <= MOST_BOXES:
        return lineage
    return collapse(lineage, to="run")


def picture(lineage: Lineage, *, link: LinkTemplate | None = None) -> Picture:
    """Return what is to be drawn of an answer, its nodes as they are.

    Args:
        lineage: An answer of lineage or impact, collapsed or not.
        link: Where the data of a file is; ``file://`` and its place unless told.

    >>> r0 = LineageNode("5a2d", "entity", "R0SubrunDataset", level="R0", run=1618,
    ...     location="/R0/LST-1.1.Run01618.0008.fits.fz", subrun=8)
    >>> step = LineageNode("9891", "activity", "r0_to_dl1", run=1618, subrun=8)
    >>> used = LineageEdge("9891", "5a2d", "used", "Observation subrun")
    >>> answer = Lineage(question={}, start="9891", nodes=(step, r0), edges=(used,))
    >>> [(box.colour, box.name) for box in picture(answer).boxes]
    [('R0', ('LST-1.1.Run01618.', '0008.fits.fz')), ('step', ('r0_to_dl1',))]
    >>> picture(answer).arrows[0].hint
    'used: Observation subrun'
    """
    link = link or LinkTemplate()
    opened = lineage if lineage.opened is None else lineage.opened
    nodes = {node.id: node for node in opened.nodes}
    boxes = []
    for node in sorted(lineage.nodes, key=_order):
        members = [nodes[id_] for id_ in node.members]
        boxes.append(
            Box(
                id=node.id,
                colour=_colour(node),
                name=name_lines(node, members),
                facts=facts(node, members),
                mark=node.status if node.status in _MARKS else None,
                size=len(members) or 1,
                is_asked=node.id == lineage.start,
                link=link(node),
                hint=visible(node.location or node.name or node.id),
                doubts=_doubts(node),
            )
        )
    arrows = tuple(_arrows(lineage))
    return Picture(
        title=_title(lineage),
        notes=tuple(visible(note) for note in lineage.warnings if note),
        boxes=tuple(boxes),
        arrows=arrows,
        legend=tuple(_legend(boxes, arrows)),
        sentence=visible(lineage.sentence),
        is_certain=lineage.completeness.is_certain,
    )


def _order(node: LineageNode) -> tuple[int, int, int, str, str, str]:
    return (
        LEVELS.index(node.level) if node.level in LEVELS else len(LEVELS),
        -1 if node.run is None else node.run,
        -1 if node.subrun is None else node.subrun,
        node.name or "",
        node.location or "",
        node.id,
    )


def _colour(node: LineageNode) -> str:
    if node.kind == "activity":
        return "step"
    if node.level in LEVELS:
        return node.level
    return "file" if node.location or node.kind == "collection" else "value"


def _doubts(node: LineageNode) -> tuple[str, ...]:
    return (*(("gap",) if node.origin == "gap" else ()), *node.marks)


def _arrows(lineage: Lineage) -> Iterator[Arrow]:
    """Yield one arrow for all roles in which one thing used another."""
    opened = lineage if lineage.opened is None else lineage.opened
    known = {node.id: node for node in (*opened.nodes, *lineage.damaging)}
    together: dict[tuple[str, str, str], list[LineageEdge]] = {}
    for edge in sorted(
        lineage.edges, key=lambda e: (e[:3], e.role or "", e.evidence, e.marks)
    ):
        together.setdefault((edge.source, edge.target, edge.relation), []).append(edge)
    for (source, target, relation), same in together.items():
        is_inferred = all(edge.is_inferred for edge in same)
        marks = joined_marks(edge.marks for edge in same)
        words = (
            relation if relation in _BETWEEN_FILES else "",
            "inferred" if is_inferred else "",
            *map(mark_in_words, marks),
        )
        damaged_by = sorted({id_ for edge in same for id_ in edge.damaged_by})
        hint = (
            _listed(relation, ": ", [edge.role for edge in same])
            + _listed("", " (inferred: ", [e.inferred_by for e in same], end=")")
            + "".join(f"; {mark_in_words(m)}: {DOUBTS[m]}" for m in marks)
            + _listed(
                "",
                "; maybe damaged by ",
                [name_in_words(known[i]) if i in known else i for i in damaged_by],
            )
        )
        yield Arrow(
            source=source,
            target=target,
            relation=relation,
            words=", ".join(word for word in words if word),
            is_inferred=is_inferred,
            marks=marks,
            hint=visible(hint),
        )


def _listed(
    before: str, sign: str, names: Iterable[str | None], *, end: str = ""
) -> str:
    """Return names behind a sign, each once; only what is before if there are none."""
    distinct = [name for name in dict.fromkeys(names) if name]
    return before + (sign + ", ".join(distinct) + end if distinct else "")


def _title(lineage: Lineage) -> str:
    asked = [node for node in lineage.nodes if node.id == lineage.start]
    if not asked:
        # Of a tag, say: not from one file on.
        return f"Steps of {visible(str(lineage.question.get('name', '')))}"
    name = "".join(name_lines(asked[0], ()))
    if "until" in lineage.question:
        return f"How {name} came about"
    return f"What {name} came from" if lineage.is_upstream else f"What came from {name}"


def _legend(boxes: Iterable[Box], arrows: Iterable[Arrow]) -> Iterator[Entry]:
    found: set[str | None] = set()
    for box in boxes:
        found |= {box.colour, box.mark, "many" if box.size > 1 else None}
        found.add("asked" if box.is_asked else None)
        found.update(_ENTRY_OF.get(mark, mark) for mark in box.doubts)
    for arrow in arrows:
        found.add("inferred" if arrow.is_inferred else None)
        found.update(arrow.signs)
    for key, meaning in _MEANINGS.items():
        if key in found:
            yield Entry(key, meaning)
