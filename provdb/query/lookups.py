"""Filters whose look-ups in other collections have been answered."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from provdb.model import Document
from provdb.model import fields as f
from provdb.query.compile import SESSION, Lookup
from provdb.query.configs import read_copy
from provdb.query.values import VERSIONS
from provdb.query.version_order import satisfies
from provdb.store import Store
from provdb.store.evaluate import Filter, matcher, value_at

__all__ = ["Lookups"]

_OF_SESSION: Final = (f.SESSION_TAG, f.SESSION_ID)


class Lookups:
    """Answers look-ups, each once."""

    def __init__(self, store: Store) -> None:
        """Look up in a store."""
        self._store = store
        self._found: dict[str, list[Any]] = {}
        self._sessions: dict[str, Filter] = {}
        self._configs: list[tuple[str, Document]] | None = None
        self._versions: dict[str, frozenset[str]] = {}

    def resolve(self, filter_: Filter) -> dict[str, Any]:
        """Return a filter with the answers in place of its look-ups."""
        resolved: dict[str, Any] = {}
        others: list[Filter] = []
        for name, value in filter_.items():
            if name == SESSION:
                others.append(self._of_sessions(value))
            elif name in ("$and", "$or", "$nor"):
                resolved[name] = [self.resolve(part) for part in value]
            elif isinstance(value, dict) and isinstance(value.get("$in"), Lookup):
                resolved[name] = {"$in": self._ids(value["$in"])}
            elif isinstance(value, dict) and VERSIONS in value:
                resolved[name] = {"$in": self._versions_within(name, value[VERSIONS])}
            else:
                resolved[name] = value
        if not others:
            return resolved
        return {"$and": [*([resolved] if resolved else []), *others]}

    def _ids(self, lookup: Lookup) -> list[Any]:
        key = repr(lookup)
        if key not in self._found:
            if lookup.collection == f.FILES:
                is_match = matcher(lookup.filter)
                ids = [digest for digest, c in self._all_configs() if is_match(c)]
            else:
                # Without an index: there are few environments.
                filter_ = self.resolve(lookup.filter)
                found = self._store.find(lookup.collection, filter_, fields=(f.ID,))
                ids = [document[f.ID] for document in found]
            self._found[key] = sorted(ids)
        return self._found[key]

    def _versions_within(self, path: str, bounds: dict[str, str]) -> list[str]:
        """Return the versions at a path of environments that are within bounds."""
        if path not in self._versions:
            # Without an index: there are few environments.
            found = self._store.find(
                f.ENVIRONMENTS, {path: {"$ne": None}}, fields=(path,)
            )
            values = (value_at(document, path) for document in found)
            self._versions[path] = frozenset(v for v in values if isinstance(v, str))
        return sorted(v for v in self._versions[path] if satisfies(v, bounds))

    def _of_sessions(self, lookup: Lookup) -> Filter:
        """Return what matches the activities of the sessions that match a filter.

        Mostly all sessions of a tag match, or none; then their tags say it, for
        which there is an index.
        """
        key = repr(lookup)
        if key not in self._sessions:
            matching = self._ids_of_sessions(lookup.filter)
            tags = [tag for asked in matching for tag in _written(asked)]
            # Not "those that do not match": that is more than an index says.
            every = self._ids_of_sessions({f.SESSION_TAG: {"$in": tags}})
            mixed = {tag for tag in matching if len(matching[tag]) < len(every[tag])}
            self._sessions[key] = _of_tags(matching, mixed=mixed)
        return self._sessions[key]

    def _ids_of_sessions(self, filter_: Filter) -> dict[str | None, set[str | None]]:
        """Return the ids of sessions by their tag; no tag and an empty one are one."""
        ids: dict[str | None, set[str | None]] = {}
        for session in self._store.find(f.SESSIONS, filter_, fields=_OF_SESSION):
            tag = session[f.SESSION_TAG] or None
            ids.setdefault(tag, set()).add(session[f.SESSION_ID])
        return ids

    def _all_configs(self) -> list[tuple[str, Document]]:
        if self._configs is None:
            # Without an index: the same configuration is stored once.
            copies = self._store.find(f.FILES, {f.CONTENT: {"$ne": None}})
            self._configs = [(copy[f.ID], dict(read_copy(copy))) for copy in copies]
        return self._configs


def _of_tags(
    ids: Mapping[str | None, Collection[str | None]],
    *,
    mixed: Collection[str | None],
) -> Filter:
    whole = sorted(tag for tag in ids if tag and tag not in mixed)
    of_tags: list[Filter] = [{f.SESSION_TAG: {"$in": whole}}]
    for tag in sorted((tag for tag in ids if not tag or tag in mixed), key=str):
        listed = sorted(ids[tag], key=str)
        of_tags.append(
            {f.SESSION_TAG: {"$in": _written(tag)}, f.SESSION_ID: {"$in": listed}}
        )
    return of_tags[0] if len(of_tags) == 1 else {"$or": of_tags}


def _written(tag: str | None) -> list[str | None]:
    return [tag] if tag else [None, ""]
