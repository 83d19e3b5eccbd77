"""Activities and entities read from a store in batches, as far as a walk needs them.

Nothing is asked of the store but by the ``load`` methods, each time for many
entities at once.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta
from fnmatch import translate
from functools import partial
from operator import attrgetter, itemgetter
from typing import Final

from provdb.lineage.bridges import Bridges
from provdb.lineage.file_groups import FileGroups
from provdb.lineage.link_rules import (
    LinkRule,
    RuleIndex,
    has_name_only,
    link_rules,
)
from provdb.lineage.steps import Activity, Entity, Link, Relation, declared
from provdb.lineage.timeline import (
    Arrival,
    Timeline,
    Unexplained,
    is_damaged,
    is_inverted,
    needs_inputs,
)
from provdb.model import Document, StoreSettings
from provdb.model import fields as f
from provdb.store import Store

__all__ = ["Loader"]

# What is known of most entities: shared, and never added to.
_NOBODY: Final[list[Activity]] = []
_UNUSED: Final[list[tuple[Activity, Link]]] = []
_NOTHING: Final[Sequence[str]] = ()
_NO_ENTITIES: Final[Sequence[Entity]] = ()
_UNDECLARED: Final[Sequence[Relation]] = ()
# From so many files on, those of their runs that begin alike are asked for.
_MANY: Final = 1000
_LAST: Final = "\U0010ffff"
_WILD: Final = frozenset("*?[")
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_RAW: Final = "R0"
_id: Final = attrgetter("id")


class Loader:
    """What is known of a store as it was at one time.

    Attributes:
        rules: The link rules that may bridge gaps.
        settings: The settings of the store.
        groups: Which entities are one file.
        activities: Activities by id; None for one that was not yet.
        entities: Entities by id, of those that have a document.
        generators: Who generated an entity, in the order of the ids.
        readers: Who used an entity, and how, in the order of the ids.
        heirs: Ids of what is derived from an entity or has it as a member, if any.
        bridges: What gaps lead to without a record and without a rule.
    """

    def __init__(
        self,
        store: Store,
        *,
        rules: Collection[LinkRule] | None = None,
        as_of: datetime | None = None,
        is_ahead: bool = False,
        is_dry_run: bool = False,
    ) -> None:
        """Start knowing nothing.

        Args:
            store: Where the documents are.
            rules: The link rules that may bridge gaps, or None for those of the store;
                an empty collection leaves out all that no record states.
            as_of: What was not yet written then did not happen; None for now.
            is_ahead: Whether a whole lineage is to be loaded, with few questions.
            is_dry_run: Whether dry runs count; they wrote nothing.
        """
        self.settings: StoreSettings = store.settings()
        if rules is None:
            rules = link_rules(self.settings.link_rules)
        self.rules = rules
        self.groups = FileGroups(store, self.settings)
        self.activities: dict[str, Activity | None] = {}
        self.entities: dict[str, Entity] = {}
        self.generators: dict[str, list[Activity]] = {}
        self.readers: dict[str, list[tuple[Activity, Link]]] = {}
        self.heirs: dict[str, list[str]] = {}
        self._store = store
        self._as_of = as_of
        self._is_ahead = is_ahead
        self._is_dry_run = is_dry_run
        self._described: set[str] = set()
        # What few entities are: derived or collections, in need of a rule.
        self._declaring: set[str] = set()
        # Files that may lie across a gap, as what was read there and as what was
        # written there.
        self._may_be_read: set[str] = set()
        self._may_be_written: set[str] = set()
        # What may lie there, by its file name, and by the other names that a file may
        # have where it was written.
        self._named: dict[str, list[Entity]] = {}
        self._renamed: dict[str, list[Entity]] = {}
        self._across: set[str] = set()
        # Ids of the files that a rule links to one that was written, if any.
        self._read_elsewhere: dict[str, list[str]] = {}
        self._sought: set[str] = set()
        self._index = RuleIndex(rules)
        self._moves = [rule for rule in rules if rule.is_move]
        # Whether files are moved to a folder, by the folder.
        self._are_moved_to: dict[str, bool] = {}
        local = "|".join(map(translate, self.settings.node_local))
        self._local = re.compile(local or r"(?!)")
        self._generated_later: set[str] = set()
        self._only_dry: set[str] = set()
        # Who generated an entity, of those that are loaded by now.
        self._makers: dict[str, list[Activity]] = {}
        # Who moved it away, and who read unknown content of it.
        self._removers: dict[str, list[Activity]] = {}
        self._hashed_reads: dict[str, list[Unexplained]] = {}
        self._gaps: set[str] = set()
        self.bridges = Bridges(store, self.groups)
        self._is_bridging = bool(rules)
        self._facts: dict[str, bool] = {}

    def load_uses(self, entities: Iterable[str]) -> None:
        """Load all that decides which versions of these entities were used."""
        asked = list(entities)
        self.groups.look_up(asked)
        todo = set(map(self.groups.group_of, asked)) - self.generators.keys()
        while todo:
            if self._is_ahead:
                todo = self._load_ahead(todo)
            else:
                self._load_generators(todo)
            todo = self._decisive(todo)

    def load_activities(self, activities: Iterable[str]) -> None:
        """Load some activities themselves."""
        missing = [one for one in activities if one not in self.activities]
        found = _activities(self._store.read(f.ACTIVITIES, missing))
        for activity in self._joined(found):
            if self._learn(activity) is None and activity.is_dry_run:
                # Who is asked for counts, also where it wrote nothing.
                self.activities[activity.id] = activity

    def load_readers(self, entities: Iterable[str]) -> None:
        """Load all that decides who used which versions of these entities."""
        asked = list(entities)
        self.groups.look_up(asked)
        # In the order in which they lie in memory, which matters where there are many.
        files = map(self.groups.group_of, asked)
        todo = dict.fromkeys(file for file in files if file not in self.readers)
        while todo:
            unknown = dict.fromkeys(e for e in todo if e not in self.generators)
            missing = self._undescribed(unknown)
            known = {a.id for e in unknown for a in self._makers.get(e, ())}
            members = self.groups.members
            made, described, used, heirs = self._store.at_once(
                partial(
                    _activities,
                    self._store.generations(members(unknown), known=known),
                ),
                partial(_entities, self._store.entities(members(missing))),
                partial(_activities, self._store.usages(members(todo))),
                partial(self._store.descendants, members(todo)),
            )
            self._know_generators(unknown, made)
            self._know_entities(missing, described)
            self._know_readers(todo, used)
            following = self._know_heirs(todo, heirs)
            self.load_uses(self._decisive(unknown.keys()))
            written = [self.entities[e] for e in todo if self._is_read_elsewhere(e)]
            self._load_read_for(written)
            for one in written:
                if not _has_others(self._alike_read(one), one):
                    continue
                if read := [other.id for other in self.read(one)]:
                    self._read_elsewhere[one.id] = read
                    following += read
            if self._is_bridging:
                described = (self.entities[e] for e in todo if e in self.entities)
                following += self.bridges.load_later(described)
            todo = dict.fromkeys(e for e in following if e not in self.readers)

    def load_gap(self, entity: str) -> None:
        """Load what a file comes from that was read before anybody wrote it.

        Most files of which nothing was written are gaps from the start; what is one
        only for a read is known when that read is resolved.
        """
        known = self.entities.get(entity)
        if known is not None and entity not in self._gaps:
            self.load_uses(self._load_sources([known]))

    def describe(self, entities: Iterable[str]) -> None:
        """Load what is known of entities themselves, and nothing of who made them."""
        self._load_entities(entities)

    def is_plain(self, entity: str) -> bool:
        """Say whether one good write of a whole file, or none, is all there was.

        That is so of nearly all files, and needs no timeline.
        """
        makers = self.generators.get(entity, _NOBODY)
        if len(makers) > 1 or entity in self._removers or entity in self._hashed_reads:
            return False
        for maker in makers:
            if is_damaged(maker) or is_inverted(maker):
                return False
            for link in maker.generated:
                if link[0] == entity and link[3] is not None:
                    return False
        known = self.entities.get(entity)
        return known is None or not (
            known.is_fixed
            or known.file_name is None
            or self._is_local(known.location)
            or self._arrivals(known, makers)
        )

    def timeline(self, entity: str, *, tolerance: timedelta) -> Timeline:
        """Return the timeline of a loaded entity.

        Args:
            entity: Id of the entity.
            tolerance: How far the clocks of two machines may differ.
        """
        known = self.entities.get(entity)
        makers = self.generators.get(entity, _NOBODY)
        arrivals = [] if known is None else self._arrivals(known, makers)
        return Timeline.of(
            entity,
            makers,
            entity=known,
            entities=self.entities,
            arrivals=arrivals,
            removals=self._removers.get(entity, ()),
            unexplained=self._unexplained(entity, makers),
            is_local=known is not None and self._is_local(known.location),
            tolerance=tolerance,
        )

    def activity(self, activity: str) -> Activity:
        """Return a loaded activity that had begun."""
        found = self.activities[activity]
        assert found is not None  # What was not yet is in no version.
        return found

    def comes_later(self, entity: str) -> bool:
        """Say whether an entity was generated only after the time of the question."""
        return not self.generators[entity] and entity in self._generated_later

    def is_only_dry(self, entity: str) -> bool:
        """Say whether nothing but dry runs generated an entity."""
        return not self.generators[entity] and entity in self._only_dry

    def may_have_sources(self, entity: str) -> bool:
        """Say whether an entity can come from something without any activity."""
        return (
            entity in self._declaring
            or self.bridges.lead_from(entity)
            or (
                entity in self._may_be_read
                and any(True for _ in self.written(self.entities[entity]))
            )
        )

    def namesakes(self, entity: str) -> tuple[str, list[Entity]]:
        """Return a rule, and the files by it that one without a folder can be."""
        read = self.entities.get(entity)
        if read is not None and entity in self._may_be_read and has_name_only(read):
            alike = self._alike_written(read)
            for rule in self.rules:
                found = [one for one in alike if rule.bridges(read, one)]
                if found and rule.is_by_name:
                    return rule.name, found
        return "", []

    def declares(self, entity: str) -> bool:
        """Say whether records say what an entity is derived from or consists of."""
        return entity in self._declaring

    def declared(self, entity: str) -> Sequence[Relation]:
        """Return what an entity comes from without any activity, as records say."""
        if entity not in self._declaring:
            return _UNDECLARED
        return self.entities[entity].declared

    def written(self, read: Entity) -> Iterator[Entity]:
        """Yield the files that a link rule could link a file that was read to."""
        for written in self._alike_written(read):
            if written.id != read.id and any(
                rule.bridges(read, written) for rule in self.rules
            ):
                yield written

    def read(self, written: Entity) -> Iterator[Entity]:
        """Yield the files that a link rule could link to a file that was written."""
        for read in self._alike_read(written):
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
            later = [*later, *self._read_elsewhere[entity]]
        if below := self.bridges.later(entity):
            later = [*later, *below]
        return later

    def _arrivals(
        self, entity: Entity, makers: Collection[Activity]
    ) -> list[tuple[Arrival, Activity]]:
        """Return the writes elsewhere that a rule moves to a file."""
        if entity.id not in self._may_be_read:
            return []
        alike = self._alike_written(entity)
        if not _has_others(alike, entity) or not self._is_moved_to(entity):
            return []
        # What a maker of this file read elsewhere was processed, and not moved.
        processed = {link[0] for maker in makers for link in maker.used}
        return [
            (Arrival(written.id, rule.name), maker)
            for written in alike
            if written.id != entity.id and written.id not in processed
            for rule in self._moves
            if rule.bridges(entity, written)
            for maker in self.generators.get(written.id, ())
            if not any(link[0] == entity.id for link in maker.generated)
        ]

    def _alike_written(self, read: Entity) -> Sequence[Entity]:
        """Return what is called as a file that was read may be where it was written."""
        name = read.file_name or ""
        if not name.startswith(self._index.begun_read):
            return self._named.get(name, _NO_ENTITIES)
        names = self._index.names_written(name)
        found = [one for name in names for one in self._named.get(name, ())]
        return sorted(found, key=_id)

    def _alike_read(self, written: Entity) -> Sequence[Entity]:
        """Return what is called as a file that was written may be where it is read."""
        name = written.file_name or ""
        alike = self._named.get(name, _NO_ENTITIES)
        renamed = self._renamed.get(name)
        return alike if renamed is None else sorted([*alike, *renamed], key=_id)

    def _unexplained(
        self, entity: str, makers: Iterable[Activity]
    ) -> list[Unexplained]:
        """Return the reads of content that none of the makers of a file wrote."""
        reads = self._hashed_reads.get(entity)
        if reads is None:
            return []
        hashes = {h for a in makers for id_, _, h, _ in a.generated if id_ == entity}
        return [read for read in reads if _is_unexplained(read.hash, hashes)]

    def _is_read_elsewhere(self, id_: str) -> bool:
        """Say whether a rule can link another file to one that was written."""
        if id_ in self._may_be_written:
            return True
        if not self._index.finds_names or not self._has_names_only():
            return False
        entity = self.entities.get(id_)
        return entity is not None and entity.file_name is not None

    def _has_names_only(self) -> bool:
        """Say whether any location has no folder; asked of the store once."""
        known = self._facts.get(f.LOCATION)
        if known is None:
            known = self._facts[f.LOCATION] = any(
                self._store.smallest(f.ENTITIES, f.LOCATION, low=low, beyond=beyond)
                for low, beyond in (("0", _LAST), ("", "/"))
            )
        return known

    def _is_moved_to(self, entity: Entity) -> bool:
        folder = (entity.location or "").rpartition("/")[0]
        known = self._are_moved_to.get(folder)
        if known is None:
            known = any(rule.moves_to(f"{folder}/") for rule in self._moves)
            self._are_moved_to[folder] = known
        return known

    def _is_local(self, location: str | None) -> bool:
        return location is not None and self._local.match(location) is not None

    def _load_generators(self, entities: Collection[str]) -> None:
        missing = self._undescribed(entities)
        members = self.groups.members
        made, described = self._store.at_once(
            partial(_activities, self._store.generations(members(entities))),
            partial(_entities, self._store.entities(members(missing))),
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
            made = _activities(self._store.generations(self.groups.members(todo)))
            self._know_generators(todo, made)
            used = {
                input_
                for entity in todo
                for maker in _likely(self.generators[entity])
                for input_, *_ in maker.used
            }
            todo = used - self.generators.keys()
        self._load_entities(reached)
        return reached

    def _decisive(self, entities: AbstractSet[str]) -> set[str]:
        """Load what decides between versions, and return what is to be loaded next."""
        if not entities:
            return set()
        self._load_removers(entities)
        inputs: set[str] = set()
        hashed: set[str] = set()
        gaps: list[Entity] = []
        asked: list[Entity] = []
        for id_ in entities:
            makers = self.generators[id_]
            entity = self.entities.get(id_)
            is_declared = bool(makers) and id_ in self._declaring
            if is_declared or (len(makers) > 1 and needs_inputs(makers, entity)):
                inputs.update(link[0] for maker in makers for link in maker.used)
            is_gap = True
            for maker in makers:
                for made, _, hash_, _ in maker.generated:
                    if hash_ and made == id_:
                        hashed.add(id_)
                if is_gap and not is_damaged(maker):
                    is_gap = id_ in [link[0] for link in maker.used]
            if entity is None:
                continue
            if is_gap:
                gaps.append(entity)
            elif self._is_moved_to(entity):
                asked.append(entity)
        self._load_entities(inputs)
        self._load_hashed_reads(hashed)
        following = self._load_sources(gaps, moved=asked)
        for id_ in entities & self._declaring:
            following.update(source for _, source in self.declared(id_))
        return following - self.generators.keys()

    def _load_sources(
        self, gaps: Collection[Entity], *, moved: Collection[Entity] = ()
    ) -> set[str]:
        """Load what gaps can be bridged to, and return the ids of it.

        Args:
            gaps: Files of which somebody may have read what nobody wrote.
            moved: Other files, in folders that files are moved to.
        """
        self._gaps.update(entity.id for entity in gaps)
        asked = [one for one in (*gaps, *moved) if one.id in self._may_be_read]
        self._load_written_for(asked)
        following = {
            written.id
            for one in asked
            if _has_others(self._alike_written(one), one)
            for written in self.written(one)
        }
        return following | (self.bridges.load(gaps) if self._is_bridging else set())

    def _load_removers(self, entities: Collection[str]) -> None:
        field = f"{f.INVALIDATED}.{f.ENTITY}"
        if not self._has_any(f.ACTIVITIES, field):
            return
        found = _activities(self._store.removals(self.groups.members(entities)))
        for activity in self._know_activities(found):
            if is_damaged(activity):
                continue
            for entity in activity.removed:
                removers = self._removers.setdefault(entity, [])
                if all(other is not activity for other in removers):
                    removers.append(activity)

    def _load_hashed_reads(self, entities: Collection[str]) -> None:
        if not entities:
            return
        used = _activities(self._store.usages(self.groups.members(entities)))
        for activity in self._joined(used):
            if activity.is_dry_run or activity.start is None:
                continue
            for entity, _, hash_, _ in activity.used:
                if hash_ is not None and entity in entities:
                    read = Unexplained(activity.start, hash_, activity.id)
                    if self._as_of is None or activity.start <= self._as_of:
                        self._hashed_reads.setdefault(entity, []).append(read)

    def _has_any(self, collection: str, field: str) -> bool:
        """Say whether any document has an indexed field; asked of the store once."""
        key = f"{collection}.{field}"
        if key not in self._facts:
            self._facts[key] = self._store.has_any(collection, field)
        return self._facts[key]

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
            if len(readers) > 1:
                readers.sort(key=_id_of_reader)
        self.readers |= dict.fromkeys(entities, _UNUSED)
        self.readers |= used

    def _know_heirs(
        self, entities: Collection[str], documents: Iterable[Document]
    ) -> list[str]:
        """Take in what comes from some entities without any activity, and list it."""
        heirs: list[str] = []
        for document in sorted(documents, key=itemgetter(f.ID)):
            named = [document[f.ID], *(source for _, source in declared(document))]
            self.groups.look_up(named)
            heir, *sources = (self.groups.group_of(id_) for id_ in named)
            for entity in dict.fromkeys(sources):
                if entity in entities and heir not in self.heirs.get(entity, ()):
                    self.heirs.setdefault(entity, []).append(heir)
                    heirs.append(heir)
        return heirs

    def _know_activities(self, activities: Iterable[Activity]) -> list[Activity]:
        """Return one object for each activity, without those that were not yet."""
        known, found = self.activities, []
        for activity in self._joined(activities):
            id_ = activity.id
            one = known[id_] if id_ in known else self._learn(activity)
            if one is not None:
                found.append(one)
        return found

    def _joined(self, activities: Iterable[Activity]) -> Iterable[Activity]:
        """Return activities whose links name files, not spellings of them."""
        if not self.groups.is_needed:
            return activities
        listed = list(activities)
        self.groups.look_up(
            id_
            for activity in listed
            for id_ in (
                *(link[0] for link in (*activity.used, *activity.generated)),
                *activity.removed,
            )
        )
        return [self.groups.joined(activity) for activity in listed]

    def _learn(self, activity: Activity) -> Activity | None:
        if activity.is_dry_run and not self._is_dry_run:
            self.activities[activity.id] = None
            self._only_dry.update(link[0] for link in activity.generated)
            return None
        if self._as_of is not None:
            if not _had_begun(activity, self._as_of):
                self.activities[activity.id] = None
                self._generated_later.update(link[0] for link in activity.generated)
                return None
            activity = _as_it_was(activity, self._as_of)
        self.activities[activity.id] = activity
        makers = self._makers
        for entity, *_ in activity.generated:
            known = makers.get(entity)
            if known is None:
                makers[entity] = [activity]
            elif known[-1] is not activity:  # It may have written it in two roles.
                known.append(activity)
        return activity

    def _load_entities(self, entities: Iterable[str]) -> None:
        missing = self._undescribed(entities)
        if missing:
            found = _entities(self._store.entities(self.groups.members(missing)))
            self._know_entities(missing, found)

    def _undescribed(self, entities: Iterable[str]) -> list[str]:
        return [entity for entity in entities if entity not in self._described]

    def _know_entities(self, asked: Iterable[str], found: Iterable[Entity]) -> None:
        self._described.update(asked)
        if self.groups.is_needed:
            found = self._joined_entities(found)
        for entity in found:
            id_ = entity.id
            self.entities[id_] = entity
            if entity.declared:
                self._declaring.add(id_)
            may_be_read, may_be_written = self._index.sides(entity)
            if may_be_read:
                self._may_be_read.add(id_)
            if may_be_written:
                self._may_be_written.add(id_)

    def _joined_entities(self, found: Iterable[Entity]) -> list[Entity]:
        """Return one entity for each file, with what all spellings of it say."""
        by_id = {entity.id: entity for entity in found}
        self.groups.look_up(by_id)
        self.groups.look_up(
            other for entity in by_id.values() for _, other in entity.declared
        )
        files = dict.fromkeys(self.groups.group_of(id_) for id_ in by_id)
        missing = [id_ for id_ in self.groups.members(files) if id_ not in by_id]
        by_id |= {one.id: one for one in _entities(self._store.entities(missing))}
        self._described.update(by_id)
        return [self.groups.joined_entity(by_id, id_) for id_ in files]

    def _load_written_for(self, read: Collection[Entity]) -> None:
        """Load what files that were read may be where they were written."""
        index = self._index
        self._load_across(
            read, index.names_written, begun=index.begun_read, other=index.begun_written
        )

    def _load_read_for(self, written: Collection[Entity]) -> None:
        """Load what files that were written may be where they are read."""
        index = self._index
        self._load_across(
            written, index.names_read, begun=index.begun_written, other=index.begun_read
        )

    def _load_across(
        self,
        entities: Collection[Entity],
        names_of: Callable[[str], list[str]],
        *,
        begun: tuple[str, ...],
        other: Iterable[str],
    ) -> None:
        """Load what entities may be on the other side of a gap.

        Args:
            entities: The entities.
            names_of: Gives the names that a file may have there.
            begun: How names begin that a rule knows another one for.
            other: How those other names begin.
        """
        index = self._index
        found: list[Entity] = []
        names: set[str] = set()
        runs: set[int | None] = set()
        is_by_name = len(entities) < _MANY or self._has_names_only()
        for one in entities:
            name = one.file_name or ""
            if is_by_name:
                names.update(names_of(name))
                continue
            if index.keeps(one.name or ""):
                names.add(name)
            if name.startswith(begun):
                # Each of so many could be called otherwise, and hardly any file is.
                runs.add(one.run)
        if runs:
            for beginning in other:
                of_runs = _begun(beginning, runs=runs)
                found += _entities(self._store.find(f.ENTITIES, of_runs))
        names -= self._sought
        self._sought |= names
        if names and self.groups.is_needed:
            found += _entities(self._store.named(names))
        elif names:
            known = {one.id: one for one in entities if one.file_name in names}
            found += _entities(self._store.named(names, known=known.keys()))
            found += [one for one in known.values() if one.id not in self._across]
        listed = self.groups.one_for_each(found) if self.groups.is_needed else found
        new = {one.id: one for one in listed if one.id not in self._across}
        self._across |= new.keys()
        for _, one in sorted(new.items()):
            own = one.file_name or ""
            self._named.setdefault(own, []).append(one)
            for name in index.names_written(own):
                if name != own:
                    self._renamed.setdefault(name, []).append(one)
        unknown = [one for id_, one in new.items() if id_ not in self.entities]
        self._know_entities([one.id for one in unknown], unknown)


def _activities(documents: Iterable[Document]) -> list[Activity]:
    return list(map(Activity.of_document, documents))


def _entities(documents: Iterable[Document]) -> list[Entity]:
    return list(map(Entity.of_document, documents))


def _has_others(alike: Sequence[Entity], entity: Entity) -> bool:
    """Say whether others have the name of an entity; nearly all have one alone."""
    return len(alike) > 1 or (len(alike) == 1 and alike[0].id != entity.id)


def _likely(makers: Sequence[Activity]) -> Sequence[Activity]:
    """Return the makers of a file whose inputs are most likely asked for.

    Of what was written in many passes it is the last one; what is wrong here is
    loaded later.
    """
    if len(makers) < 2:
        return makers
    passes: dict[tuple[str | None, int | None], Activity] = {}
    for maker in sorted(makers, key=_end_of):
        passes[maker.name, maker.subrun] = maker
    return list(passes.values())


def _end_of(activity: Activity) -> datetime:
    return activity.end or activity.start or _EARLIEST


def _is_unexplained(read: str, written: AbstractSet[str | None]) -> bool:
    """Say whether no write can have made the content of a hash."""
    alike = [h for h in written if h is None or len(h) != len(read) or h == read]
    return not alike


def _begun(beginning: str, *, runs: Collection[int | None]) -> Document:
    """Match the files of some runs whose names begin alike."""
    return {
        f.FILE_NAME: {"$gte": beginning, "$lt": beginning + _LAST},
        f.RUN: {"$in": sorted(runs, key=lambda run: (run is None, run))},
    }


def _id_of_reader(reader: tuple[Activity, Link]) -> str:
    return reader[0].id


def _had_begun(activity: Activity, as_of: datetime) -> bool:
    return activity.start is None or activity.start <= as_of


def _as_it_was(activity: Activity, as_of: datetime) -> Activity:
    if activity.end is None or activity.end <= as_of:
        return activity
    return activity._replace(end=None, status="running")
