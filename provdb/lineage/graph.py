"""Versions of entities and the steps between them, back and on.

Both directions are read off the same function, `see`, so they agree.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Final, NamedTuple

from provdb.lineage.link_rules import common_parts, has_name_only
from provdb.lineage.loader import Loader
from provdb.lineage.resolve import Read, is_before, resolve, state_of
from provdb.lineage.result import LineageEdge
from provdb.lineage.steps import Activity, Entity
from provdb.lineage.timeline import Slot, Timeline, Write
from provdb.lineage.version import Source, Version

__all__ = ["Graph", "Node", "Seen", "Step"]

Node = Activity | Version
# A relation of a node, and the node at the other end of it.
Step = tuple[Node, LineageEdge]
_RECORDED: Final = "recorded"
_ONLY: Final = "only"
_NO_STEPS: Final[list[Step]] = []
_DAMAGED: Final = ("maybe_damaged",)


class Seen(NamedTuple):
    """The version that somebody read, and how sure that is."""

    version: Version
    evidence: str = _RECORDED
    marks: tuple[str, ...] = ()
    damaged_by: tuple[str, ...] = ()


class Graph:
    """Versions of entities, as far as activities and entities are loaded.

    Attributes:
        loader: What is loaded.
        ties: Files that a link rule could link to several others, each a sentence.
    """

    def __init__(self, loader: Loader) -> None:
        """Start with what is loaded, and see more when more is."""
        self.loader = loader
        self.ties: dict[str, None] = {}
        self._tolerance = timedelta(seconds=loader.settings.clock_tolerance_seconds)
        self._timelines: dict[str, Timeline] = {}
        # Of a plain entity who made it, if anybody, and what is seen of it by whoever
        # began after that; None of one that is not plain.
        self._plain: dict[str, tuple[Activity | None, Seen] | None] = {}
        # One object for one version, by its entity and the writes that made it.
        self._versions: dict[tuple[str, object], Version] = {}
        self._derived: dict[tuple[str, str | None], Version] = {}
        self._generated: dict[str, dict[str, list[Version]]] = {}
        self._readers: dict[str, dict[Version, list[Step]]] = {}
        self._heirs: dict[str, dict[Version, list[Step]]] = {}

    def timeline(self, entity: str) -> Timeline:
        """Return the timeline of a loaded entity."""
        timeline = self._timelines.get(entity)
        if timeline is None:
            timeline = self._timelines[entity] = self.loader.timeline(
                entity, tolerance=self._tolerance
            )
        return timeline

    def see(
        self,
        entity: str,
        reader: Activity | None = None,
        *,
        hash: str | None = None,
        session_id: str | None = None,
    ) -> Seen:
        """Return the version of an entity that was read, and how sure that is.

        Args:
            entity: Id of the entity.
            reader: Who read it, or None for the question itself: a read now.
            hash: Hash of the content that was read, where it was recorded.
            session_id: Session that is asked about, of what is no file.
        """
        if hash is None:
            plain = self._seen_plainly(entity)
            if plain is not None:
                maker, seen = plain
                if maker is None or reader is None or is_before(maker, reader):
                    return seen
        return self._resolve(entity, reader, hash, session_id)

    def is_plain(self, entity: str) -> bool:
        """Say whether one good write of a whole file, or none, is all there was."""
        return self._seen_plainly(entity) is not None

    def _seen_plainly(self, entity: str) -> tuple[Activity | None, Seen] | None:
        """Return who made a plain entity, and what is seen of it; None of others."""
        known = self._plain
        plain = known.get(entity)
        if plain is not None or entity in known:
            return plain
        if self.loader.is_plain(entity):
            makers = self.loader.generators.get(entity)
            if makers:
                version = Version.made_by(entity, makers[0].id)
                plain = makers[0], Seen(version, _ONLY)
            elif not self.loader.may_have_sources(entity):
                plain = None, Seen(self._unmade(entity), _ONLY)
        known[entity] = plain
        return plain

    def _resolve(
        self,
        entity: str,
        reader: Activity | None,
        hash: str | None,
        session_id: str | None,
    ) -> Seen:
        timeline = self.timeline(entity)
        writes, evidence, marks, damaged_by, _ = resolve(
            timeline, Read(reader, hash, session_id), tolerance=self._tolerance
        )
        if writes:
            return Seen(self._made_by(timeline, writes), evidence, marks, damaged_by)
        self.loader.load_gap(entity)
        if not self.loader.may_have_sources(entity):
            return Seen(self._unmade(entity), evidence, marks, damaged_by)
        return Seen(self._derive(entity, reader, hash), evidence, marks, damaged_by)

    def asked(self, version: Version) -> Seen:
        """Return a version that is asked for by its name, and what may have damaged it.

        That is what somebody would see who read it as soon as it was written.
        """
        makers = [self.loader.activity(id_) for id_ in version.generators]
        ends = [maker for maker in makers if maker.end is not None]
        if not ends:
            return Seen(version)
        last = max(ends, key=lambda maker: (maker.end, maker.id))
        seen = self.see(version.entity, _at_end(last))
        if seen.version != version or not seen.damaged_by:
            return Seen(version)
        return Seen(version, seen.evidence, _DAMAGED, seen.damaged_by)

    def now(self, entity: str) -> Version:
        """Return the version of a loaded entity that there is now."""
        return self.see(entity).version

    def is_there(self, version: Version) -> bool:
        """Say whether a version is what there is now under its name."""
        return self.now(version.entity) == version and (
            self.is_plain(version.entity) or self.moved_away(version.entity) is None
        )

    def moved_away(self, entity: str) -> Activity | None:
        """Return who moved a file away since it was last written, or None."""
        timeline = self.timeline(entity)
        if not timeline.removals:
            return None
        last = timeline.removals[-1]
        end = last.end or last.start
        written = timeline.ends[-1] if timeline.ends else None
        return last if end and (written is None or written <= end) else None

    def upstream(self, node: Node) -> list[Step]:
        """Return what a node comes from, one step back in time."""
        if isinstance(node, Activity):
            return self._usages(node)
        steps: list[Step] = []
        for generator in sorted(node.generators):
            activity = self.loader.activity(generator)
            for entity, role, _, _ in activity.generated:
                if entity == node.entity:
                    steps.append((activity, _was_generated_by(node, activity, role)))
        if node.sources:
            steps += _source_steps(node)
        if node.generators and self.loader.declares(node.entity):
            steps += self._declared_steps(node)
        return steps

    def downstream(self, node: Node) -> list[Step]:
        """Return what comes from a node, one step on in time."""
        if isinstance(node, Activity):
            id_ = node.id
            steps: list[Step] = []
            for entity, role, _, _ in node.generated:
                for version in self._versions_by(entity, node):
                    edge = (version.id, id_, "wasGeneratedBy", role, _RECORDED, (), ())
                    steps.append((version, _edge(edge)))
            return steps
        readers = self._readers_of(node.entity).get(node, _NO_STEPS)
        if not self.loader.later(node.entity):
            return readers
        return readers + self._heirs_of(node.entity).get(node, _NO_STEPS)

    def versions(self, entity: str) -> Iterable[Version]:
        """Return every version of an entity: the states it was in, and those read."""
        plain = self._seen_plainly(entity)
        if plain is not None and plain[0] is not None:
            made = plain[1].version
            if not self.loader.readers.get(entity):
                return (made,)
            return {made: None} | dict.fromkeys(self._readers_of(entity))
        found = dict.fromkeys(self.written(entity))
        found[self.now(entity)] = None
        if entity in self.loader.readers:
            found |= dict.fromkeys(self._readers_of(entity))
            found |= dict.fromkeys(self._versions_of_heirs(entity))
        return found

    def _versions_by(self, entity: str, maker: Activity) -> Sequence[Version]:
        """Return the versions of an entity that an activity generated."""
        plain = self._seen_plainly(entity)
        if plain is not None and plain[0] is maker:
            return (plain[1].version,)
        known = self._generated.get(entity)
        if known is None:
            known = self._generated[entity] = {}
            for version in self.versions(entity):
                for generator in version.generators:
                    known.setdefault(generator, []).append(version)
        return known.get(maker.id, ())

    def written(self, entity: str) -> list[Version]:
        """Return the states that a file was in by its writes, the earliest first.

        These are the states before each rewrite of a slot, after each overwrite, and
        after the last write.
        """
        timeline = self.timeline(entity)
        if timeline.is_fixed:
            return [self.now(entity)] if timeline.makers else []
        if timeline.is_of_session:
            sessions = {
                write.activity.session_id: None
                for write in (*timeline.writes, *timeline.damage)
            }
            return list(
                {self.see(entity, session_id=one).version: None for one in sessions}
            )
        states: list[Version] = []
        written: set[Slot] = set()
        for place, write in enumerate(timeline.writes, 1):
            written |= write.slots
            following = timeline.writes[place : place + 1]
            is_rewritten = not following or _rewrites(following[0], written)
            if write.mode == "overwrite" or is_rewritten:
                state, _ = state_of(
                    timeline.writes[:place],
                    tolerance=self._tolerance,
                    slack=timeline.slack,
                )
                states.append(self._made_by(timeline, state))
        states += [self._made_by(timeline, (write,)) for write in timeline.damage]
        return list(dict.fromkeys(states))

    def _usages(self, activity: Activity) -> list[Step]:
        id_ = activity.id
        steps: list[Step] = []
        for entity, role, hash_, _ in activity.used:
            version, evidence, marks, damaged_by = self.see(
                entity, activity, hash=hash_
            )
            edge = (id_, version.id, "used", role, evidence, marks, damaged_by)
            steps.append((version, _edge(edge)))
        return steps

    def doubtful_reads(self, entity: str) -> list[LineageEdge]:
        """Return the reads of a file of which it is in doubt what they read."""
        if entity not in self.loader.readers:
            return []
        steps = self._readers_of(entity).values()
        return [edge for some in steps for _, edge in some if edge.marks]

    def _readers_of(self, entity: str) -> dict[Version, list[Step]]:
        """Return who read which version of an entity."""
        known = self._readers.get(entity)
        if known is not None:
            return known
        found: dict[Version, list[Step]] = {}
        for activity, (_, role, hash_, _) in self.loader.readers[entity]:
            version, evidence, marks, damaged_by = self.see(
                entity, activity, hash=hash_
            )
            edge = (activity.id, version.id, "used", role, evidence, marks, damaged_by)
            step = activity, _edge(edge)
            steps = found.get(version)
            if steps is None:
                found[version] = [step]
            else:
                steps.append(step)
        self._readers[entity] = found
        return found

    def _heirs_of(self, entity: str) -> dict[Version, list[Step]]:
        """Return what comes from which version of an entity without any activity."""
        known = self._heirs.get(entity)
        if known is None:
            known = self._heirs[entity] = {}
            for later in self.loader.later(entity):
                for version in self.versions(later):
                    for source, edge in self.upstream(version):
                        if isinstance(source, Version) and source.entity == entity:
                            known.setdefault(source, []).append((version, edge))
        return known

    def _versions_of_heirs(self, entity: str) -> Iterator[Version]:
        """Yield the versions of an entity that others come from, not being made.

        Those of a file that was written whole are known by its writes.
        """
        timeline = self.timeline(entity)
        if timeline.writes and not timeline.has_parts:
            return
        seen = {entity}
        met: set[str] = set()
        todo = [entity]
        while todo:
            for later in self.loader.later(todo.pop()):
                if later in seen or later not in self.loader.readers:
                    continue
                seen.add(later)
                todo.append(later)
                shown = [*self._readers_of(later), self.now(later)]
                shown += self.written(later)
                while shown:
                    version = shown.pop()
                    if version.id in met:
                        continue
                    met.add(version.id)
                    sources = [source.version for source in version.sources]
                    if version.generators and self.loader.declares(version.entity):
                        steps = self._declared_steps(version)
                        sources += [n for n, _ in steps if isinstance(n, Version)]
                    yield from (one for one in sources if one.entity == entity)
                    shown += sources

    def _made_by(self, timeline: Timeline, writes: tuple[Write, ...]) -> Version:
        """Return the version that some writes made."""
        entity = timeline.file
        plain = self._seen_plainly(entity)
        if plain is not None and plain[0] is not None:
            return plain[1].version
        key = entity, writes[0].id if len(writes) == 1 else _ids(writes)
        known = self._versions.get(key)
        if known is not None:
            return known
        if timeline.is_fixed:
            makers = frozenset([write.id for write in writes])
            version = Version(entity, entity, makers, frozenset())
        elif len(writes) == 1 and writes[0].arrival is None:
            version = Version.made_by(entity, writes[0].id)
        else:
            makers = frozenset([w.id for w in writes if w.arrival is None])
            sources = frozenset(
                Source(
                    "wasDerivedFrom",
                    self._state_after(write.arrival.file, write.activity),
                    f"rule:{write.arrival.rule}",
                )
                for write in writes
                if write.arrival is not None
            )
            version = Version.of(entity, makers, sources)
        self._versions[key] = version
        return version

    def _state_after(self, entity: str, activity: Activity) -> Version:
        """Return the state that a file was in after an activity wrote it."""
        timeline = self.timeline(entity)
        for place, write in enumerate(timeline.writes):
            if write.activity is activity and write.arrival is None:
                until = timeline.writes[: place + 1]
                state, _ = state_of(
                    until, tolerance=self._tolerance, slack=timeline.slack
                )
                return self._made_by(timeline, state)
        return Version.made_by(entity, activity.id)

    def _unmade(self, entity: str, sources: frozenset[Source] = frozenset()) -> Version:
        """Return the version of an entity that nothing is known to have generated."""
        key = entity, sources
        known = self._versions.get(key)
        if known is None:
            known = self._versions[key] = Version.of(entity, sources=sources)
        return known

    def _derive(
        self, entity: str, reader: Activity | None, hash_: str | None
    ) -> Version:
        """Return the version of an entity by what it comes from without an activity.

        Chains of such entities can be long, and can come back to themselves.
        """
        path = [self._begin(entity, reader, hash_)]
        while True:
            top = path[-1]
            declared = next(top.declared, None)
            if declared is not None:
                relation, below, evidence = declared
                seen = self._seen_at_once(below, reader)
                if seen is None and any(p.entity == below for p in path):
                    seen = Seen(self._unmade(below))
                    top.is_circular = True
                if seen is not None:
                    top.sources.append(_source(relation, seen, evidence))
                    continue
                path.append(self._begin(below, reader, None, relation, evidence))
                continue
            sources = top.sources or self._bridged(top.entity, reader, top.hash)
            version = self._unmade(top.entity, frozenset(sources))
            if not top.is_circular and top.hash is None:
                self._derived[top.entity, _id_of(reader)] = version
            path.pop()
            if not path:
                return version
            path[-1].sources.append(Source(str(top.relation), version, top.evidence))
            path[-1].is_circular |= top.is_circular

    def _begin(
        self,
        entity: str,
        reader: Activity | None,
        hash_: str | None,
        relation: str | None = None,
        evidence: str = _RECORDED,
    ) -> "_Derivation":
        declared = [(*step, _RECORDED) for step in self.loader.declared(entity)]
        declared = declared or self._found_by_name(entity, reader)
        return _Derivation(entity, iter(declared), hash_, relation, evidence)

    def _found_by_name(
        self, entity: str, reader: Activity | None
    ) -> list[tuple[str, str, str]]:
        """Return the file that a data product is of which only the name is known.

        That file counts also where nobody is known to have made it.
        """
        rule, namesakes = self.loader.namesakes(entity)
        known = [
            one
            for one in namesakes
            if not self.timeline(one.id).makers or self._written_by(one.id, reader)
        ]
        moved = {source for one in known for source in self._moved_to(one, known)}
        moved.update(one.id for one in known if self.moved_away(one.id))
        # A file that was moved is now in one place only.
        found = [one for one in known if one.id not in moved] or known
        if len(found) == 1:
            return [("wasDerivedFrom", found[0].id, f"rule:{rule}")]
        if found:
            self._tie(self.loader.entities[entity].location or "", rule, found)
        return []

    def _moved_to(self, file: Entity, others: Iterable[Entity]) -> set[str]:
        """Return which other files were moved to a file."""
        timeline = self.timeline(file.id)
        moved = {w.arrival.file for w in timeline.writes if w.arrival is not None}
        if not timeline.makers:
            moved.update(other for _, other in self.loader.declared(file.id))
            moved.update(
                other.id
                for other in others
                if any(rule.bridges(file, other) for rule in self.loader.rules)
            )
        return moved

    def _tie(self, place: str, rule: str, files: Collection[Entity]) -> None:
        places = ", ".join(sorted(file.location or "" for file in files))
        self.ties[
            f"{place} can be any of {len(files)} files by the link "
            f"rule {rule}, so it was linked to none: {places}"
        ] = None

    def _seen_at_once(self, entity: str, reader: Activity | None) -> Seen | None:
        """Return the version that was read, unless it must be derived first."""
        known = self._derived.get((entity, _id_of(reader)))
        if known is not None:
            return Seen(known)
        timeline = self.timeline(entity)
        found = resolve(timeline, Read(reader), tolerance=self._tolerance)
        if found.writes:
            return self.see(entity, reader)
        self.loader.load_gap(entity)
        if not self.loader.may_have_sources(entity):
            return self.see(entity, reader)
        return None

    def _bridged(
        self, entity: str, reader: Activity | None, hash_: str | None
    ) -> list[Source]:
        """Return what a gap is bridged to: equal content, a folder, names, a rule."""
        loader = self.loader
        for other in loader.bridges.same_content(entity):
            seen = self._written_by(other, reader)
            if seen is not None:
                return [_source("wasDerivedFrom", seen, "content")]
        for folder in loader.bridges.folders_above(entity):
            seen = self._written_by(folder, reader)
            if seen is not None:
                return [_source("wasDerivedFrom", seen, "folder")]
        matched = [
            _source("hadMember", seen, "glob")
            for member in loader.bridges.matched(entity)
            if (seen := self._written_by(member, reader)) is not None
        ]
        return matched or self._ruled(entity, reader)

    def _ruled(self, entity: str, reader: Activity | None) -> list[Source]:
        read = self.loader.entities.get(entity)
        if read is None:
            return []
        place = read.location or ""
        for rule in self.loader.rules:
            if rule.is_move or rule.is_by_name:
                continue
            found = [
                (common_parts(place, written.location or ""), written, seen)
                for written in self.loader.written(read)
                if rule.bridges(read, written)
                and (seen := self._written_by(written.id, reader)) is not None
            ]
            if not found:
                continue
            longest = max(parts for parts, _, _ in found)
            best = [(w, seen) for parts, w, seen in found if parts == longest]
            if len(best) == 1:
                return [_source("wasDerivedFrom", best[0][1], f"rule:{rule.name}")]
            self._tie(place, rule.name, [written for written, _ in best])
            return []
        return []

    def _written_by(self, entity: str, reader: Activity | None) -> Seen | None:
        """Return the version of an entity that had been written well by a read."""
        timeline = self.timeline(entity)
        writes, evidence, marks, *_ = resolve(
            timeline, Read(reader), tolerance=self._tolerance
        )
        is_made = bool(writes) and not {"maybe_damaged", "time_conflict"} & {*marks}
        if not is_made:
            return None
        return Seen(self._made_by(timeline, writes), evidence, marks)

    def _declared_steps(self, version: Version) -> list[Step]:
        """Return members and progenitors of a version that somebody generated.

        A record of a derivation names no time. It counts of a version whose makers
        used the progenitor, or used nothing, and of the only version that there is;
        of a collection its members count always. A part of a merged file of which the
        name alone is known is the input of that name, where a maker used one.
        """
        entity = self.loader.entities[version.entity]
        makers = [self.loader.activity(id_) for id_ in version.generators]
        last = max(makers, key=lambda maker: (maker.end or maker.start, maker.id))
        is_only = version.generators == self.timeline(version.entity).makers
        inputs = {link[0] for maker in makers for link in maker.used}
        known = self.loader.entities
        names = {known[id_].file_name for id_ in inputs if id_ in known}
        steps: list[Step] = []
        for relation, other in self.loader.declared(version.entity):
            part = known.get(other)
            is_used = (
                other not in inputs
                and part is not None
                and has_name_only(part)
                and part.file_name in names
            )
            # The parts whose names are cut off are among the inputs.
            is_cut = part is None and entity.file_name is not None and bool(inputs)
            if is_used or (is_cut and relation == "hadMember"):
                continue
            users = [m for m in makers if any(link[0] == other for link in m.used)]
            is_member = relation == "hadMember" and entity.file_name is None
            if users:
                reader = min(users, key=lambda maker: maker.id)
                hash_ = next(h for id_, _, h, _ in reader.used if id_ == other)
                seen = self.see(other, reader, hash=hash_)
            elif is_member or is_only or not any(maker.used for maker in makers):
                seen = self.see(other, _at_end(last) if is_member else last)
            else:
                continue
            edge = LineageEdge(
                version.id, seen.version.id, relation, None, _RECORDED, seen.marks
            )
            steps.append((seen.version, edge))
        return steps


@dataclass(slots=True)
class _Derivation:
    """An entity on the way down what it comes from without any activity."""

    entity: str
    declared: Iterator[tuple[str, str, str]]
    hash: str | None
    relation: str | None = None
    evidence: str = _RECORDED
    sources: list[Source] = field(default_factory=list)
    is_circular: bool = False


def _rewrites(write: Write, before: AbstractSet[Slot]) -> bool:
    """Say whether a write changes something that an earlier one had written."""
    if write.mode == "overwrite":
        return True
    return write.mode != "append" and not before.isdisjoint(write.slots)


def _at_end(maker: Activity) -> Activity:
    """Return the maker of a collection, as a reader of its members when it ended."""
    return maker._replace(
        start=maker.end or maker.start, id="", activity_id="", recorded=()
    )


def _source(relation: str, seen: Seen, evidence: str) -> Source:
    return Source(relation, seen.version, evidence, seen.marks, seen.damaged_by)


def _source_steps(version: Version) -> list[Step]:
    # A set has another order in every process.
    return [
        (
            source.version,
            LineageEdge(
                version.id,
                source.version.id,
                source.relation,
                None,
                source.evidence,
                source.marks,
                source.damaged_by,
            ),
        )
        for source in sorted(version.sources, key=_order_of_source)
    ]


def _was_generated_by(
    version: Version, activity: Activity, role: str | None
) -> LineageEdge:
    return _edge((version.id, activity.id, "wasGeneratedBy", role, _RECORDED, (), ()))


# There are many edges, and the class itself takes twice as long.
_edge: Final[Callable[[tuple[Any, ...]], LineageEdge]] = partial(
    tuple.__new__, LineageEdge
)


def _ids(writes: Iterable[Write]) -> frozenset[str]:
    return frozenset([write.id for write in writes])


def _id_of(reader: Activity | None) -> str | None:
    return None if reader is None else reader.id


def _order_of_source(source: Source) -> tuple[str, str]:
    return source.relation, source.version.id
