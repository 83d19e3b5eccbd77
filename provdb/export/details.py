"""What documents say of the nodes of a lineage, beside what the lineage itself says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from provdb.export.kept import agents_of
from provdb.lineage import Lineage
from provdb.model import Document, session_key
from provdb.model import fields as f
from provdb.store import Store

__all__ = ["Details", "read_details"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """Documents by their ids.

    Attributes:
        activities: Of the activities of a lineage.
        entities: Of its entities.
        sessions: Of the sessions of its activities.
        environments: Of the environments that they ran in.
        agents: Of the agents that others named in what they stated of the nodes.
    """

    activities: Mapping[str, Document] = field(default_factory=dict)
    entities: Mapping[str, Document] = field(default_factory=dict)
    sessions: Mapping[str, Document] = field(default_factory=dict)
    environments: Mapping[str, Document] = field(default_factory=dict)
    agents: Mapping[str, Document] = field(default_factory=dict)


def read_details(lineage: Lineage, store: Store) -> Details:
    """Return the documents of the nodes of a lineage, of their sessions, and so on.

    Each collection is asked once, for all that is needed of it.
    """
    activities = _read(
        store, f.ACTIVITIES, [n.id for n in lineage.nodes if n.kind == "activity"]
    )
    shown = [one for node in lineage.nodes for one in (node, *lineage.members(node))]
    entities = _read(
        store, f.ENTITIES, [node.entity for node in shown if node.entity is not None]
    )
    sessions = {
        session_key(activity[f.SESSION_TAG], activity[f.SESSION_ID])
        for activity in activities.values()
        if activity[f.SESSION_ID] is not None
    }
    environments = {
        activity[f.ENVIRONMENT]
        for activity in activities.values()
        if f.ENVIRONMENT in activity
    }
    tag = lineage.question.get("tag")
    if tag is not None:
        sessions |= _sessions_of(store, tag)
    told = _read(store, f.SESSIONS, sorted(sessions))
    if tag is not None:
        entries = [entry for one in told.values() for entry in one[f.EXECUTIONS]]
        environments |= {e[f.ENVIRONMENT] for e in entries if f.ENVIRONMENT in e}
    return Details(
        activities=activities,
        entities=entities,
        sessions=told,
        environments=_read(store, f.ENVIRONMENTS, sorted(environments)),
        agents=_agents(store, [*activities.values(), *entities.values()]),
    )


def _sessions_of(store: Store, tag: str) -> set[str]:
    """Return the ids of the sessions of a tag, also of those without any activity."""
    return {
        session[f.ID]
        for session in store.scan(f.SESSIONS)
        if fnmatchcase(session[f.SESSION_TAG] or "", tag)
    }


def _agents(store: Store, documents: list[Document]) -> dict[str, Document]:
    """Return the documents of the agents that are named, and whom they act for."""
    agents: dict[str, Document] = {}
    todo = agents_of(documents)
    while todo:
        found = _read(store, f.ENTITIES, sorted(todo))
        agents |= found
        todo = agents_of(found.values()) - agents.keys()
        todo -= {agent for agent in todo if agent in agents}
    return agents


def _read(store: Store, collection: str, ids: list[str]) -> dict[str, Document]:
    if not ids:
        return {}
    found = store.read(collection, dict.fromkeys(ids))
    return {document[f.ID]: document for document in found}
