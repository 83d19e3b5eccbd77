"""Activities and entities read from a store in batches, as far as a walk needs them.

Nothing is asked of the store but by the ``load`` methods, each time for many
entities at once.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from functools import partial
from operator import attrgetter, itemgetter
from typing import Final

from provdb.lineage.essentials import Activity, Entity, Link, Relation, declared
from provdb.lineage.resolve import contested_inputs, likely_generators
from provdb.lineage.rules import LinkRule, RuleIndex
from provdb.model import Document
from provdb.model import fields as f
from provdb.store import Store

__all__ = ["Loaded"]

# What is known of most entities: shared, and never added to.
_NOBODY: Final[list[Activity]] = []
_UNUSED: Final[list[tuple[Activity, Link]]] = []
_NOTHING: Final[Sequence[str]] = ()
_UNDECLARED: Final[Sequence[Relation]] = ()
# From so many files on, those of their runs that begin alike are asked for.
_MANY: Final = 1000
_LAST: Final = "\U0010ffff"
_id: Final = attrgetter("id")


class Loaded:
    """What is known of a store as it was at one time.

    Attributes:
        rules: The link rules that may bridge gaps.
        activities: Activities by id; None for one that was not yet.
        entities: Entities by id, of those that have a document.
        levels: Data levels of entities by id.
        generators: Who generated an entity, in the order of the ids.
        readers: Who used an entity, and how, in the order of the ids.
        heirs: Ids of what is derived from an entity or has it as a member, if any.
    """

    def __init__(
        self,
        store: Store,
        *,
        rules: Collection[LinkRule],
        as_of: datetime | None,
        is_ahead: bool = False,
    ) -> None:
        """Start knowing nothing.

        Args:
            store: Where the documents are.
            rules: The link rules that may bridge gaps.
            as_of: What was not yet written then did not happen; None for now.
            is_ahead: Whether a whole lineage is to be loaded, with few questions.
        """
        self.rules = rules
        self.activities: dict[str, Activity | None] = {}
        self.entities: dict[str, Entity] = {}
        self.levels: dict[str, str | None] = {}
        self.generators: dict[str, list[Activity]] = {}
        self.readers: dict[str, list[tuple[Activity, Link]]] = {}
        self.heirs: dict[str, list[str]] = {}
        self._store = store
        self._as_of = as_of
        self._is_ahead = is_ahead
        # What few entities are: no files, derived or collections, in need of a rule.
        self._of_sessions: set[str] = set()
        self._declaring: set[str] = set()
        # Files that may lie across a gap, as what was read there and as what was
        # written there.
        self._may_be_read: set[str] = set()
        self._may_be_written: set[str] = set()
        # What lies there, by what it is called on this side of the gap.
        self._written_for: dict[str, list[Entity]] = {}
        self._read_for: dict[str, list[Entity]] = {}
        self._read_elsewhere: set[str] = set()
        self._across: set[str] = set()
        self._sought: set[str] = set()
        self._index = RuleIndex(rules)
        self._generated_later: set[str] = set()
        # Who generated an entity, of those that are loaded by now.
        self._makers: dict[str, list[Activity]] = {}

    def load_uses(self, entities: Iterable[str]) -> None:
        """Load all that decides which versions of these entities were used."""
        todo = set(entities) - self.generators.keys()
        while todo:
            if self._is_ahead:
                todo = self._load_ahead(todo)
            else:
                self._load_generators(todo)
            todo = self._decisive(todo)

    def load_activities(self, activities: Iterable[str]) -> None:
        """Load some activities themselves."""
        missing = [one for one in activities if one not in self.activities]
        self._know_activities(_activities(self._store.read(f.ACTIVITIES, missing)))

    def load_readers(self, entities: Iterable[str]) -> None:
        """Load all that decides who used which versions of these entities."""
        # In the order in which they lie in memory, which matters where there are many.
        todo = dict.fromkeys(e for e in entities if e not in self.readers)
        while todo:
            unknown = dict.fromkeys(e for e in todo if e not in self.generators)
            missing = self._without_level(unknown)
            known = {a.id for e in unknown for a in self._makers.get(e, ())}
            made, described, used, heirs = self._store.at_once(
                partial(_activities, self._store.generations(unknown, known=known)),
                partial(_entities, self._store.entities(missing)),
                partial(_activities, self._store.usages(todo)),
                partial(self._store.descendants, todo),
            )
            self._know_generators(unknown, made)
            self._know_entities(missing, described)
            self._know_readers(todo, used)
            following = self._know_heirs(todo, heirs)
            self.load_uses(self._decisive(unknown.keys()))
            written = [self.entities[e] for e in todo if e in self._may_be_written]
            self._load_read_for(written)
            written = [one for one in written if one.file_name in self._read_for]
            self._read_elsewhere.update(one.id for one in written)
            following += [read.id for one in written for read in self.read(one)]
            todo = dict.fromkeys(e for e in following if e not in self.readers)

    def activity(self, activity: str) -> Activity:
        """Return a loaded activity that had begun."""
        found = self.activities[activity]
        assert found is not None  # What was not yet is in no version.
        return found

    def comes_later(self, entity: str) -> bool:
        """Say whether an entity was generated only after the time of the question."""
        return not self.generators[entity] and entity in self._generated_later

    def is_for_all_sessions(self, entity: str) -> bool:
        """Say whether an entity is one thing, whichever session names it."""
        return entity not in self._of_sessions

    def has_sources(self, entity: str) -> bool:
        """Say whether an entity can come from something without any activity."""
        if entity in self._declaring:
            return True
        return entity in self._may_be_read and any(
            True for _ in self.written(self.entities[entity])
        )

    def declared(self, entity: str) -> Sequence[Relation]:
        """Return what an entity comes from without any activity, as records say."""
        if entity not in self._declaring:
            return _UNDECLARED
        return self.entities[entity].declared

    def may_be_bridged(self, entity: Entity) -> bool:
        """Say whether nothing generated an entity, or only who used it."""
        return entity.id in self._may_be_read and all(
            any(used == entity.id for used, _, _ in activity.used)
            for activity in self.generators[entity.id]
        )

    def written(self, read: Entity) -> Iterator[Entity]:
        """Yield the files that a link rule could link a file that was read to."""
        found = self._written_for.get(read.file_name or "")
        if found and self.may_be_bridged(read):
            for written in found:
                if any(rule.bridges(read, written) for rule in self.rules):
                    yield written

    def read(self, written: Entity) -> Iterator[Entity]:
        """Yield the files that a link rule could link to a file that was written."""
        for read in self._read_for.get(written.file_name or "", ()):
            # Most files have a name of their own.
            if read.id != written.id and any(
                rule.bridges(read, written) for rule in self.rules
            ):
                yield read

    def later(self, entity: str) -> Sequence[str]:
        """Return the entities that can come from one without any activity.

        Its readers must be loaded.
        """
        later = self.heirs.get(entity, _NOTHING)
        if entity in self._read_elsewhere:
            read = (one.id for one in self.read(self.entities[entity]))
            later = [*later, *read]
        return later

    def _load_generators(self, entities: Collection[str]) -> None:
        missing = self._without_level(entities)
        made, described = self._store.at_once(
            partial(_activities, self._store.generations(entities)),
            partial(_entities, self._store.entities(missing)),
        )
        self._know_generators(entities, made)
        self._know_entities(missing, described)

    def _load_ahead(self, entities: AbstractSet[str]) -> set[str]:
        """Load what is most likely behind entities, and return all that is loaded.

        The entities of all levels are one question then, and hardly any level needs
        one of its own.
        """
        reached: set[str] = set()
        todo = entities
        while todo:
            reached |= todo
            made = _activities(self._store.generations(todo))
            self._know_generators(todo, made)
            used = {
                input_
                for entity in todo
                for maker in likely_generators(self.generators[entity])
                for input_, _, _ in maker.used
            }
            todo = used - self.generators.keys()
        self._load_entities(reached)
        return reached

    def _decisive(self, entities: AbstractSet[str]) -> set[str]:
        """Load what decides between versions, and return what is to be loaded next."""
        contested: set[str] = set()
        for entity in entities:
            if len(self.generators[entity]) > 1:
                contested |= contested_inputs(self.generators[entity])
        self._load_entities(contested)
        read = [self.entities[entity] for entity in entities & self._may_be_read]
        bridged = [entity for entity in read if self.may_be_bridged(entity)]
        self._load_written_for(bridged)
        following = {written.id for one in bridged for written in self.written(one)}
        for id_ in entities & self._declaring:
            following.update(source for _, source in self.declared(id_))
        return following - self.generators.keys()

    def _know_generators(
        self, entities: Collection[str], activities: Iterable[Activity]
    ) -> None:
        self._know_activities(activities)
        makers, generators = self._makers, self.generators
        for entity in entities:
            made = makers.get(entity, _NOBODY)
            # In an order of its own, for that of the store is none.
            generators[entity] = made if len(made) < 2 else sorted(made, key=_id)

    def _know_readers(
        self, entities: Collection[str], activities: Iterable[Activity]
    ) -> None:
        used: dict[str, list[tuple[Activity, Link]]] = {}
        for activity in self._know_activities(activities):
            for link in activity.used:
                if link[0] in entities:
                    used.setdefault(link[0], []).append((activity, link))
        for readers in used.values():
            readers.sort(key=_id_of_reader)
        self.readers |= dict.fromkeys(entities, _UNUSED)
        self.readers |= used

    def _know_heirs(
        self, entities: Collection[str], documents: Iterable[Document]
    ) -> list[str]:
        """Take in what comes from some entities without any activity, and list it."""
        heirs: list[str] = []
        for document in sorted(documents, key=itemgetter(f.ID)):
            for entity in dict.fromkeys(source for _, source in declared(document)):
                if entity in entities:
                    self.heirs.setdefault(entity, []).append(document[f.ID])
                    heirs.append(document[f.ID])
        return heirs

    def _know_activities(self, activities: Iterable[Activity]) -> list[Activity]:
        """Return one object for each activity, without those that were not yet."""
        known, found = self.activities, []
        for activity in activities:
            id_ = activity.id
            one = known[id_] if id_ in known else self._learn(activity)
            if one is not None:
                found.append(one)
        return found

    def _learn(self, activity: Activity) -> Activity | None:
        if self._as_of is not None:
            if not _had_begun(activity, self._as_of):
                self.activities[activity.id] = None
                self._generated_later.update(made for made, _, _ in activity.generated)
                return None
            activity = _as_it_was(activity, self._as_of)
        self.activities[activity.id] = activity
        makers = self._makers
        for entity, _, _ in activity.generated:
            known = makers.get(entity)
            if known is None:
                makers[entity] = [activity]
            elif known[-1] is not activity:  # It may have written it in two roles.
                known.append(activity)
        return activity

    def _load_entities(self, entities: Iterable[str]) -> None:
        missing = self._without_level(entities)
        if missing:
            self._know_entities(missing, _entities(self._store.entities(missing)))

    def _without_level(self, entities: Iterable[str]) -> list[str]:
        return [entity for entity in entities if entity not in self.levels]

    def _know_entities(self, asked: Iterable[str], found: Iterable[Entity]) -> None:
        self.levels |= dict.fromkeys(asked)
        for entity in found:
            id_ = entity.id
            self.entities[id_] = entity
            self.levels[id_] = entity.level
            if entity.file_name is None:
                self._of_sessions.add(id_)
            if entity.declared:
                self._declaring.add(id_)
            may_be_read, may_be_written = self._index.sides(entity)
            if may_be_read:
                self._may_be_read.add(id_)
            if may_be_written:
                self._may_be_written.add(id_)

    def _load_written_for(self, read: Collection[Entity]) -> None:
        """Load what files that were read may be where they were written."""
        index = self._index
        self._load_across(read, index.names_written, index.begun_written)

    def _load_read_for(self, written: Collection[Entity]) -> None:
        """Load what files that were written may be where they are read."""
        index = self._index
        self._load_across(written, index.names_read, index.begun_read)

    def _load_across(
        self,
        entities: Collection[Entity],
        names_of: Callable[[str], list[str]],
        beginnings: Iterable[str],
    ) -> None:
        index = self._index
        found: list[Entity] = []
        names: set[str] = set()
        runs: set[int | None] = set()
        is_by_name = len(entities) < _MANY
        for one in entities:
            if is_by_name or index.keeps(one.name or ""):
                names.update(names_of(one.file_name or ""))
            else:
                # Each of so many could be called otherwise, and hardly any file is.
                runs.add(one.run)
        if runs:
            for beginning in beginnings:
                begun = _begun(beginning, runs=runs)
                found += _entities(self._store.find(f.ENTITIES, begun))
        names -= self._sought
        self._sought |= names
        if names:
            found += _entities(self._store.named(names))
        new = {one.id: one for one in found if one.id not in self._across}
        self._across |= new.keys()
        for _, one in sorted(new.items()):
            for name in index.names_read(one.file_name or ""):
                self._written_for.setdefault(name, []).append(one)
            for name in index.names_written(one.file_name or ""):
                self._read_for.setdefault(name, []).append(one)
        self._know_entities(new, new.values())


def _activities(documents: Iterable[Document]) -> list[Activity]:
    return list(map(Activity.of_document, documents))


def _entities(documents: Iterable[Document]) -> list[Entity]:
    return list(map(Entity.of_document, documents))


def _begun(beginning: str, *, runs: Collection[int | None]) -> Document:
    """Match the files of some runs whose names begin alike."""
    return {
        f.FILE_NAME: {"$gte": beginning, "$lt": beginning + _LAST},
        f.RUN: {"$in": sorted(runs)},
    }


def _id_of_reader(reader: tuple[Activity, Link]) -> str:
    return reader[0].id


def _had_begun(activity: Activity, as_of: datetime) -> bool:
    return activity.start is None or activity.start <= as_of


def _as_it_was(activity: Activity, as_of: datetime) -> Activity:
    if activity.end is None or activity.end <= as_of:
        return activity
    return activity._replace(end=None, status="running")
