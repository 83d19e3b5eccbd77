"""The sessions of a store, by the tags that their scripts gave them."""

from fnmatch import fnmatchcase
from typing import Any, Final

from provdb.errors import NotFound
from provdb.model import Document, session_key
from provdb.model import fields as f
from provdb.store import Store
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
_MOST_SESSIONS: Final = 10_000


def list_sessions(store: Store, pattern: str = "*") -> RowList:
    """Return a line for each session whose tag is like a pattern, in order of tags.

    Args:
        store: Where the documents are.
        pattern: A tag, with ``*`` and ``?``.

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
    return RowList(
        _line(session)
        for session in store.scan(f.SESSIONS)
        if session[f.SESSION_ID] is not None
        and fnmatchcase(session[f.SESSION_TAG] or "", pattern)
    )


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


def _line(session: Document) -> dict[str, Any]:
    # What it is called comes first, then what its script said of it.
    names = (f.SESSION_TAG, f.SESSION_ID)
    return {
        **{name: session[name] for name in names},
        **session[f.PROPERTIES],
        **{name: session[name] for name in _SHOWN},
    }
