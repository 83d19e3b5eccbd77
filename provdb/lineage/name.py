"""Find the file or the activity that a path, a name, an id or a URI means."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from provdb.errors import Ambiguous, NotFound
from provdb.lineage.other_ids import with_content, with_local_name, with_source_id
from provdb.model import (
    Document,
    StoreSettings,
    file_name,
    is_copy_of,
    is_file,
    location_id,
)
from provdb.model import fields as f
from provdb.model.locations import canonical_alias, canonical_location, spellings
from provdb.model.qualified import PROVDB, QualifiedId, is_uri, parse_uri
from provdb.store import Store

__all__ = ["Name", "find_file", "find_name"]

_VERSION: Final = re.compile(r"(?P<name>.+)@(?P<version>[0-9a-f]{4,})", re.DOTALL)
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")
# As exports write the URIs of provdb.
_OWN_NAME: Final = re.compile(r"^provdb:(?=[A-Za-z]+-)")
# What a URI of provdb may name that can be asked for.
_KINDS: Final = ("entity", "activity", "file")
_SHORTEST_ID: Final = 4
_MOST_CANDIDATES: Final = 50
_MOST_NEAR: Final = 3
_LIKENESS: Final = 60  # Of 100; below it two names have little in common.


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """What a name means: a file, or an activity.

    Attributes:
        entity: Id of the entity: that of the preferred spelling of its location if the
            store has it, else the smallest one of the group. Empty for an activity.
        version: Start of the short name of one of its versions, or None for the
            version that there is now.
        location: Its path or URL, or None where it has none.
        group: Ids of all entities that are this one file, in other spellings or under
            other mount points, sorted; its own is one of them.
        activity: Id of the activity that the name means, or None for a file.
    """

    entity: str
    version: str | None
    location: str | None
    group: tuple[str, ...] = ()
    activity: str | None = None


def find_name(store: Store, name: str) -> Name:
    """Return the file or the activity that a name means.

    A name is a path in any spelling, else the unique tail of one, else a file name,
    else an id of an entity or its start, another name of the file (a UUID, a logical
    file name), the id of an activity, or the hash of the content; or a URI of provdb.
    ``NAME@VERSION`` names one version. Nothing is chosen silently; a copy of a file,
    known by what was embedded in it, goes by its path.

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
    >>> find_name(store, "file:///fefs//R0/20191123/LST-1.1.Run01618.0008.fits.fz@9c30")
    ... # doctest: +ELLIPSIS
    Name(entity='...', version='9c30', ...)
    """
    versioned = _VERSION.fullmatch(name)
    # The real name of a file may hold an @.
    found = _find(store, name, may_scan=versioned is None)
    if found is None and versioned is not None:
        found = _find(store, versioned["name"])
        if found is not None and found.activity is None:
            return replace(found, version=versioned["version"])
        found = None
    if found is None:
        raise _not_found(store, name)
    return found


def find_file(store: Store, name: str) -> Name:
    """Return the file that a name means, as `find_name` does.

    Raises:
        NotFound: Nothing has that name, or an activity has it.
        Ambiguous: Several things have it.
    """
    found = find_name(store, name)
    if found.activity is not None:
        raise NotFound(name, message=f"{name} is an activity, and not a file")
    return found


def _find(store: Store, name: str, *, may_scan: bool = True) -> Name | None:
    """Return what a name means, or None.

    Args:
        store: Where the documents are.
        name: What somebody typed, without a version.
        may_scan: Whether to look also for what no index finds.
    """
    named = _own_uri(name)
    if named is not None and (found := _of_uri(store, named)) is not None:
        return found
    canonical = canonical_location(name)
    is_plain = file_name(canonical) == name
    if not is_plain and (placed := _at(store, name)):
        return _answer(store, placed, name)
    # Whatever has the name in any folder: for a plain name one question is enough.
    namesakes = store.named([file_name(canonical)])
    if len(namesakes) > 1:
        namesakes = _without_mere_names(store, namesakes)
    paths = _paths(name) if is_plain else []
    matches = [d for d in namesakes if _canonical(d) in paths]
    matches = matches or _with_tail(namesakes, canonical)
    if matches:
        return _answer(store, matches, name, among=namesakes)
    return _identified(store, name, may_scan=may_scan) if name else None


def _at(store: Store, name: str) -> list[Document]:
    """Return the entities at a path, in whatever spelling."""
    paths = _paths(name)
    ids = _ids(paths)
    settings, listed, others = store.at_once(
        store.settings,
        lambda: store.read(f.ENTITIES, [*ids, name]),
        lambda: store.known_as(ids),
    )
    known = set(paths)
    if settings.aliases:
        known = {s for path in paths for s in spellings(path, settings.aliases)}
        if more := [id_ for id_ in _ids(known) if id_ not in ids]:
            listed += store.read(f.ENTITIES, more)
            others += store.known_as(more)
    found = {document[f.ID]: document for document in (*listed, *others)}
    placed = [d for d in found.values() if is_file(d) and _canonical(d) in known]
    # An id of a foreign document is a URI, and looks like a location.
    return placed or [document for document in listed if document[f.ID] == name]


def _paths(name: str) -> list[str]:
    """Return the canonical paths that a name may mean: as it is, and from here."""
    paths = [canonical_location(name)]
    if not _URL.match(name):
        paths.append(canonical_location(str(Path(name).absolute())))
    return list(dict.fromkeys(paths))


def _ids(locations: Iterable[str]) -> list[str]:
    return [location_id(location) for location in locations]


def _canonical(document: Document) -> str:
    return canonical_location(document[f.LOCATION])


def _with_tail(documents: Iterable[Document], name: str) -> list[Document]:
    # A path that is written in full is longer than a tail, and comes before it.
    tail = "/" + name.lstrip("./")
    found = [d for d in documents if f"/{_canonical(d)}".endswith(tail)]
    return [d for d in found if _canonical(d) == name] or found


def _without_mere_names(store: Store, documents: list[Document]) -> list[Document]:
    """Leave out names without a folder that merged files hold, if a path is known.

    No activity used or generated such a name.
    """
    names = {d[f.ID] for d in documents if "/" not in _canonical(d)}
    if not names or len(names) == len(documents):
        return documents
    generated, used = store.at_once(
        lambda: list(store.generations(names)), lambda: list(store.usages(names))
    )
    links = [link for one in generated for link in one[f.GENERATED]]
    links += [link for one in used for link in one[f.USED]]
    names -= {link[f.ENTITY] for link in links}
    return [document for document in documents if document[f.ID] not in names]


def _of_uri(store: Store, named: QualifiedId) -> Name | None:
    """Return what a URI of provdb names, or None if the store has no such thing."""
    if named.kind == "entity":
        documents = store.read(f.ENTITIES, [named.id])
        return _whole(store, documents, named.id, version=named.version)
    if named.kind == "activity":
        activities = store.read(f.ACTIVITIES, [named.id])
        return _activity(activities, named.id)
    if named.kind == "file":
        return _whole(store, with_content(store, named.id), named.id)
    return None


def _own_uri(name: str) -> QualifiedId | None:
    return parse_uri(_OWN_NAME.sub(PROVDB, name, count=1))


def _not_found(store: Store, name: str) -> NotFound:
    named = _own_uri(name)
    if named is None or named.kind in _KINDS:
        return NotFound(name, near=_near(name, store.file_names()))
    hint = ""
    if named.kind == "session":
        tag = named.id.rpartition("/")[0].replace("%2F", "/").replace("%25", "%")
        hint = f"; 'provdb session show {tag}' shows it"
    message = f"{name} is the URI of a thing of the kind {named.kind}, "
    message += f"not of a file or an activity{hint}"
    return NotFound(name, message=message)


def _identified(store: Store, name: str, *, may_scan: bool) -> Name | None:
    """Return what has a name as its id, as another name, or as the hash of it."""
    alias = canonical_alias(name)
    starts = {name, alias} if len(alias) >= _SHORTEST_ID else set()
    by_alias, *listed = store.at_once(
        lambda: store.known_as({name, alias}),
        *(
            lambda collection=collection, start=start: store.starting(
                collection, start, limit=_MOST_CANDIDATES
            )
            for collection in (f.ENTITIES, f.ACTIVITIES)
            for start in sorted(starts)
        ),
    )
    half = len(listed) // 2
    entities = _of_id([d for found in listed[:half] for d in found], {name, alias})
    activities = _of_id([d for found in listed[half:] for d in found], {name, alias})
    is_exact = any(d[f.ID] in (name, alias) for d in (*entities, *activities))
    if by_alias and not is_exact:
        return _whole(store, by_alias, name, alias=alias)
    if activities and (not entities or activities[0][f.ID] in (name, alias)):
        return _activity(activities, name)
    entities = entities or with_content(store, name)
    if entities or not may_scan:
        return _whole(store, entities, name)
    activities = with_source_id(store, {name, alias})
    if activities:
        return _activity(activities, name)
    entities = with_local_name(store, f.ENTITIES, f.ID, name)
    if entities:
        return _whole(store, entities, name)
    return _activity(with_local_name(store, f.ACTIVITIES, f.ACTIVITY_ID, name), name)


def _of_id(documents: Sequence[Document], ids: set[str]) -> list[Document]:
    """Return the documents of these ids; where there are none, all of them."""
    found = {document[f.ID]: document for document in documents}
    return [d for d in found.values() if d[f.ID] in ids] or list(found.values())


def _activity(activities: Sequence[Document], name: str) -> Name | None:
    if not activities:
        return None
    if len(activities) > 1:
        candidates = sorted(
            "  ".join(filter(None, (d[f.ID], d.get(f.NAME), d[f.SESSION_TAG])))
            for d in activities
        )
        raise Ambiguous(name, candidates=candidates)
    return Name(entity="", version=None, location=None, activity=activities[0][f.ID])


def _whole(
    store: Store,
    documents: Sequence[Document],
    name: str,
    *,
    version: str | None = None,
    alias: str | None = None,
) -> Name | None:
    """Return what entities mean, with all other spellings of the same files."""
    if not documents:
        return None
    settings = store.settings()
    ids = [
        location_id(spelling)
        for document in documents
        if _is_placed(document)
        for spelling in spellings(document[f.LOCATION], settings.aliases)
    ]
    found = {document[f.ID]: document for document in documents}
    if ids:
        listed, others = store.at_once(
            lambda: store.read(f.ENTITIES, ids), lambda: store.known_as(ids)
        )
        found |= {d[f.ID]: d for d in (*listed, *others) if _is_placed(d)}
    answer = _answer(store, list(found.values()), name, alias=alias)
    return replace(answer, version=version)


def _answer(
    store: Store,
    documents: Sequence[Document],
    name: str,
    *,
    among: Sequence[Document] = (),
    alias: str | None = None,
) -> Name:
    """Return the one file that some entities are.

    Args:
        store: Where they are.
        documents: The entities that a name fits.
        name: The name.
        among: Entities that may be the same file in a spelling that the name does
            not fit.
        alias: The alias that they were found by, or None.

    Raises:
        Ambiguous: They are several.
    """
    # One needs no settings, and that is most names.
    is_one = len(documents) == 1 and len(among) <= 1
    settings = StoreSettings() if is_one else store.settings()
    groups: dict[str, list[Document]] = {}
    for document in documents:
        groups.setdefault(_place(document, settings), []).append(document)
    if len(groups) > 1:
        ids = {document[f.ID] for document in documents}
        made = {
            place: group
            for place, group in groups.items()
            if not all(is_copy_of(document, ids) for document in group)
        }
        groups = made or groups
    # A product keeps its own name and that of its file when it is moved.
    is_moved = alias is not None and len({d.get(f.FILE_NAME) for d in documents}) == 1
    if len(groups) > 1 and not is_moved:
        raise Ambiguous(name, candidates=_candidates(groups))
    place = min(groups)
    group = [document for listed in groups.values() for document in listed]
    group += [document for document in among if _place(document, settings) in groups]
    preferred = location_id(place)
    by_id = {document[f.ID]: document for document in group}
    chosen = by_id.get(preferred) or by_id[min(by_id)]
    return Name(
        entity=chosen[f.ID],
        version=None,
        location=chosen.get(f.LOCATION),
        group=tuple(sorted(by_id)),
    )


def _place(document: Document, settings: StoreSettings) -> str:
    """Return what is equal for entities that are one file."""
    if not _is_placed(document):
        return str(document[f.ID])
    location = document[f.LOCATION]
    if not settings.aliases:
        return canonical_location(location)
    return spellings(location, settings.aliases)[0]


def _is_placed(document: Document) -> bool:
    # A thing of a foreign document is fixed, whatever lies at its place later.
    return is_file(document) and not is_uri(document[f.ID])


def _candidates(groups: dict[str, list[Document]]) -> list[str]:
    chosen = [
        next((d for d in group if d.get(f.LOCATION) == place), group[0])
        for place, group in groups.items()
    ]
    listed = sorted(str(d.get(f.LOCATION) or d[f.ID]) for d in chosen)
    if len(set(listed)) < len(listed):
        listed = sorted(f"{d[f.ID]}  {d.get(f.LOCATION, '')}" for d in chosen)
    return listed


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
