"""What is embedded in a file: a document of PROV-JSON, and lines for people."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from provdb.embed.statements import masked, whole_statements
from provdb.embed.writers import with_other_writers
from provdb.errors import ExportError, NotFound
from provdb.export.details import Details, read_details
from provdb.export.prov_json import prov_json
from provdb.export.surroundings import session_of
from provdb.lineage import (
    Lineage,
    LineageNode,
    LinkRule,
    WalkOptions,
    collapse,
    lineage,
)
from provdb.lineage.completeness import Completeness
from provdb.lineage.traverse import without_collector
from provdb.model import fields as f
from provdb.readers.embedded import HISTORY_MARK, LARGEST_BYTES
from provdb.secrets import redact_text
from provdb.store import Store

__all__ = ["Content", "content_of"]

# What a card of FITS holds behind its keyword.
_LINE_LENGTH: Final = 72
_MOST_LINES: Final = 40
_NAME_LENGTH: Final = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What is embedded in a file.

    Attributes:
        location: Path of the file in the store.
        text: Everything that it came from, as a document of PROV-JSON.
        lines: The same for people: a line for each step, all of its subruns together.
        activities: How many activities there are behind it.
        files: How many files there are behind it.
        digests: Digests of its content that were recorded.
        completeness: What the answer knows, and what it does not know.
        sentence: The same in words, with names.
    """

    location: str
    text: bytes
    lines: tuple[str, ...]
    activities: int
    files: int
    digests: frozenset[str]
    completeness: Completeness
    sentence: str


def content_of(
    store: Store, name: str, *, rules: Collection[LinkRule] | None = None
) -> Content:
    """Return what is to be embedded in a file: all that it came from.

    It is the same as long as the store says the same of it.

    Args:
        store: Where the documents are.
        name: The file, as `find_name` takes it.
        rules: The link rules that may bridge gaps, or None for those of the store.

    Raises:
        NotFound: Nothing has that name, or nobody knows how it came about.
        Ambiguous: Several things have it.
        ExportError: It is more than a file should carry.

    >>> import provdb
    >>> from provdb.store import open_store
    >>> store = open_store("memory://")
    >>> records = provdb.store_demo(store)
    >>> content = content_of(store, "dl3_LST-1.Run01807.fits")
    >>> content.activities, len(content.lines)
    (19, 8)
    """
    answer = lineage(store, name, options=WalkOptions(rules=rules))
    if not answer.edges:
        raise NotFound(name, message=f"nobody knows how {name} came about")
    with without_collector():
        whole = with_other_writers(answer, store)
        details = read_details(whole, store)
        text = prov_json(masked(whole_statements(whole, details, store)))
    if len(text) > LARGEST_BYTES:
        raise ExportError(
            f"the provenance of {name} has {len(text)} bytes, and a file takes "
            f"{LARGEST_BYTES} of it: 'provdb export' writes it beside the file"
        )
    product = next(node for node in answer.nodes if node.id == answer.start)
    kinds = [node.kind for node in answer.nodes]
    return Content(
        location=product.location or "",
        text=text,
        lines=tuple(_lines(answer, details)),
        activities=kinds.count("activity"),
        files=len({node.entity for node in answer.nodes if node.kind == "entity"}) - 1,
        digests=_digests(product, answer, details),
        completeness=answer.completeness,
        sentence=answer.sentence,
    )


def _digests(product: LineageNode, answer: Lineage, details: Details) -> frozenset[str]:
    """Return the digests of its content that the steps recorded that made it."""
    document = details.entities.get(product.entity or "", {})
    links = [
        link
        for node in answer.nodes
        for link in details.activities.get(node.id, {}).get(f.GENERATED, ())
        if link[f.ENTITY] == product.entity
    ]
    found = {one.get(f.HASH) for one in (document, *links)}
    return frozenset(digest for digest in found if digest)


def _lines(answer: Lineage, details: Details) -> Iterator[str]:
    steps = [n for n in collapse(answer).nodes if n.kind == "activity"]
    steps.sort(
        key=lambda n: (-n.distance, n.start is None, n.start, n.name or "", n.id)
    )
    total = sum(node.size or 1 for node in steps)
    yield _line(f"made by {total} steps; {_EXTENSION} has all that is known")
    used: dict[str, set[str]] = {}
    for edge in answer.edges:
        if edge.relation == "used":
            used.setdefault(edge.source, set()).add(edge.target)
    for node in steps[:_MOST_LINES]:
        members = node.members or (node.id,)
        inputs = set().union(*(used.get(id_, set()) for id_ in members))
        yield _line(
            f"{node.name or 'a step without a name':.{_NAME_LENGTH}}"
            + (f" x{node.size}" if node.size else "")
            + (f" run {node.run:05d}" if node.run is not None else "")
            + (f" {node.start:%Y-%m-%dT%H:%MZ}" if node.start is not None else "")
            + _versions(members, details)
            + f" in {len(inputs)}"
        )
    if len(steps) > _MOST_LINES:
        yield _line(f"and {len(steps) - _MOST_LINES} more kinds of steps")


_EXTENSION: Final = "the extension PROVENANCE"


def _versions(activities: Iterable[str], details: Details) -> str:
    """Return the versions of the software of some activities, if their sessions say."""
    sessions = {
        session_of(details.activities[id_])
        for id_ in activities
        if id_ in details.activities
    }
    found = {
        str(session[f.PROPERTIES].get("software_version") or "")
        for key in sessions
        if (session := details.sessions.get(key or "")) is not None
    }
    told = "/".join(sorted(found - {""}))
    return f" {told:.20}" if told else ""


def _line(text: str) -> str:
    """Return a line as HISTORY has it: printable ASCII, and short enough."""
    plain = redact_text(text).encode("ascii", "replace").decode()
    shown = "".join(c if c.isprintable() else "?" for c in plain)
    return f"{HISTORY_MARK}{shown}"[:_LINE_LENGTH].rstrip()
