"""Which versions of files there were, what each came from, and what came from it.

Both directions are read off the same function, `see`, so they agree.
"""

from collections.abc import (
    Callable,
    Collection,
    Container,
    Iterable,
    Iterator,
    Sequence,
)
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from operator import attrgetter
from typing import Any, Final

from provdb.lineage.essentials import Activity, Link
from provdb.lineage.loaded import Loaded
from provdb.lineage.resolve import (
    Resolution,
    Source,
    Use,
    Version,
    generation_rounds,
    resolve,
    wrote_in_turn,
)
from provdb.lineage.result import LineageEdge
from provdb.lineage.rules import common_parts

__all__ = ["History", "Node", "Step"]

Node = Activity | Version
# A relation of a node, and the node at the other end of it.
Step = tuple[Node, LineageEdge]
# A version of an entity, who made it, if anybody did, and when that ended.
_Writing = tuple[Version, Activity | None, datetime | None]
_LATEST: Final = datetime.max.replace(tzinfo=UTC)


class History:
    """Versions of entities, as far as activities and entities are loaded.

    Attributes:
        loaded: What is loaded.
        warnings: What the reader of an answer should know, in order.
    """

    def __init__(self, loaded: Loaded) -> None:
        """Start with what is loaded, and see more when more is."""
        self.loaded = loaded
        self.warnings: dict[str, None] = {}
        self._versions: dict[str, Collection[Version]] = {}
        # One object for one version of any other entity.
        self._known: dict[tuple[str, object], Version] = {}
        # Entities that different steps wrote one after another: what each wrote.
        self._settled: dict[str, tuple[_Writing, ...]] = {}
        # Versions of what comes from something without any activity.
        self._derived: dict[Use, Version] = {}

    def see(self, use: Use) -> tuple[Version, bool]:
        """Return the version that was used, and whether the times conflict."""
        settled = self._settle(use.entity)
        if settled and use.hash is None:
            found = _written_by(settled, use.time, exclude=use.exclude)
            if found is not None:
                return found
        made = self._resolve(use)
        if made.generators:
            version = self._generated_by(use.entity, made.generators)
            return version, made.has_time_conflict
        return self._see_derived(use), False

    def see_used(self, activity: Activity, link: Link) -> tuple[Version, bool]:
        """Return the version that an activity used, and whether the times conflict."""
        entity, _, hash_ = link
        settled = self._settle(entity)
        if len(settled) == 1:
            # One content is as good as another then.
            version, maker, end = settled[0]
            if maker is not activity:
                return version, _is_late(end, activity.start)
        elif settled and hash_ is None:
            found = _written_by(settled, activity.start, exclude=(activity.id,))
            if found is not None:
                return found
        exclude = frozenset((activity.id,))
        return self.see(
            Use(entity, activity.start, hash_, exclude, activity.session_id)
        )

    def upstream(self, node: Node) -> list[Step]:
        """Return what a node comes from, one step back in time."""
        if isinstance(node, Activity):
            return self._usages(node)
        steps: list[Step] = []
        for generator in sorted(node.generators):
            activity = self.loaded.activity(generator)
            for entity, role, _ in activity.generated:
                if entity == node.entity:
                    steps.append((activity, _was_generated_by(node, activity, role)))
        if self.loaded.has_sources(node.entity):
            steps += self._direct_steps(node)
        return steps

    def downstream(self, node: Node) -> list[Step]:
        """Return what comes from a node, one step on in time."""
        steps: list[Step] = []
        if isinstance(node, Activity):
            for entity, role, _ in node.generated:
                for version in self.versions(entity):
                    if node.id in version.generators:
                        edge = _was_generated_by(version, node, role)
                        steps.append((version, edge))
            return steps
        id_, entity, _, _ = node
        for activity, link in self.loaded.readers[entity]:
            version, is_late = self.see_used(activity, link)
            if version is node:
                edge = _edge(
                    (activity.id, id_, "used", link[1], "order", _late(is_late), ())
                )
                steps.append((activity, edge))
        for later in self.loaded.later(entity):
            for version in self.versions(later):
                for source, edge in self._direct_steps(version):
                    if source is node:
                        steps.append((version, edge))
        return steps

    def versions(self, entity: str) -> Collection[Version]:
        """Return every version of an entity that anybody used, or that there is now."""
        known = self._versions.get(entity)
        return self._find_versions(entity) if known is None else known

    def written(self, entity: str) -> Iterator[Version]:
        """Yield every version of an entity that was written, also one nobody used."""
        made = self.loaded.generators[entity]
        for activities in generation_rounds(made, levels=self.loaded.levels):
            yield self._generated_by(entity, tuple(activities))

    def now(self, entity: str) -> Version:
        """Return the version of a loaded entity that there is now."""
        settled = self._settle(entity)
        if settled:
            return settled[0][0]
        version = self.see(Use(entity))[0]
        if not version.generators:
            return version
        # What is no file means something within its session only: in the latest one.
        generators = (self.loaded.activity(id_) for id_ in version.generators)
        latest = max(generators, key=lambda activity: activity.order)
        return self.see(Use(entity, session_id=latest.session_id))[0]

    def _usages(self, activity: Activity) -> list[Step]:
        id_, start, settled = activity.id, activity.start or _LATEST, self._settled
        steps: list[Step] = []
        for link in activity.used:
            entity, role, _ = link
            writings = settled.get(entity, ())
            # Hardly anything was written twice.
            if len(writings) == 1 and writings[0][1] is not activity:
                version, _, end = writings[0]
                is_late = end is not None and end > start
            else:
                version, is_late = self.see_used(activity, link)
            edge = _edge((id_, version.id, "used", role, "order", _late(is_late), ()))
            steps.append((version, edge))
        return steps

    def _settle(self, entity: str) -> tuple[_Writing, ...]:
        """Return what different steps wrote of an entity, the latest first.

        There is nothing to decide then but who had ended. Nothing is returned of an
        entity for which more than that decides.
        """
        settled = self._settled.get(entity)
        if settled is not None:
            return settled
        made: Sequence[Activity] | None = self.loaded.generators.get(entity)
        if made is None:
            return ()
        if made:
            if not self.loaded.is_for_all_sessions(entity) or not wrote_in_turn(made):
                return ()
            if len(made) > 1:
                made = sorted(made, key=attrgetter("order"), reverse=True)
            settled = tuple([(Version.made_by(entity, a.id), a, a.end) for a in made])
        elif self.loaded.has_sources(entity):
            return ()
        else:
            settled = ((Version.of(entity), None, None),)
        self._settled[entity] = settled
        return settled

    def _version(
        self, entity: str, sources: frozenset[Source] = frozenset()
    ) -> Version:
        if not sources:
            for version, maker, _ in self._settle(entity):
                if maker is None:
                    return version
        known = self._known.get((entity, sources))
        if known is None:
            known = self._known[entity, sources] = Version.of(entity, sources=sources)
        return known

    def _generated_by(self, entity: str, generators: tuple[Activity, ...]) -> Version:
        if len(generators) == 1:
            for version, maker, _ in self._settle(entity):
                if maker is generators[0]:
                    return version
        ids = frozenset([activity.id for activity in generators])
        known = self._known.get((entity, ids))
        if known is None:
            known = self._known[entity, ids] = Version.of(entity, ids)
        return known

    def _see_derived(self, use: Use) -> Version:
        """Return the version of an entity by what it comes from without an activity.

        Chains of such entities can be long, and can come back to themselves.
        """
        path = [_Derivation(use, self._declared_uses(use))]
        while True:
            top = path[-1]
            declared = next(top.declared, None)
            if declared is not None:
                relation, below = declared
                version = self._seen_at_once(below)
                if version is None and any(p.use.entity == below.entity for p in path):
                    version = self._version(below.entity)
                    top.is_circular = True
                if version is not None:
                    top.sources.append(Source(relation, version, None))
                    continue
                path.append(_Derivation(below, self._declared_uses(below), relation))
                continue
            sources = top.sources or self._bridged_sources(top.use)
            version = self._version(top.use.entity, frozenset(sources))
            if not top.is_circular:
                self._derived[top.use] = version
            path.pop()
            if not path:
                return version
            path[-1].sources.append(Source(str(top.relation), version, None))
            path[-1].is_circular |= top.is_circular

    def _seen_at_once(self, use: Use) -> Version | None:
        """Return the version that was used, unless it must be derived first."""
        if use in self._derived:
            return self._derived[use]
        made = self._resolve(use)
        if made.generators:
            return self._generated_by(use.entity, made.generators)
        if not self.loaded.has_sources(use.entity):
            return self._version(use.entity)
        return None

    def _declared_uses(self, use: Use) -> Iterator[tuple[str, Use]]:
        for relation, entity in self.loaded.declared(use.entity):
            yield relation, use._replace(entity=entity, hash=None)

    def _bridged_sources(self, use: Use) -> list[Source]:
        read = self.loaded.entities.get(use.entity)
        if read is None:
            return []
        place = read.location or ""
        for rule in self.loaded.rules:
            found = [
                (common_parts(place, written.location or ""), written, version)
                for written in self.loaded.written(read)
                if rule.bridges(read, written)
                if (version := self._made_by(written.id, use)) is not None
            ]
            if not found:
                continue
            longest = max(parts for parts, _, _ in found)
            best = [(w, version) for parts, w, version in found if parts == longest]
            if len(best) == 1:
                return [Source("wasDerivedFrom", best[0][1], rule.name)]
            places = ", ".join(sorted(written.location or "" for written, _ in best))
            self.warnings[
                f"{place} can be any of {len(best)} files by the link "
                f"rule {rule.name}, so it was linked to none: {places}"
            ] = None
            return []
        return []

    def _made_by(self, entity: str, use: Use) -> Version | None:
        """Return the version of an entity that had been generated by the use."""
        time = use.time
        generators = self._resolve(use._replace(entity=entity, hash=None)).generators
        is_made = bool(generators) and all(
            activity.end is not None and (time is None or activity.end <= time)
            for activity in generators
        )
        return self._generated_by(entity, generators) if is_made else None

    def _direct_steps(self, version: Version) -> list[tuple[Version, LineageEdge]]:
        """Return what a version comes from without any activity."""
        if version.generators:
            return self._derivations(version)
        # A set has another order in every process.
        return [
            (
                source.version,
                LineageEdge(
                    version.id,
                    source.version.id,
                    source.relation,
                    None,
                    "recorded" if source.rule is None else f"rule:{source.rule}",
                ),
            )
            for source in sorted(version.sources, key=_order_of_source)
        ]

    def _derivations(self, version: Version) -> list[tuple[Version, LineageEdge]]:
        declared = self.loaded.declared(version.entity)
        if not declared:
            return []
        generators = [self.loaded.activity(id_) for id_ in sorted(version.generators)]
        ends = [activity.end for activity in generators if activity.end is not None]
        starts = [a.start for a in generators if a.start is not None]
        steps: list[tuple[Version, LineageEdge]] = []
        for relation, entity in declared:
            use = Use(
                entity,
                time=max(ends, default=None),
                session_id=generators[0].session_id,
            )
            if entity == version.entity:
                # The version before this one.
                use = use._replace(
                    time=min(starts, default=None), exclude=version.generators
                )
            seen, is_late = self.see(use)
            edge = LineageEdge(
                version.id, seen.id, relation, None, "recorded", _late(is_late)
            )
            steps.append((seen, edge))
        return steps

    def _find_versions(self, entity: str) -> Collection[Version]:
        """Find the versions of an entity and of all that comes directly from it."""
        if not self.loaded.later(entity):
            settled = self._settle(entity)
            found: Collection[Version]
            if len(settled) == 1 and not self._is_read_by(settled[0][1], entity):
                found = (settled[0][0],)
            else:
                found = dict.fromkeys(self._seen_versions(entity))
            self._versions[entity] = found
            return found
        group = {entity: None}
        todo = [entity]
        while todo:
            later = [e for e in self.loaded.later(todo.pop()) if e not in group]
            group |= dict.fromkeys(later)
            todo += later
        seen = {member: dict.fromkeys(self._seen_versions(member)) for member in group}
        # What comes from an entity without an activity shows versions of it too.
        shown = [version for member in group for version in seen[member]]
        while shown:
            for source, _ in self._direct_steps(shown.pop()):
                known = seen.get(source.entity)
                if known is not None and source not in known:
                    known[source] = None
                    shown.append(source)
        self._versions |= seen
        return seen[entity]

    def _seen_versions(self, entity: str) -> Iterator[Version]:
        for session_id in self._sessions_of(entity):
            yield self.see(Use(entity, session_id=session_id))[0]
        for activity, link in self.loaded.readers[entity]:
            yield self.see_used(activity, link)[0]

    def _is_read_by(self, maker: Activity | None, entity: str) -> bool:
        readers = self.loaded.readers[entity]
        if maker is None or not readers:
            return False
        return any(activity is maker for activity, _ in readers)

    def _resolve(self, use: Use) -> Resolution:
        return resolve(
            use,
            self.loaded.generators.get(use.entity, ()),
            levels=self.loaded.levels,
            is_for_all_sessions=self.loaded.is_for_all_sessions(use.entity),
        )

    def _sessions_of(self, entity: str) -> list[str | None]:
        if self.loaded.is_for_all_sessions(entity):
            return [None]
        sessions = {a.session_id for a in self.loaded.generators[entity]}
        return sorted(sessions, key=str) or [None]


@dataclass(slots=True)
class _Derivation:
    """An entity on the way down what it comes from without any activity."""

    use: Use
    declared: Iterator[tuple[str, Use]]
    relation: str | None = None
    sources: list[Source] = field(default_factory=list)
    is_circular: bool = False


def _written_by(
    settled: Iterable[_Writing], time: datetime | None, *, exclude: Container[str]
) -> tuple[Version, bool] | None:
    """Return the latest version that was there at a time, and whether it came later."""
    latest = None
    for version, maker, end in settled:
        if maker is None or maker.id not in exclude:
            if not _is_late(end, time):
                return version, False
            latest = latest or version
    return None if latest is None else (latest, True)


def _late(is_late: bool) -> tuple[str, ...]:
    return ("time_conflict",) if is_late else ()


def _is_late(end: datetime | None, time: datetime | None) -> bool:
    return time is not None and end is not None and end > time


def _was_generated_by(
    version: Version, activity: Activity, role: str | None
) -> LineageEdge:
    return _edge((version.id, activity.id, "wasGeneratedBy", role, "recorded", (), ()))


# There are many edges, and the class itself takes twice as long.
_edge: Final[Callable[[tuple[Any, ...]], LineageEdge]] = partial(
    tuple.__new__, LineageEdge
)


def _order_of_source(source: Source) -> tuple[str, str]:
    return source.relation, source.version.entity
