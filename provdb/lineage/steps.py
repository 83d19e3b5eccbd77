"""What a walk needs of documents: one object for one activity, one for one entity.

There are millions of them in the impact of a model, so they are tuples, and a document
is let go as soon as it was read.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from operator import itemgetter
from typing import Any, Final, NamedTuple

from provdb.model import Document
from provdb.model import fields as f

__all__ = ["Activity", "Entity", "Link", "Place", "Relation", "declared"]

# What an entity comes from without any activity: the relation, and where it stands.
_RELATIONS: Final = (
    ("wasDerivedFrom", f.DERIVED_FROM),
    ("hadMember", f.MEMBERS),
)
_COLLECTIONS: Final = ("SetCollection", "FileCollection")
_NO_LINKS: Final = ()

# One usage or generation: the id of the entity, its role in the activity, the hash of
# its content at that moment, and of a generation the mode, where they were recorded.
Link = tuple[str, str | None, str | None, str | None]
# Where the records of a start and an end stand: the source, and the places in it.
Place = tuple[str, int | None, int | None]


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
    node: str | None = None
    is_run_wise: bool = False
    is_dry_run: bool = False
    activity_id: str = ""
    started_by: str | None = None
    recorded: tuple[Place, ...] = ()
    removed: tuple[str, ...] = ()
    is_start_ambiguous: bool = False
    is_end_ambiguous: bool = False

    def __hash__(self) -> int:
        """Hash the id alone, which is enough and not as long as all links."""
        return hash(self.id)

    @classmethod
    def of_document(cls, document: Document) -> "Activity":
        """Return the activity that a document holds.

        >>> Activity.of_document({"_id": "9c30", "session_tag": None, "status":
        ...     "completed", "session_id": None, "run": None, "subrun": None,
        ...     "activity_id": "621ca2", "generated": [],
        ...     "used": [{"entity": "446f45", "role": "Pedestal"}]}).used
        (('446f45', 'Pedestal', None, None),)
        """
        field = document.get
        id_, tag, session_id, source_id, status, run, subrun, used, made = _always(
            document
        )
        start: datetime | None = field(f.START)
        end: datetime | None = field(f.END)
        if start is not None and f.START_MICROSECONDS in document:
            start += timedelta(microseconds=document[f.START_MICROSECONDS])
        if end is not None and f.END_MICROSECONDS in document:
            end += timedelta(microseconds=document[f.END_MICROSECONDS])
        places = field(f.RECORDED)
        return _activity(
            (
                id_,
                field(f.NAME),
                tag,
                session_id,
                status,
                start,
                end,
                run,
                subrun,
                _links(used),
                _links(made),
                field(f.NODE),
                f.GRANULARITY in document,
                f.DRY_RUN in document,
                source_id,
                field(f.STARTED_BY),
                tuple([(p[f.SOURCE], p.get(f.START), p.get(f.END)) for p in places])
                if places
                else (),
                tuple([link[f.ENTITY] for link in field(f.INVALIDATED, _NO_LINKS)]),
                f.START_AMBIGUOUS in document,
                f.END_AMBIGUOUS in document,
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
        telescope: Telescope that its name names, such as ``LST-1``.
        stream: Stream of the camera server.
        particle: Particle of a simulation.
        data_kind: What it is beside its level: calibration, model, configuration.
        date: Night that its name or its folder names.
        hash: Recorded hash of its whole content, or None.
        is_fixed: Whether it is one fixed thing, as of a foreign PROV document.
        simulation_run: Run of the simulation, which is not one of an observation.
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
    telescope: str | None = None
    stream: int | None = None
    particle: str | None = None
    data_kind: str | None = None
    date: str | None = None
    hash: str | None = None
    is_fixed: bool = False
    simulation_run: int | None = None

    @property
    def is_of_run(self) -> bool:
        """Whether its name names a run, of an observation or of a simulation."""
        return self.run is not None or self.simulation_run is not None

    @classmethod
    def of_document(cls, document: Document) -> "Entity":
        """Return the entity that a document holds.

        >>> Entity.of_document({"_id": "446f45", "level": "R0", "run": 1618,
        ...     "subrun": 8, "derived_from": [{"entity": "6d2362"}]}).declared
        (('wasDerivedFrom', '6d2362'),)
        """
        field = document.get
        id_, level, run, subrun = _placed(document)
        has_members = f.MEMBERS in document
        related = has_members or f.DERIVED_FROM in document
        hash_ = field(f.HASH)
        return _entity(
            (
                id_,
                field(f.NAME),
                field(f.LOCATION),
                level,
                run,
                subrun,
                field(f.FILE_NAME),
                has_members or field(f.TYPE) in _COLLECTIONS,
                tuple(declared(document)) if related else (),
                field(f.TELESCOPE),
                field(f.STREAM),
                field(f.PARTICLE),
                field(f.DATA_KIND),
                field(f.DATE),
                # lstosa writes the hash of the path, which is the id.
                None if hash_ == id_ else hash_,
                f.FIXED in document,
                field(f.SIMULATION_RUN),
            )
        )


def declared(document: Document) -> Iterable[Relation]:
    """Yield what an entity document says that it is derived from, and its members."""
    for relation, array in _RELATIONS:
        for link in document.get(array, ()):
            yield relation, link[f.ENTITY]


def _links(links: Iterable[Mapping[str, Any]]) -> tuple[Link, ...]:
    entity, role, hash_, mode = f.ENTITY, f.ROLE, f.HASH, f.MODE
    return tuple(
        [
            (link[entity], link.get(role), link.get(hash_), link.get(mode))
            for link in links
        ]
    )


_always: Final = itemgetter(
    *(f.ID, f.SESSION_TAG, f.SESSION_ID, f.ACTIVITY_ID, f.STATUS, f.RUN, f.SUBRUN),
    *(f.USED, f.GENERATED),
)
_placed: Final = itemgetter(f.ID, f.LEVEL, f.RUN, f.SUBRUN)
# The classes themselves take twice as long.
_activity: Final[Callable[[tuple[Any, ...]], Activity]] = partial(
    tuple.__new__, Activity
)
_entity: Final[Callable[[tuple[Any, ...]], Entity]] = partial(tuple.__new__, Entity)
