"""What documents say of the nodes of a lineage, beside what the lineage itself says."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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
    """

    activities: Mapping[str, Document] = field(default_factory=dict)
    entities: Mapping[str, Document] = field(default_factory=dict)
    sessions: Mapping[str, Document] = field(default_factory=dict)
    environments: Mapping[str, Document] = field(default_factory=dict)


def read_details(lineage: Lineage, store: Store) -> Details:
    """Return the documents of the nodes of a lineage, of their sessions, and so on.

    Each collection is asked once, for all that is needed of it.
    """
    activities = _read(
        store, f.ACTIVITIES, [n.id for n in lineage.nodes if n.kind == "activity"]
    )
    shown = [one for node in lineage.nodes for one in (node, *lineage.members(node))]
    entities = _read(store, f.ENTITIES, [node.entity for node in shown if node.entity])
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
    return Details(
        activities=activities,
        entities=entities,
        sessions=_read(store, f.SESSIONS, sorted(sessions)),
        environments=_read(store, f.ENVIRONMENTS, sorted(environments)),
    )


def _read(store: Store, collection: str, ids: list[str]) -> dict[str, Document]:
    if not ids:
        return {}
    found = store.read(collection, dict.fromkeys(ids))
    return {document[f.ID]: document for document in found}
