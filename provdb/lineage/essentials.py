"""What a walk needs of documents: one object for one activity, one for one entity.

There are millions of them in the impact of a model, so they are tuples, and a document
is let go as soon as it was read.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from operator import itemgetter
from typing import Any, Final, NamedTuple

from provdb.model import Document
from provdb.model import fields as f

__all__ = ["Activity", "Entity", "Link", "Relation", "declared"]

_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
# What an entity comes from without any activity: the relation, and where it stands.
_RELATIONS: Final = (
    ("wasDerivedFrom", f.DERIVED_FROM),
    ("hadMember", f.MEMBERS),
)
_COLLECTIONS: Final = ("SetCollection", "FileCollection")

# One usage or generation: the id of the entity, its role in the activity, and the hash
# of its content at that moment, where it was recorded. There are millions of them.
Link = tuple[str, str | None, str | None]


class Activity(NamedTuple):
    """What the rules need of an activity document; one object for one activity."""

    id: str
    name: str | None
    session_tag: str | None
    session_id: str | None
    status: str
    start: datetime | None
    end: datetime | None
    run: int | None
    subrun: int | None
    used: tuple[Link, ...]
    generated: tuple[Link, ...]
    is_run_wise: bool = False

    def __hash__(self) -> int:
        """Hash the id alone, which is enough and not as long as all links."""
        return hash(self.id)

    @property
    def order(self) -> tuple[datetime, datetime, str]:
        """Sort key: earlier activities first."""
        start = self.start or _EARLIEST
        return self.end or start, start, self.id

    @classmethod
    def of_document(cls, document: Document) -> "Activity":
        """Return the activity that a document holds."""
        field = document.get
        id_, tag, session_id, status, run, subrun, used, generated = _told(document)
        return _activity(
            (
                id_,
                field(f.NAME),
                tag,
                session_id,
                status,
                field(f.START),
                field(f.END),
                run,
                subrun,
                _links(used),
                _links(generated),
                f.GRANULARITY in document,
            )
        )


# What an entity comes from without any activity: the relation, and the other entity.
Relation = tuple[str, str]


class Entity(NamedTuple):
    """What a walk needs of an entity document; one object for one entity.

    Attributes:
        id: Id of the document.
        name: Name of the kind of entity.
        location: Path or URL.
        level: Data level.
        run: Observation run.
        subrun: Subrun of the run.
        file_name: Last part of the location of a file; None for what is no file.
        is_collection: Whether it is a folder, or has members.
        declared: What it is derived from and its members, as its records say.
    """

    id: str
    name: str | None = None
    location: str | None = None
    level: str | None = None
    run: int | None = None
    subrun: int | None = None
    file_name: str | None = None
    is_collection: bool = False
    declared: tuple[Relation, ...] = ()

    @classmethod
    def of_document(cls, document: Document) -> "Entity":
        """Return the entity that a document holds.

        >>> Entity.of_document({"_id": "446f45", "level": "R0", "run": 1618,
        ...     "subrun": 8, "derived_from": [{"entity": "6d2362"}]}).declared
        (('wasDerivedFrom', '6d2362'),)
        """
        field = document.get
        id_, level, run, subrun = _placed(document)
        place = id_, field(f.NAME), field(f.LOCATION), level, run, subrun
        has_members = f.MEMBERS in document
        is_collection = has_members or field(f.TYPE) in _COLLECTIONS
        related = has_members or f.DERIVED_FROM in document
        more = is_collection, tuple(declared(document)) if related else ()
        return _entity((*place, field(f.FILE_NAME), *more))


def declared(document: Document) -> Iterable[Relation]:
    """Yield what an entity document says that it is derived from, and its members."""
    for relation, array in _RELATIONS:
        for link in document.get(array, ()):
            yield relation, link[f.ENTITY]


def _links(links: Iterable[Mapping[str, Any]]) -> tuple[Link, ...]:
    entity, role, hash_ = f.ENTITY, f.ROLE, f.HASH
    return tuple([(link[entity], link.get(role), link.get(hash_)) for link in links])


_told: Final = itemgetter(
    *(f.ID, f.SESSION_TAG, f.SESSION_ID, f.STATUS, f.RUN, f.SUBRUN),
    *(f.USED, f.GENERATED),
)
_placed: Final = itemgetter(f.ID, f.LEVEL, f.RUN, f.SUBRUN)
# The classes themselves take twice as long.
_activity: Final[Callable[[tuple[Any, ...]], Activity]] = partial(
    tuple.__new__, Activity
)
_entity: Final[Callable[[tuple[Any, ...]], Entity]] = partial(tuple.__new__, Entity)
