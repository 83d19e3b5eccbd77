"""What gaps lead to though no record says so: equal content, folders, patterns."""

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Final

from provdb.lineage.file_groups import FileGroups
from provdb.lineage.steps import Entity
from provdb.model import Document, location_id
from provdb.model import fields as f
from provdb.store import Store

__all__ = ["Bridges"]

_NOTHING: Final[Sequence[str]] = ()
_LAST: Final = "\U0010ffff"
_WILD: Final = frozenset("*?[")
_RAW: Final = "R0"


class Bridges:
    """Where gaps lead to, as far as that was asked of the store.

    A link rule leads elsewhere too; it is not here, for it can also move files that
    are no gaps.
    """

    def __init__(self, store: Store, groups: FileGroups) -> None:
        """Start knowing nothing.

        Args:
            store: Where the documents are.
            groups: Which entities are one file.
        """
        self._store = store
        self._groups = groups
        self._are_there_patterns: bool | None = None
        self._alike: dict[str, list[str]] = {}
        self._above: dict[str, list[str]] = {}
        self._matched: dict[str, list[str]] = {}
        self._below: dict[str, list[str]] = {}

    def lead_from(self, entity: str) -> bool:
        """Say whether a gap leads to anything."""
        return entity in self._alike or entity in self._above or entity in self._matched

    def same_content(self, entity: str) -> Sequence[str]:
        """Return the files that are known to have had the same content."""
        return self._alike.get(entity, _NOTHING)

    def folders_above(self, entity: str) -> Sequence[str]:
        """Return the folders that hold a file, the nearest one first."""
        return self._above.get(entity, _NOTHING)

    def matched(self, entity: str) -> Sequence[str]:
        """Return the files whose paths match the pattern that an entity is."""
        return self._matched.get(entity, _NOTHING)

    def later(self, entity: str) -> Sequence[str]:
        """Return the entities that are gaps and lead to one."""
        return self._below.get(entity, _NOTHING)

    def load(self, gaps: Iterable[Entity]) -> set[str]:
        """Ask what gaps lead to, and return the ids of it."""
        gaps = [e for e in gaps if e.level != _RAW and e.file_name is not None]
        reached = self._load_same_content(gaps)
        reached |= self._load_folders(gaps)
        return reached | self._load_matched(gaps)

    def _load_same_content(self, gaps: Iterable[Entity]) -> set[str]:
        by_hash: dict[str, list[Entity]] = {}
        for entity in gaps:
            if entity.hash is not None:
                by_hash.setdefault(entity.hash, []).append(entity)
        if not by_hash:
            return set()
        found = self._store.find(f.ENTITIES, {f.HASH: {"$in": sorted(by_hash)}})
        reached = set()
        for other in self._groups.one_for_each(_entities(found)):
            for entity in by_hash.get(other.hash or "", ()):
                if other.id != entity.id and other.file_name is not None:
                    self._alike.setdefault(entity.id, []).append(other.id)
                    reached.add(other.id)
        return reached

    def _load_folders(self, gaps: Iterable[Entity]) -> set[str]:
        folders: dict[str, list[str]] = {}
        for entity in gaps:
            for folder in _folders(entity.location or ""):
                folders.setdefault(folder, []).append(entity.id)
        asked = {
            location_id(spelling): folder
            for folder in folders
            for spelling in (folder, f"{folder}/")
        }
        if not asked:
            return set()
        places: dict[str, list[tuple[int, str]]] = {}
        for one in _entities(self._store.entities(asked)):
            place = asked[one.id]
            self._groups.look_up([one.id])
            for below in folders[place]:
                at = -len(place), self._groups.group_of(one.id)
                if at not in places.setdefault(below, []):
                    places[below].append(at)
        for below, found in places.items():
            self._above[below] = [id_ for _, id_ in sorted(found)]
        return {id_ for found in self._above.values() for id_ in found}

    def _load_matched(self, gaps: Iterable[Entity]) -> set[str]:
        reached = set()
        for entity in gaps:
            pattern = entity.location or ""
            if _WILD.isdisjoint(pattern):
                continue
            beginning = pattern[: min(map(pattern.find, _WILD & set(pattern)))]
            between = {"$gte": beginning, "$lt": beginning + _LAST}
            found = _entities(self._store.find(f.ENTITIES, {f.LOCATION: between}))
            members = [
                one.id
                for one in self._groups.one_for_each(found)
                if one.id != entity.id and _matches(one.location or "", pattern)
            ]
            if members:
                self._matched[entity.id] = members
                reached.update(members)
        return reached

    def load_later(self, entities: Iterable[Entity]) -> list[str]:
        """Ask what gaps these can bridge: files in folders, patterns, equal content.

        Returns:
            The ids of the entities that may come from them.
        """
        known = list(entities)
        found: list[tuple[str, Entity]] = []
        for folder in known:
            if _is_folder(folder):
                place = (folder.location or "").rstrip("/") + "/"
                between = {"$gte": place, "$lt": place + _LAST}
                below = _entities(self._store.find(f.ENTITIES, {f.LOCATION: between}))
                found += [(folder.id, one) for one in below]
        hashes = {one.hash: one.id for one in known if one.hash is not None}
        if hashes:
            alike = self._store.find(f.ENTITIES, {f.HASH: {"$in": sorted(hashes)}})
            found += [(hashes[one.hash or ""], one) for one in _entities(alike)]
        if self._has_patterns():
            found += self._patterns_of(known)
        following = []
        self._groups.look_up(one.id for _, one in found)
        for id_, one in sorted(found, key=lambda item: (item[0], item[1].id)):
            file = self._groups.group_of(one.id)
            if file != id_ and file not in self._below.get(id_, ()):
                self._below.setdefault(id_, []).append(file)
                following.append(file)
        return following

    def _patterns_of(self, entities: Iterable[Entity]) -> Iterator[tuple[str, Entity]]:
        """Yield the patterns that match files, with the ids of these."""
        by_folder: dict[str, list[Entity]] = {}
        for entity in entities:
            for folder in _folders(entity.location or ""):
                by_folder.setdefault(folder, []).append(entity)
        for batch in _batches(by_folder):
            documents = list(self._store.find(f.ENTITIES, {f.PATTERN: {"$in": batch}}))
            for document, pattern in zip(documents, _entities(documents), strict=True):
                for entity in by_folder[document[f.PATTERN]]:
                    if _matches(entity.location or "", pattern.location or ""):
                        yield entity.id, pattern

    def _has_patterns(self) -> bool:
        """Say whether any entity is a pattern; asked of the store once."""
        if self._are_there_patterns is None:
            self._are_there_patterns = self._store.has_any(f.ENTITIES, f.PATTERN)
        return self._are_there_patterns


def _entities(documents: Iterable[Document]) -> list[Entity]:
    return list(map(Entity.of_document, documents))


def _folders(location: str) -> Iterator[str]:
    """Yield the folders that a location is in, the nearest one first."""
    folder = posixpath.dirname(location.rstrip("/"))
    while folder.rstrip("/"):
        yield folder
        above = posixpath.dirname(folder)
        if above == folder:
            break
        folder = above


def _is_folder(entity: Entity) -> bool:
    """Say whether an entity may be a folder, by its name."""
    return (
        entity.location is not None
        and entity.file_name is not None
        and (entity.location.endswith("/") or "." not in entity.file_name)
    )


def _matches(location: str, pattern: str) -> bool:
    """Say whether a location matches a pattern, folder by folder."""
    places, patterns = location.split("/"), pattern.split("/")
    return len(places) == len(patterns) and all(map(fnmatchcase, places, patterns))


def _batches(ids: Iterable[str], size: int = 1000) -> Iterator[list[str]]:
    listed = sorted(ids)
    for start in range(0, len(listed), size):
        yield listed[start : start + size]
