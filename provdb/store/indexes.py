"""The indexes of the collections, for every store alike."""

from dataclasses import dataclass
from typing import Final

from provdb.model import CURRENT_VERSIONS
from provdb.model import fields as f

__all__ = ["INDEXES", "Index"]


_DATE: Final = f"{f.PROPERTIES}.observation_date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index of a collection.

    Attributes:
        collection: The collection.
        fields: The fields, in order, with a dot for one inside an array.
        is_sparse: Whether documents without the fields are left out.
        has_few_first: Whether the first field has so few values that the index finds
            a value of the second one alone too.
        below: Only documents whose first field is less than this number are in the
            index, or None for all.
    """

    collection: str
    fields: tuple[str, ...]
    is_sparse: bool = False
    has_few_first: bool = False
    below: int | None = None


# An id is always indexed. A small index takes 20 kB on a server, whatever is in it.
INDEXES: Final = (
    Index(collection=f.ACTIVITIES, fields=(f"{f.USED}.{f.ENTITY}",)),
    Index(collection=f.ACTIVITIES, fields=(f"{f.GENERATED}.{f.ENTITY}",)),
    Index(
        collection=f.ACTIVITIES, fields=(f"{f.INVALIDATED}.{f.ENTITY}",), is_sparse=True
    ),
    Index(collection=f.ACTIVITIES, fields=(f.SESSION_TAG, f.ACTIVITY_ID)),
    Index(collection=f.ACTIVITIES, fields=(f"{f.COPIES}.{f.ENTITY}",), is_sparse=True),
    Index(collection=f.ACTIVITIES, fields=(f.NAME, f.ID)),
    Index(collection=f.ACTIVITIES, fields=(f.STATUS, f.RUN), has_few_first=True),
    Index(collection=f.ENTITIES, fields=(f.FILE_NAME,)),
    Index(collection=f.ENTITIES, fields=(f.LOCATION,)),
    Index(collection=f.ENTITIES, fields=(f.HASH,), is_sparse=True),
    Index(collection=f.ENTITIES, fields=(f.PATTERN,), is_sparse=True),
    Index(collection=f.ENTITIES, fields=(f.LEVEL, f.RUN), has_few_first=True),
    Index(collection=f.ENTITIES, fields=(f.DATE,), is_sparse=True),
    Index(
        collection=f.ENTITIES,
        fields=(f"{f.DERIVED_FROM}.{f.ENTITY}",),
        is_sparse=True,
    ),
    Index(collection=f.ENTITIES, fields=(f"{f.MEMBERS}.{f.ENTITY}",), is_sparse=True),
    Index(collection=f.ENTITIES, fields=(f.SAME_AS,), is_sparse=True),
    Index(collection=f.ENTITIES, fields=(f.ALIASES,), is_sparse=True),
    # With all that is asked of a session, which is large.
    Index(collection=f.SESSIONS, fields=(_DATE, f.SESSION_TAG, f.SESSION_ID)),
    Index(collection=f.SESSIONS, fields=(f.SESSION_TAG, f.SESSION_ID)),
    # Empty, but for a store of an earlier version: what is to be migrated.
    *(
        Index(collection=collection, fields=(f.SCHEMA_VERSION,), below=version)
        for collection, version in CURRENT_VERSIONS.items()
    ),
)
