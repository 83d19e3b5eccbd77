"""Versions: the states a file was in, each with an id that everybody can ask for."""

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

__all__ = ["Source", "Version"]

_TAG_BYTES: Final = 6


class Source(NamedTuple):
    """What an entity comes from without any activity.

    Attributes:
        relation: ``wasDerivedFrom`` or ``hadMember``.
        version: The version that it comes from.
        evidence: How that is known.
        marks: What is in doubt about it, in the order of `DOUBTS`.
        damaged_by: Ids of the activities that may have damaged it.
    """

    relation: str
    version: "Version"
    evidence: str
    marks: tuple[str, ...] = ()
    damaged_by: tuple[str, ...] = ()


class Version(NamedTuple):
    """One version of an entity: who generated it.

    Attributes:
        id: Id of the entity, with the version's short name where it has one.
        entity: Id of the entity.
        generators: Ids of the activities that generated this version, all parts of
            it; empty for what nothing generated.
        sources: What it comes from without any of them.
    """

    id: str
    entity: str
    generators: frozenset[str]
    sources: frozenset[Source]

    def __hash__(self) -> int:
        """Hash the id alone, which says all."""
        return hash(self.id)

    def __eq__(self, other: object) -> bool:
        """Compare the ids; who read it may doubt more or less what it came from."""
        return isinstance(other, Version) and self.id == other.id

    @classmethod
    def of(
        cls,
        entity: str,
        generators: frozenset[str] = frozenset(),
        sources: frozenset[Source] = frozenset(),
    ) -> "Version":
        """Return the version of an entity, with its id.

        >>> Version.of("446f45", frozenset(["9c3006f3f024849006d7d3bf1743d164"])).id
        '446f45@9c3006f3f024'
        """
        if not generators and not sources:
            return cls(entity, entity, generators, sources)
        if len(generators) == 1 and not sources:
            (maker,) = generators
            return cls.made_by(entity, maker)
        parts = sorted(generators)
        parts += sorted(f"{s.relation} {s.evidence} {s.version.id}" for s in sources)
        digest = hashlib.blake2b("\n".join(parts).encode(), digest_size=_TAG_BYTES)
        return cls(f"{entity}@{digest.hexdigest()}", entity, generators, sources)

    @classmethod
    def made_by(cls, entity: str, maker: str) -> "Version":
        """Return the version of an entity that one activity generated, by its id."""
        id_ = f"{entity}@{maker[: 2 * _TAG_BYTES]}"
        return _version((id_, entity, frozenset((maker,)), _NO_SOURCES))

    @property
    def tag(self) -> str | None:
        """The short name of the version, or None for an entity without versions."""
        return self.id[len(self.entity) + 1 :] or None


# There are many versions, and the class itself takes twice as long.
_NO_SOURCES: Final[frozenset[Source]] = frozenset()
_version: Final[Callable[[tuple[Any, ...]], Version]] = partial(tuple.__new__, Version)
