"""One side of a comparison: the activities that a name means, and what they name."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Final

from provdb.errors import NotFound, QueryError
from provdb.lineage import Lineage, WalkOptions, lineage
from provdb.lineage.completeness import Completeness
from provdb.lineage.telescopes import is_of_telescope
from provdb.model import Document, decode, execution_start, session_key
from provdb.model import fields as f
from provdb.model.names import run_of_tag, telescope_name
from provdb.store import Store

__all__ = ["Side", "load_side"]

_KINDS: Final = ("file", "run", "tag", "production")
_RUN: Final = re.compile(r"\d{1,9}")
_WILD: Final = re.compile(r"[*?\[]")
_MOST_ACTIVITIES: Final = 20_000
_COMPLETE: Final = Completeness()


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one side of a comparison is made of.

    Attributes:
        name: How it was named.
        kind: ``file``, ``run``, ``tag`` or ``production``.
        activities: The activities, in the order they ran.
        entities: What they used and generated, by id, as far as it is described.
        environments: Their environments, by id.
        sessions: Their sessions, by id.
        completeness: What the lineage of a file knows and does not know.
        sentence: The same in words, with names; empty of what is not a file.
    """

    name: str
    kind: str
    activities: tuple[Document, ...]
    entities: Mapping[str, Document]
    environments: Mapping[str, Document]
    sessions: Mapping[str, Document]
    completeness: Completeness = _COMPLETE
    sentence: str = ""

    @property
    def generated(self) -> frozenset[str]:
        """Ids of what the activities generated."""
        return frozenset(
            link[f.ENTITY] for a in self.activities for link in a[f.GENERATED]
        )

    def properties(self, activity: Document) -> dict[str, Any]:
        """Return what the session of an activity says of itself."""
        session = self.sessions.get(_session_of(activity))
        found = {} if session is None else decode(session[f.PROPERTIES])
        return found if isinstance(found, dict) else {}

    def commit(self, activity: Document) -> dict[str, Any]:
        """Return which code an activity ran, as far as its session knows."""
        session = self.sessions.get(_session_of(activity))
        start = execution_start(activity)
        for execution in () if session is None else session[f.EXECUTIONS]:
            git = execution.get(f.PROCESS, {}).get("git")
            if isinstance(git, dict) and execution_start(execution) == start:
                return git
        return {}


def load_side(
    store: Store, name: str, *, options: WalkOptions, telescope: str | None = None
) -> Side:
    """Return what a name means: a file, a run, a tag or a production.

    Args:
        store: Where the documents are.
        name: ``run:01807`` or the number alone, or ``run:21000/LST-2`` where several
            telescopes have a run of that number; ``tag:r0_to_dl1:01807``, or the tag
            alone, with ``*`` and ``?``; ``production:v0.12.3``, the software_version
            of sessions, or ``production:v0.12.3/20200117`` for one night of it; else
            a file, as `find_name` takes it, or ``file:NAME``.
        options: How far back a file is followed.
        telescope: The telescope whose activities count, or None for all; not asked of
            a file, nor where the name says another one.

    Raises:
        NotFound: Nothing has that name, or nothing is known to have made it.
        Ambiguous: Several files have it.
        QueryError: It means more than can be compared.
    """
    kind, rest = _kind_of(name, store)
    if kind == "run" and "/" in rest:
        rest, _, telescope = rest.partition("/")
    answer: Lineage | None = None
    if kind == "file":
        answer = lineage(store, rest, options=options)
        ids = [node.id for node in answer.nodes if node.kind == "activity"]
        activities = store.read(f.ACTIVITIES, ids)
    elif kind == "production":
        activities = _of_production(store, rest)
    else:
        activities = store.tagged(_tags(store, kind, rest))
    if not activities:
        raise NotFound(name, message=_WITHOUT[kind].format(rest))
    if len(activities) > _MOST_ACTIVITIES:
        raise QueryError(
            f"{name} is {len(activities)} activities, at most {_MOST_ACTIVITIES} are "
            "compared; name a run, a tag or one night of the production"
        )
    side = _loaded(store, name, kind, activities)
    if answer is not None:
        return replace(side, completeness=answer.completeness, sentence=answer.sentence)
    return side if telescope is None else _of_telescope(side, telescope_name(telescope))


_WITHOUT: Final = {
    "file": "nothing is known to have made {}, so there is nothing to compare",
    "run": "no activity is of run {}; 'provdb session list' shows the tags",
    "tag": "no activity has the tag {}; 'provdb session list' shows all",
    "production": "no session has the software_version {}; "
    "'provdb session list' shows them",
}


def _kind_of(name: str, store: Store) -> tuple[str, str]:
    kind, colon, rest = name.partition(":")
    if colon and rest and kind in _KINDS:
        return kind, rest
    if _RUN.fullmatch(name):
        return "run", name
    if colon and _tags(store, "tag", name):
        return "tag", name
    return "file", name


def _tags(store: Store, kind: str, rest: str) -> list[str]:
    if kind == "run":
        if not _RUN.fullmatch(rest):
            raise QueryError(f"{rest} is no run; write it as run:01807")
        run = int(rest)
        return [tag for tag in store.session_tags() if run_of_tag(tag) == run]
    if not _WILD.search(rest):
        return [rest] if store.tagged([rest]) else []
    return [tag for tag in store.session_tags() if fnmatchcase(tag, rest)]


def _of_production(store: Store, rest: str) -> list[Document]:
    version, _, night = rest.partition("/")
    chosen = {
        session[f.ID]: session[f.SESSION_TAG]
        for session in store.scan(f.SESSIONS)
        if session[f.PROPERTIES].get("software_version") == version
        and (not night or _is_of(night, session[f.PROPERTIES]))
    }
    found = store.tagged(tag for tag in chosen.values() if tag)
    return [activity for activity in found if _session_of(activity) in chosen]


def _is_of(night: str, properties: Mapping[str, Any]) -> bool:
    observed = str(properties.get("observation_date", ""))
    return observed.replace("-", "") == night.replace("-", "")


def _loaded(store: Store, name: str, kind: str, activities: Iterable[Document]) -> Side:
    ordered = sorted(activities, key=lambda a: (str(a.get(f.START)), a[f.ID]))
    named = {
        link[f.ENTITY]
        for activity in ordered
        for link in (*activity[f.USED], *activity[f.GENERATED])
    }
    environments = {a[f.ENVIRONMENT] for a in ordered if f.ENVIRONMENT in a}
    sessions = {_session_of(activity) for activity in ordered}
    return Side(
        name=name,
        kind=kind,
        activities=tuple(ordered),
        entities=_by_id(store.entities(named)),
        environments=_by_id(store.read(f.ENVIRONMENTS, environments)),
        sessions=_by_id(store.read(f.SESSIONS, sessions)),
    )


def _of_telescope(side: Side, telescope: str) -> Side:
    activities = tuple(
        activity
        for activity in side.activities
        if is_of_telescope(activity, side.entities, telescope)
    )
    if not activities:
        raise NotFound(
            side.name, message=f"no activity of {side.name} is of {telescope}"
        )
    return replace(side, activities=activities)


def _by_id(documents: Iterable[Document]) -> dict[str, Document]:
    return {document[f.ID]: document for document in documents}


def _session_of(activity: Document) -> str:
    return session_key(activity[f.SESSION_TAG], activity[f.SESSION_ID])
