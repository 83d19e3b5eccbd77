"""Find the entity that somebody means by a path, a file name or an id."""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provdb.errors import Ambiguous, NotFound
from provdb.model import Document, file_name, is_copy_of, is_file, location_id
from provdb.model import fields as f
from provdb.store import Store

__all__ = ["Name", "find_name"]

_ID: Final = re.compile(r"(?P<id>[^@]{4,})(?:@(?P<version>[0-9a-f]{4,}))?")
_MOST_CANDIDATES: Final = 50
_MOST_NEAR: Final = 3
_LIKENESS: Final = 60  # Of 100; below it two names have little in common.


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """The entity that a name means.

    Attributes:
        entity: Id of the entity.
        version: Start of the short name of one of its versions, or None for the
            version that there is now.
        location: Its path or URL, or None where it has none.
    """

    entity: str
    version: str | None
    location: str | None


def find_name(store: Store, name: str) -> Name:
    """Return the entity that a name means.

    A name is a path as it was recorded, else the unique tail of one, else a file name,
    else the start of an id; ``ID@VERSION`` names one version. Nothing is chosen
    silently; a copy of a file, known by what was embedded in it, goes by its path.

    Args:
        store: Where the documents are.
        name: What somebody typed.

    Raises:
        NotFound: Nothing has that name; the error holds the nearest ones.
        Ambiguous: Several things have it; the error lists them.

    >>> from provdb.model import fold
    >>> from provdb.store import open_store
    >>> store = open_store("memory://")
    >>> raw = "/fefs/R0/20191123/LST-1.1.Run01618.0008.fits.fz"
    >>> counts = store.write(fold([{"entity_id": location_id(raw), "filepath": raw}]))
    >>> find_name(store, "20191123/LST-1.1.Run01618.0008.fits.fz").location
    '/fefs/R0/20191123/LST-1.1.Run01618.0008.fits.fz'
    """
    paths = dict.fromkeys((name, str(Path(name).absolute())))
    namesakes: list[Document] | None = None
    if {file_name(path) for path in paths} == {name}:
        # Whatever has one of the paths has this name: one question is enough.
        exact = namesakes = store.named([name])
    else:
        exact = store.read(f.ENTITIES, [location_id(path) for path in paths])
    exact = [d for d in exact if d.get(f.LOCATION) in paths and is_file(d)]
    if len(exact) == 1:
        return _named(exact[0])
    if namesakes is None:
        namesakes = store.named([file_name(name)])
    tails = _with_tail(namesakes, name)
    if tails:
        ids = {document[f.ID] for document in tails}
        made = [document for document in tails if not is_copy_of(document, ids)]
        return _named(_only(made or tails, name))
    found = _ID.fullmatch(name)
    if found is not None:
        identified = store.starting(f.ENTITIES, found["id"], limit=_MOST_CANDIDATES)
        same = [document for document in identified if document[f.ID] == found["id"]]
        if identified:
            return _named(_only(same or identified, name), version=found["version"])
    raise NotFound(name, near=_near(name, store.file_names()))


def _with_tail(documents: Iterable[Document], name: str) -> list[Document]:
    # A path that is written in full is longer than a tail, and comes before it.
    tail = "/" + posixpath.normpath(name).lstrip("./")
    found = [d for d in documents if f"/{d[f.LOCATION]}".endswith(tail)]
    return [d for d in found if d[f.LOCATION] == name] or found


def _only(documents: list[Document], name: str) -> Document:
    if len(documents) == 1:
        return documents[0]
    candidates = sorted(str(d.get(f.LOCATION) or d[f.ID]) for d in documents)
    if len(set(candidates)) < len(candidates):
        candidates = sorted(f"{d[f.ID]}  {d.get(f.LOCATION, '')}" for d in documents)
    raise Ambiguous(name, candidates=candidates)


def _named(document: Document, *, version: str | None = None) -> Name:
    return Name(
        entity=document[f.ID], version=version, location=document.get(f.LOCATION)
    )


def _near(name: str, known: Iterable[str]) -> list[str]:
    # Loaded here, for most names are found.
    from rapidfuzz import fuzz, process

    found = process.extract(
        file_name(name),
        known,
        scorer=fuzz.ratio,
        limit=_MOST_NEAR,
        score_cutoff=_LIKENESS,
    )
    return [near for near, _, _ in found]
