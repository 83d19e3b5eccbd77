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

from provdb.lineage.resolve import (
    Activity,
    Link,
    contested_inputs,
    likely_generators,
)
from provdb.lineage.rules import LinkRule, RuleIndex
from provdb.model import Document, is_file
from provdb.model import fields as f
from provdb.store import Store

__all__ = ["RELATIONS", "Loaded", "declared"]

# What an entity comes from without any activity: the relation, and where it stands.
RELATIONS: Final = (
    ("wasDerivedFrom", f.DERIVED_FROM),
    ("hadMember", f.MEMBERS),
)

# What is known of most entities: shared, and never added to.
_NOBODY: Final[list[Activity]] = []
_UNUSED: Final[list[tuple[Activity, Link]]] = []
_NOTHING: Final[Sequence[str]] = ()
# From so many files on, those of their runs that begin alike are asked for.
_MANY: Final = 1000
_LAST: Final = "\U0010ffff"
_id: Final = attrgetter("id")


class Loaded:
    """What is known of a store as it was at one time.

    Attributes:
        rules: The link rules that may bridge gaps.
        activities: Activities by id; None for one that was not yet.
        entities: Documents of entities by id, of those that have one.
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
        self.entities: dict[str, Document] = {}
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
        self._written_for: dict[str, list[Document]] = {}
        self._read_for: dict[str, list[Document]] = {}
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
        self._activities_of(self._store.read(f.ACTIVITIES, missing))

    def load_readers(self, entities: Iterable[str]) -> None:
        """Load all that decides who used which versions of these entities."""
        # In the order in which they lie in memory, which matters where there are many.
        todo = dict.fromkeys(e for e in entities if e not in self.readers)
        while todo:
            unknown = dict.fromkeys(e for e in todo if e not in self.generators)
            missing = self._without_level(unknown)
            known = {a.id for e in unknown for a in self._makers.get(e, ())}
            made, described, used, heirs = self._store.at_once(
                partial(self._store.generations, unknown, known=known),
                partial(self._store.entities, missing),
                partial(self._store.usages, todo),
                partial(self._store.descendants, todo),
            )
            self._know_generators(unknown, made)
            self._know_entities(missing, described)
            self._know_readers(todo, used)
            self._know_heirs(todo, heirs)
            self.load_uses(self._decisive(unknown.keys()))
            written = [self.entities[e] for e in todo if e in self._may_be_written]
            self._load_read_for(written)
            written = [one for one in written if one[f.FILE_NAME] in self._read_for]
            self._read_elsewhere.update(one[f.ID] for one in written)
            following = [heir for e in todo for heir in self.heirs.get(e, ())]
            following += [read[f.ID] for one in written for read in self.read(one)]
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

    def may_be_bridged(self, document: Document) -> bool:
        """Say whether nothing generated an entity, or only who used it."""
        entity = document[f.ID]
        return entity in self._may_be_read and all(
            any(used == entity for used, _, _ in activity.used)
            for activity in self.generators[entity]
        )

    def written(self, read: Document) -> Iterator[Document]:
        """Yield the files that a link rule could link a file that was read to."""
        found = self._written_for.get(read.get(f.FILE_NAME, ""))
        if found and self.may_be_bridged(read):
            for written in found:
                if any(rule.bridges(read, written) for rule in self.rules):
                    yield written

    def read(self, written: Document) -> Iterator[Document]:
        """Yield the files that a link rule could link to a file that was written."""
        for read in self._read_for.get(written.get(f.FILE_NAME, ""), ()):
            # Most files have a name of their own.
            if read[f.ID] != written[f.ID] and any(
                rule.bridges(read, written) for rule in self.rules
            ):
                yield read

    def later(self, entity: str) -> Sequence[str]:
        """Return the entities that can come from one without any activity.

        Its readers must be loaded.
        """
        later = self.heirs.get(entity, _NOTHING)
        if entity in self._read_elsewhere:
            read = (document[f.ID] for document in self.read(self.entities[entity]))
            later = [*later, *read]
        return later

    def _load_generators(self, entities: Collection[str]) -> None:
        missing = self._without_level(entities)
        made, described = self._store.at_once(
            partial(self._store.generations, entities),
            partial(self._store.entities, missing),
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
            made = self._store.generations(todo)
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
        bridged = [document for document in read if self.may_be_bridged(document)]
        self._load_written_for(bridged)
        following = {written[f.ID] for d in bridged for written in self.written(d)}
        for entity in entities & self._declaring:
            following.update(declared(self.entities[entity]))
        return following - self.generators.keys()

    def _know_generators(
        self, entities: Collection[str], documents: Iterable[Document]
    ) -> None:
        self._activities_of(documents)
        makers, generators = self._makers, self.generators
        for entity in entities:
            made = makers.get(entity, _NOBODY)
            # In an order of its own, for that of the store is none.
            generators[entity] = made if len(made) < 2 else sorted(made, key=_id)

    def _know_readers(
        self, entities: Collection[str], documents: Iterable[Document]
    ) -> None:
        readers = self.readers
        readers |= dict.fromkeys(entities, _UNUSED)
        for activity in self._activities_of(documents):
            for link in activity.used:
                entity = link[0]
                if entity in entities:
                    known = readers[entity]
                    if known:
                        known.append((activity, link))
                    else:
                        readers[entity] = [(activity, link)]
        for entity in entities:
            if len(readers[entity]) > 1:
                readers[entity].sort(key=_id_of_reader)

    def _know_heirs(
        self, entities: Collection[str], documents: Iterable[Document]
    ) -> None:
        for document in sorted(documents, key=itemgetter(f.ID)):
            for entity in dict.fromkeys(declared(document)):
                if entity in entities:
                    self.heirs.setdefault(entity, []).append(document[f.ID])

    def _activities_of(self, documents: Iterable[Document]) -> list[Activity]:
        """Return the activities of documents, without those that were not yet."""
        known, found = self.activities, []
        for document in documents:
            id_ = document[f.ID]
            activity = known[id_] if id_ in known else self._learn(id_, document)
            if activity is not None:
                found.append(activity)
        return found

    def _learn(self, id_: str, document: Document) -> Activity | None:
        activity = Activity.of_document(document)
        if self._as_of is not None:
            if not _had_begun(activity, self._as_of):
                self.activities[id_] = None
                self._generated_later.update(made for made, _, _ in activity.generated)
                return None
            activity = _as_it_was(activity, self._as_of)
        self.activities[id_] = activity
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
            self._know_entities(missing, self._store.entities(missing))

    def _without_level(self, entities: Iterable[str]) -> list[str]:
        return [entity for entity in entities if entity not in self.levels]

    def _know_entities(
        self, entities: Iterable[str], documents: Iterable[Document]
    ) -> None:
        self.levels |= dict.fromkeys(entities)
        for document in documents:
            entity = document[f.ID]
            self.entities[entity] = document
            self.levels[entity] = document[f.LEVEL]
            if not is_file(document):
                self._of_sessions.add(entity)
            if f.DERIVED_FROM in document or f.MEMBERS in document:
                self._declaring.add(entity)
            may_be_read, may_be_written = self._index.sides(document)
            if may_be_read:
                self._may_be_read.add(entity)
            if may_be_written:
                self._may_be_written.add(entity)

    def _load_written_for(self, read: Collection[Document]) -> None:
        """Load what files that were read may be where they were written."""
        index = self._index
        self._load_across(read, index.names_written, index.begun_written)

    def _load_read_for(self, written: Collection[Document]) -> None:
        """Load what files that were written may be where they are read."""
        index = self._index
        self._load_across(written, index.names_read, index.begun_read)

    def _load_across(
        self,
        documents: Collection[Document],
        names_of: Callable[[str], list[str]],
        beginnings: Iterable[str],
    ) -> None:
        index = self._index
        found: list[Document] = []
        names: set[str] = set()
        runs: set[int] = set()
        is_by_name = len(documents) < _MANY
        for one in documents:
            if is_by_name or index.keeps(one.get(f.NAME, "")):
                names.update(names_of(one[f.FILE_NAME]))
            else:
                # Each of so many could be called otherwise, and hardly any file is.
                runs.add(one[f.RUN])
        if runs:
            for beginning in beginnings:
                found += self._store.find(f.ENTITIES, _begun(beginning, runs=runs))
        names -= self._sought
        self._sought |= names
        if names:
            found += self._store.named(names)
        new = {one[f.ID]: one for one in found if one[f.ID] not in self._across}
        self._across |= new.keys()
        for entity in sorted(new):
            document = new[entity]
            for name in index.names_read(document[f.FILE_NAME]):
                self._written_for.setdefault(name, []).append(document)
            for name in index.names_written(document[f.FILE_NAME]):
                self._read_for.setdefault(name, []).append(document)
        self._know_entities(new, new.values())


def _begun(beginning: str, *, runs: Collection[int]) -> Document:
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


def declared(document: Document) -> list[str]:
    """Return the ids of what an entity is derived from, and of its members."""
    return [
        link[f.ENTITY] for _, array in RELATIONS for link in document.get(array, ())
    ]
