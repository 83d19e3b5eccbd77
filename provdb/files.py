"""The copies of small files in a store: which there are, and their contents."""

import re
from collections.abc import Iterable
from typing import Any, Final

from provdb.errors import Ambiguous, NotFound
from provdb.model import Document, file_content, file_name
from provdb.model import fields as f
from provdb.store import Store

__all__ = ["get_file", "list_files", "used_copies"]

_PREFIX: Final = re.compile(r"[0-9a-f]{6,64}")
_MOST_NEAR: Final = 3


def list_files(store: Store) -> list[dict[str, Any]]:
    """Return a line for each copy of a file, in order of their first names.

    Returns:
        Digest, size in bytes (None where nobody said), the paths under which it was
        seen, the number of activities that named it, and why the content was left out
        (None where it was not), of each copy.

    >>> from provdb.model import fold
    >>> from provdb.store import open_store
    >>> store = open_store("memory://")
    >>> digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    >>> counts = store.write(fold([{"file_id": digest, "filepath": "/fefs/lst.json",
    ...     "size": 2, "content": "e30=", "session_tag": "dl1ab:01618"}]))
    >>> [(line["names"], line["size"]) for line in list_files(store)]
    [(['/fefs/lst.json'], 2)]
    """
    documents = list(store.copies())
    uses = store.copy_uses(document[f.ID] for document in documents)
    lines = [_line(document, uses.get(document[f.ID], 0)) for document in documents]
    return sorted(lines, key=lambda line: (line["names"], line["digest"]))


def get_file(store: Store, name: str) -> bytes:
    """Return the content of the copy that a name means.

    Args:
        store: Where the documents are.
        name: A digest or its first six digits at least, a path, the end of a path, or
            a file name.

    Raises:
        NotFound: No copy has the name, or the store has not its content.
        Ambiguous: Several have it.

    >>> from provdb.store import open_store
    >>> store = open_store("memory://")
    >>> store.initialise()
    >>> get_file(store, "lst.json")
    Traceback (most recent call last):
    ...
    provdb.errors.NotFound: no copy is called lst.json; 'provdb files list' shows all
    """
    # All are looked at, without their contents: there are few configurations.
    documents = list(store.copies())
    found = _named(documents, name)
    if not found:
        raise NotFound(
            name,
            near=_near(documents, name),
            message=f"no copy is called {name}; 'provdb files list' shows all",
        )
    if len(found) > 1:
        raise Ambiguous(name, candidates=sorted(map(_candidate, found)))
    (document,) = store.read(f.FILES, [found[0][f.ID]])
    content = file_content(document)
    if content is None:
        raise NotFound(name, message=_why_without(document))
    return content


def used_copies(
    store: Store, activities: Iterable[Document]
) -> dict[str, frozenset[str]]:
    """Return the digests of the copies that activities used, by location.

    What an activity says itself counts first; else what was copied under its tag.

    Args:
        store: The store that has the copies.
        activities: Documents of activities.
    """
    activities = list(activities)
    told: dict[str, set[str]] = {}
    for activity in activities:
        for copy in activity.get(f.COPIES, ()):
            if f.LOCATION in copy:
                told.setdefault(copy[f.LOCATION], set()).add(copy[f.ENTITY])
    tags = {activity[f.SESSION_TAG] for activity in activities}
    tagged: dict[str, set[str]] = {}
    # All are looked at, without their contents: there are few configurations.
    for document in store.copies():
        for entry in document[f.NAMES]:
            location = entry.get(f.LOCATION)
            if location is not None and not tags.isdisjoint(entry[f.SESSION_TAGS]):
                tagged.setdefault(location, set()).add(document[f.ID])
    return {place: frozenset(found) for place, found in (tagged | told).items()}


def _line(document: Document, activities: int) -> dict[str, Any]:
    return {
        "digest": document[f.ID],
        "size": document[f.SIZE],
        "names": _locations(document),
        "activities": activities,
        "left_out": _left_out(document),
    }


def _locations(document: Document) -> list[str]:
    return sorted(
        {entry[f.LOCATION] for entry in document[f.NAMES] if f.LOCATION in entry}
    )


def _left_out(document: Document) -> str | None:
    reasons = (entry.get(f.CONTENT_LEFT_OUT) for entry in document[f.NAMES])
    return next((reason for reason in reasons if reason is not None), None)


def _named(documents: list[Document], name: str) -> list[Document]:
    """Return the documents that a name means: as a path, its end, or a digest."""
    tail = f"/{name.lstrip('/')}"
    for matches in (
        lambda location: location == name,
        lambda location: f"/{location}".endswith(tail) and not name.startswith("/"),
    ):
        found = [d for d in documents if any(map(matches, _locations(d)))]
        if found:
            return found
    if _PREFIX.fullmatch(name):
        return [document for document in documents if document[f.ID].startswith(name)]
    return []


def _candidate(document: Document) -> str:
    return " ".join([document[f.ID], *_locations(document)])


def _near(documents: list[Document], name: str) -> list[str]:
    from rapidfuzz import process

    names = sorted({file_name(path) for d in documents for path in _locations(d)})
    near = process.extract(file_name(name), names, limit=_MOST_NEAR, score_cutoff=80)
    return [text for text, _, _ in near]


def _why_without(document: Document) -> str:
    digest = document[f.ID]
    reason = _left_out(document)
    told = f" ({reason})" if reason else ""
    return f"the content of {digest} was left out{told}, only its digest is stored"
