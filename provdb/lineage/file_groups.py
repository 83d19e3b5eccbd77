"""Entities that are one file: other spellings, other mount points, symbolic links.

Most stores have none of these; then nothing is asked of them, and every entity is a
file of its own.
"""

from collections.abc import Iterable, Mapping
from operator import attrgetter

from provdb.lineage.steps import Activity, Entity, Link
from provdb.model import Document, StoreSettings, location_id
from provdb.model import fields as f
from provdb.model.locations import spellings
from provdb.model.qualified import is_uri
from provdb.store import Store

__all__ = ["FileGroups"]


class FileGroups:
    """Which entities are one file, as far as they were asked for.

    A group goes by the id of its preferred spelling if an entity has it, else by the
    smallest id of its entities.
    """

    def __init__(self, store: Store, settings: StoreSettings) -> None:
        """Ask a store; nothing is known yet."""
        self._store = store
        self._aliases = settings.aliases
        self.is_needed = bool(settings.aliases) or store.has_any(f.ENTITIES, f.SAME_AS)
        self._group_of: dict[str, str] = {}
        self._members: dict[str, tuple[str, ...]] = {}
        self._places: dict[str, str] = {}

    def look_up(self, ids: Iterable[str]) -> None:
        """Find the groups of entities."""
        if not self.is_needed:
            return
        unknown = [id_ for id_ in dict.fromkeys(ids) if id_ not in self._group_of]
        if not unknown:
            return
        documents = {d[f.ID]: d for d in self._store.entities(unknown)}
        places = {id_: self._place(documents[id_]) for id_ in documents}
        spelled = {
            location_id(spelling): place
            for place in set(places.values()) - {None}
            if place is not None
            for spelling in spellings(place, self._aliases)
        }
        others = [*self._store.entities(spelled), *self._store.known_as(spelled)]
        for document in others:
            if document[f.ID] not in places:
                places[document[f.ID]] = self._place(document)
        groups: dict[str, list[str]] = {}
        for id_, place in places.items():
            if place is not None:
                groups.setdefault(place, []).append(id_)
        for place, members in groups.items():
            preferred = location_id(place)
            group = preferred if preferred in members else min(members)
            self._members[group] = tuple(sorted(members))
            self._places[group] = place
            for member in members:
                self._group_of[member] = group
        for id_ in unknown:
            self._group_of.setdefault(id_, id_)

    def group_of(self, id_: str) -> str:
        """Return the id of the file that an entity is; it was looked up before."""
        return self._group_of.get(id_, id_)

    def members(self, ids: Iterable[str]) -> list[str]:
        """Return the ids of all entities that are some files."""
        return [member for id_ in ids for member in self._members.get(id_, (id_,))]

    def one_for_each(self, entities: Iterable[Entity]) -> list[Entity]:
        """Return entities under the ids of their files, each once, in their order."""
        listed = sorted(entities, key=attrgetter("id"))
        self.look_up(one.id for one in listed)
        files = {self.group_of(one.id): one for one in listed}
        return [one._replace(id=file) for file, one in sorted(files.items())]

    def joined(self, activity: Activity) -> Activity:
        """Return an activity whose links name files, not spellings of them."""
        return activity._replace(
            used=self._links(activity.used),
            generated=self._links(activity.generated),
            removed=tuple(self.group_of(id_) for id_ in activity.removed),
        )

    def joined_entity(self, entities: Mapping[str, Entity], group: str) -> Entity:
        """Return what all entities of a file say of it together.

        Args:
            entities: Entities by id.
            group: Id of the file.
        """
        ids = self._members.get(group, (group,))
        members = [entities[id_] for id_ in ids if id_ in entities]
        first = next((one for one in members if one.id == group), members[0])
        declared = dict.fromkeys(
            (relation, self.group_of(other))
            for one in members
            for relation, other in one.declared
        )
        return first._replace(
            id=group,
            location=self._places.get(group, first.location),
            declared=tuple(declared),
            hash=next((one.hash for one in members if one.hash is not None), None),
        )

    def _links(self, links: Iterable[Link]) -> tuple[Link, ...]:
        return tuple((self.group_of(link[0]), *link[1:]) for link in links)

    def _place(self, document: Document) -> str | None:
        """Return the preferred spelling of where a file is; None of what is no file."""
        location = document.get(f.REAL_PATH) or document.get(f.LOCATION)
        if location is None or f.FILE_NAME not in document or is_uri(document[f.ID]):
            return None
        return spellings(location, self._aliases)[0]
