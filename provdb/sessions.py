"""The sessions of a store, by the tags that their scripts gave them."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any, Final

from provdb.errors import NotFound
from provdb.lineage.telescopes import is_of_telescope
from provdb.model import Document, session_key
from provdb.model import fields as f
from provdb.model.names import telescope_name
from provdb.store import Store
from provdb.store.base import batches
from provdb.tabular import RowList

__all__ = ["get_sessions", "list_sessions"]

_SHOWN: Final = (
    f.SESSION_TAG,
    f.SESSION_ID,
    f.RUN,
    f.EXECUTION_COUNT,
    f.FIRST_START,
    f.LAST_START,
)
_BATCH: Final = 200
_MOST_SESSIONS: Final = 10_000


def list_sessions(
    store: Store, pattern: str = "*", *, telescope: str | None = None
) -> RowList:
    """Return a line for each session whose tag is like a pattern, in order of tags.

    Args:
        store: Where the documents are.
        pattern: A tag, with ``*`` and ``?``.
        telescope: The telescope that files of the sessions name; unless told, any.

    Returns:
        Tag, id, run, number of executions, first and last start of each session, and
        its properties such as observation_date and software_version.

    >>> from provdb.model import fold
    >>> from provdb.store import open_store
    >>> store = open_store("memory://")
    >>> counts = store.write(fold([{"session_id": 8739478486569, "system": {},
    ...     "session_tag": "r0_to_dl1:01618", "observation_date": "20191123"}]))
    >>> [line["observation_date"] for line in list_sessions(store, "r0_to_dl1:*")]
    ['20191123']
    """
    found: Iterable[Document] = (
        session
        for session in store.scan(f.SESSIONS)
        if session[f.SESSION_ID] is not None
        and fnmatchcase(session[f.SESSION_TAG] or "", pattern)
    )
    if telescope is not None:
        found = _of_telescope(store, found, telescope_name(telescope))
    return RowList(map(_line, found))


def get_sessions(store: Store, tag: str) -> list[Document]:
    """Return the documents of all sessions of a tag, in order of their ids.

    Raises:
        NotFound: No session has the tag.
    """
    start = session_key(tag, None)
    found = store.starting(f.SESSIONS, start, limit=_MOST_SESSIONS)
    if not found:
        raise NotFound(
            tag,
            message=f"no session has the tag {tag}; 'provdb session list' shows all",
        )
    return found


def _of_telescope(
    store: Store, sessions: Iterable[Document], telescope: str
) -> Iterator[Document]:
    """Yield the sessions with an activity whose files name a telescope."""
    for some in batches(sessions, _BATCH):
        activities = store.tagged(
            {session[f.SESSION_TAG] for session in some if session[f.SESSION_TAG]}
        )
        ids = {
            link[f.ENTITY]
            for activity in activities
            for link in (*activity[f.USED], *activity[f.GENERATED])
        }
        entities = {entity[f.ID]: entity for entity in store.entities(ids)}
        keys = {
            session_key(activity[f.SESSION_TAG], activity[f.SESSION_ID])
            for activity in activities
            if is_of_telescope(activity, entities, telescope)
        }
        yield from (session for session in some if session[f.ID] in keys)


def _line(session: Document) -> dict[str, Any]:
    # What it is called comes first, then what its script said of it.
    names = (f.SESSION_TAG, f.SESSION_ID)
    return {
        **{name: session[name] for name in names},
        **session[f.PROPERTIES],
        **{name: session[name] for name in _SHOWN},
    }
