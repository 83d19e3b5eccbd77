"""The indexes of the collections, for every store alike."""

from dataclasses import dataclass
from typing import Final

from provdb.model import fields as f

__all__ = ["INDEXES", "Index"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index of a collection.

    Attributes:
        collection: The collection.
        fields: The fields, in order, with a dot for one inside an array.
        is_sparse: Whether documents without the fields are left out.
    """

    collection: str
    fields: tuple[str, ...]
    is_sparse: bool = False


# An id is always indexed; a session is also found by its tag, as its id starts with it.
INDEXES: Final = (
    Index(collection=f.ACTIVITIES, fields=(f"{f.USED}.{f.ENTITY}",)),
    Index(collection=f.ACTIVITIES, fields=(f"{f.GENERATED}.{f.ENTITY}",)),
    Index(collection=f.ACTIVITIES, fields=(f.SESSION_TAG, f.ACTIVITY_ID)),
    Index(collection=f.ACTIVITIES, fields=(f"{f.COPIES}.{f.ENTITY}",), is_sparse=True),
    Index(collection=f.ACTIVITIES, fields=(f.NAME,)),
    Index(collection=f.ACTIVITIES, fields=(f.RUN,)),
    Index(collection=f.ACTIVITIES, fields=(f.STATUS,)),
    Index(collection=f.ENTITIES, fields=(f.FILE_NAME,)),
    Index(collection=f.ENTITIES, fields=(f.LOCATION,)),
    Index(collection=f.ENTITIES, fields=(f.HASH,)),
    Index(collection=f.ENTITIES, fields=(f.RUN, f.LEVEL)),
    Index(collection=f.ENTITIES, fields=(f.LEVEL,)),
    Index(
        collection=f.ENTITIES,
        fields=(f"{f.DERIVED_FROM}.{f.ENTITY}",),
        is_sparse=True,
    ),
    Index(collection=f.ENTITIES, fields=(f"{f.MEMBERS}.{f.ENTITY}",), is_sparse=True),
)
