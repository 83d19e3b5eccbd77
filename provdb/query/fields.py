"""The fields that can be asked for: what each is about, its type, and where it stands.

A field is about entities, activities or both. What it says of an entity is its own, or
that of the activities that made the entity's current version.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

from provdb.errors import QuerySyntaxError, UnknownField
from provdb.model import fields as f
from provdb.model.values import encode_key
from provdb.query.text import field_text
from provdb.query.tree import Field

__all__ = [
    "FIELDS",
    "KIND",
    "BoundField",
    "FieldType",
    "Kind",
    "Place",
    "find_field",
]

KIND: Final = "kind"
Kind = Literal["entity", "activity"]
Source = Literal["own", "environment", "session", "config"]
_MOST_NEAR: Final = 3
_LIKENESS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the value of a field stands.

    Attributes:
        source: In the document itself, or in that of its environment, its session or
            the configuration that it copied.
        path: The path in that document; below it stands the key, if there is one.
        type: What its values are there, where that is not the type of the field.
    """

    source: Source = "own"
    path: str
    type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldType:
    """A field, or a family of fields with keys.

    Attributes:
        name: Its name.
        about: What a query ranges over that names it, or both.
        type: What its values are.
        meaning: What it says, in a few words.
        example: A condition with it.
        entity: Where it stands of an entity's own, or None.
        activity: Where it stands of an activity, or None.
        otherwise: Where it stands of an activity that lacks it there, or None.
        named: Where it stands of an entity whose makers do not say it, or None.
        has_keys: Whether keys follow its name.
        is_indexed: Whether an index finds a value of it.
    """

    name: str
    about: Literal["entity", "activity", "both"]
    type: str
    meaning: str
    example: str
    entity: Place | None = None
    activity: Place | None = None
    otherwise: Place | None = None
    named: Place | None = None
    has_keys: bool = False
    is_indexed: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return what somebody who asks must know of the field."""
        return {
            "field": f"{self.name}.KEY" if self.has_keys else self.name,
            "type": self.type,
            "about": self.about,
            "indexed": self.is_indexed,
            "meaning": self.meaning,
            "example": self.example,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundField:
    """A field as a query names it.

    Attributes:
        name: The name with its keys, as it is written.
        type: The field of the table.
        keys: The storable form of its keys.
    """

    name: str
    type: FieldType
    keys: tuple[str, ...] = ()

    def path(self, place: Place) -> str:
        """Return the path of the value in the document of a place.

        >>> picture = find_field(Field(parts=("param", "tailcut.picture")), text="")
        >>> picture.path(picture.type.activity)
        'parameters.tailcut%2Epicture'
        """
        return ".".join((*filter(None, [place.path]), *self.keys))


def _own(path: str) -> Place:
    return Place(path=path)


_TABLE: Final = (
    # Of entities alone.
    FieldType(
        name="level", about="entity", type="level", is_indexed=True,
        meaning="data level", example="level:DL1", entity=_own(f.LEVEL),
    ),
    FieldType(
        name="entity", about="entity", type="text",
        meaning="name of the kind of entity", example="entity:RFModel*",
        entity=_own(f.NAME),
    ),
    FieldType(
        name="path", about="entity", type="path", is_indexed=True,
        meaning="path, URL or FOLDER/; without a slash the file name",
        example="path:*dl2*Run01618*", entity=_own(f.LOCATION),
    ),
    FieldType(
        name="type", about="entity", type="text", meaning="type of entity",
        example="type:SetCollection", entity=_own(f.TYPE),
    ),
    FieldType(
        name="content_type", about="entity", type="text", meaning="media type",
        example="content_type:*hdf*", entity=_own(f.CONTENT_TYPE),
    ),
    FieldType(
        name="hash", about="entity", type="hash", is_indexed=True,
        meaning="content hash, or the start of one", example="hash:446f45dd*",
        entity=_own(f.HASH),
    ),
    FieldType(
        name="size", about="entity", type="number",
        meaning="size as it was recorded: bytes, or members of a collection",
        example="size > 1000000", entity=_own(f.SIZE),
    ),
    FieldType(
        name="prod", about="entity", type="production",
        meaning="folder of the path that names a version", example="prod:v0.5.1*",
        entity=_own(f.LOCATION),
    ),
    FieldType(
        name="made_by", about="entity", type="text", is_indexed=True,
        meaning="name of the activity that made it", example="made_by:dl1ab",
    ),
    FieldType(
        name="telescope", about="entity", type="telescope",
        meaning="telescope in the name of the file or its folder",
        example="telescope:LST-2", entity=_own(f.TELESCOPE),
    ),
    FieldType(
        name="stream", about="entity", type="whole number",
        meaning="stream of raw data", example="stream:1..4", entity=_own(f.STREAM),
    ),
    FieldType(
        name="data_kind", about="entity", type="text",
        meaning="what the data are: events, muons, calibration, model …",
        example="data_kind:calibration", entity=_own(f.DATA_KIND),
    ),
    FieldType(
        name="particle", about="entity", type="text", meaning="simulated particle",
        example="particle:gamma*", entity=_own(f.PARTICLE),
    ),
    FieldType(
        name="simulation_run", about="entity", type="run",
        meaning="run of a simulation, which run never means",
        example="simulation_run:1000", entity=_own(f.SIMULATION_RUN),
    ),
    # Of activities, and of entities by who made them.
    FieldType(
        name="activity", about="activity", type="text", is_indexed=True,
        meaning="name of the activity", example="activity:r0_to_dl1",
        activity=_own(f.NAME),
    ),
    FieldType(
        name="session_tag", about="activity", type="text", is_indexed=True,
        meaning="tag of the session", example="session_tag:r0_to_dl1:01618",
        activity=_own(f.SESSION_TAG),
    ),
    FieldType(
        name="session_id", about="activity", type="text", meaning="id of the session",
        example="session_id:8739478486569", activity=_own(f.SESSION_ID),
    ),
    FieldType(
        name="activity_id", about="activity", type="text",
        meaning="id in the pipeline", example="activity_id:621ca2",
        activity=_own(f.ACTIVITY_ID),
    ),
    FieldType(
        name="status", about="activity", type="status", is_indexed=True,
        meaning="how it ended", example="-status:completed", activity=_own(f.STATUS),
    ),
    FieldType(
        name="start", about="activity", type="time", meaning="start of processing",
        example="start:2020-05-18", activity=_own(f.START),
    ),
    FieldType(
        name="end", about="activity", type="time", meaning="end of processing",
        example="end is unknown", activity=_own(f.END),
    ),
    FieldType(
        name="duration", about="activity", type="duration",
        meaning="end less start, in seconds", example="duration > 20m",
        activity=_own("duration"),
    ),
    FieldType(
        name="agent", about="activity", type="text", meaning="who ran it",
        example="-agent:lstanalyzer", activity=_own(f.AGENT),
    ),
    FieldType(
        name="script", about="activity", type="text", meaning="the script that ran",
        example="script:*datasequence*", activity=_own(f.SCRIPT),
    ),
    FieldType(
        name="started_by", about="activity", type="text",
        meaning="id of the activity that started it", example="started_by is known",
        activity=_own(f.STARTED_BY),
    ),
    FieldType(
        name="dry_run", about="activity", type="truth",
        meaning="whether it was a dry run", example="dry_run:true",
        activity=_own(f.DRY_RUN),
    ),
    FieldType(
        name="node", about="activity", type="text", meaning="machine that it ran on",
        example="node:cp15", activity=_own(f.NODE),
        otherwise=Place(source="environment", path=f.NODE),
    ),
    FieldType(
        name="interpreter", about="activity", type="version",
        meaning="version of Python", example="interpreter >= 3.11",
        activity=Place(source="environment", path=f.INTERPRETER),
    ),
    FieldType(
        name="param", about="activity", type="any", has_keys=True,
        meaning="a parameter", example="param.ProdID:03",
        activity=_own(f.PARAMETERS),
    ),
    FieldType(
        name="config", about="activity", type="any", has_keys=True,
        meaning="a value in a copied configuration file",
        example="config.tailcut.picture_thresh:6",
        activity=Place(source="config", path=""),
    ),
    FieldType(
        name="software", about="activity", type="version", has_keys=True,
        meaning="version of a package", example="software.lstchain >= 0.10",
        activity=Place(source="environment", path=f.PACKAGES),
    ),
    FieldType(
        name="env", about="activity", type="any", has_keys=True,
        meaning="a variable of the environment",
        example="env.CONDA_DEFAULT_ENV:osa",
        activity=Place(source="environment", path=f"{f.SYSTEM}.environment"),
    ),
    # Of both.
    FieldType(
        name="run", about="both", type="run", is_indexed=True,
        meaning="observation run", example="run:1618",
        entity=_own(f.RUN), activity=_own(f.RUN),
    ),
    FieldType(
        name="subrun", about="both", type="whole number", meaning="subrun of the run",
        example="subrun:0..9", entity=_own(f.SUBRUN), activity=_own(f.SUBRUN),
    ),
    FieldType(
        name="date", about="both", type="date", is_indexed=True,
        meaning="observation date of the session, else in the name of the file",
        example="date:20191101..20191130", named=Place(path=f.DATE, type="day"),
        activity=Place(
            source="session", path=f"{f.PROPERTIES}.observation_date"
        ),
    ),
    FieldType(
        name="name", about="both", type="text",
        meaning="name of the entity or activity", example="name:dl1*",
        entity=_own(f.NAME), activity=_own(f.NAME),
    ),
    FieldType(
        name=KIND, about="both", type="kind", meaning="entity, activity or any",
        example="kind:any",
    ),
    FieldType(
        name="id", about="both", type="hash", is_indexed=True,
        meaning="id in the store, or the start of one", example="id:446f45dd*",
        entity=_own(f.ID), activity=_own(f.ID),
    ),
)  # fmt: skip  # One field to read at a glance, not twelve lines.
FIELDS: Final = {field.name: field for field in _TABLE}
_ALIASES: Final = {
    "file": "path",
    "host": "node",
    "location": "path",
    "tag": "session_tag",
}


def find_field(field: Field, *, text: str) -> BoundField:
    """Return the field that a query names.

    Args:
        field: The field as it was written.
        text: The query, for messages.

    Raises:
        UnknownField: There is no such field; the error holds the nearest ones.
        QuerySyntaxError: It needs a key, or has one that it cannot have.

    >>> find_field(Field(parts=("levle",)), text="levle:DL1")
    Traceback (most recent call last):
    provdb.errors.UnknownField: there is no field levle, did you mean level? ...
    """
    name, *keys = field.parts
    found = FIELDS.get(_ALIASES.get(name, name))
    if found is None or (keys and not found.has_keys):
        written = field_text(field)
        raise UnknownField(
            written, near=_near(written), text=text, position=field.position
        )
    if found.has_keys and not keys:
        raise QuerySyntaxError(
            text, field.position, expected=f"a key behind it, as in {found.example}"
        )
    stored = [encode_key(key) for key in keys]
    if not all(stored):
        raise QuerySyntaxError(
            text, field.position, expected=f"a key that is not empty behind {name}"
        )
    return BoundField(name=field_text(field), type=found, keys=tuple(stored))


# What people know by another name that could mean several things.
_OTHER_NAMES: Final = {
    "filename": ("path",),
    "filepath": ("path",),
    "is": ("status",),
    "machine": ("node",),
    "month": ("date",),
    "package": ("software.KEY",),
    "parameter": ("param.KEY",),
    "parameters": ("param.KEY",),
    "params": ("param.KEY",),
    "step": ("activity",),
    "time": ("start", "end"),
    "title": ("name",),
    "upstream": ("upstream(…)",),
    "downstream": ("downstream(…)",),
    "user": ("agent",),
    "version": ("software.KEY", "prod"),
}


def _near(name: str) -> list[str]:
    if name.lower() in _OTHER_NAMES:
        return list(_OTHER_NAMES[name.lower()])
    # Loaded here, for most names are known.
    from rapidfuzz import fuzz, process

    found = process.extract(
        name,
        list(FIELDS),
        scorer=fuzz.ratio,
        limit=_MOST_NEAR,
        score_cutoff=_LIKENESS,
    )
    return [near for near, _, _ in found]
