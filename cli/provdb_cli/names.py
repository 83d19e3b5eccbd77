"""Names in the store that go on as somebody typed, for the shells that complete them.

The store is asked for the first few by its indexes, and is left out where there is no
answer within half a second, or the seconds of ``PROVDB_COMPLETION_SECONDS``.
"""

import atexit
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import click
from click.shell_completion import CompletionItem

from provdb.errors import ProvdbError
from provdb_cli.settings import Settings

if TYPE_CHECKING:
    from provdb.store import Store

__all__ = ["complete_name", "known_values"]

_SECONDS: Final = 0.5
_SECONDS_VARIABLE: Final = "PROVDB_COMPLETION_SECONDS"
_MOST: Final = 60

_Names: TypeAlias = "Callable[[Store, str], Sequence[str]]"


def complete_name(
    context: click.Context, kind: str, start: str
) -> list[CompletionItem[Any]]:
    """Return the names of a kind that start so.

    Args:
        context: Of the command whose line is completed.
        kind: ``file``, ``side`` of a comparison, ``session_tag`` or ``activity``.
        start: What is typed.
    """
    return [
        CompletionItem(name, is_finished=not name.endswith("/"))
        for name in _asked(context, _NAMES[kind], start)
    ]


def known_values(context: click.Context, field: str, start: str) -> Sequence[str]:
    """Return the values of a field of queries that start so, or names of fields.

    Args:
        context: Of the command whose line is completed.
        field: The field; ``param.`` for the fields of a family.
        start: What is typed of the value, or of the key.
    """
    names = _NAMES.get(field)
    return [] if names is None else _asked(context, names, start)


def _asked(context: click.Context, names: _Names, start: str) -> Sequence[str]:
    """Return what the store of a command line has, if it says so soon."""
    given = context.find_root().params
    settings = Settings(
        environ=os.environ, uri=given.get("uri"), config_file=given.get("config_file")
    )
    seconds = _seconds(os.environ)
    found: list[str] = []

    def ask() -> None:
        try:
            with settings.open_store(
                timeout_seconds=seconds, is_checked=False
            ) as store:
                found.extend(names(store, start))
        except ProvdbError:
            return  # A shell has no place to say why.

    # Beside, for nothing else ends a look-up of the name of a host.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    if not thread.is_alive():
        return found
    # The driver would wait for its threads; what is to be said is flushed by then.
    atexit.register(os._exit, 0)
    return []


def _seconds(environ: Mapping[str, str]) -> float:
    try:
        return min(max(float(environ[_SECONDS_VARIABLE]), 0.001), threading.TIMEOUT_MAX)
    except (KeyError, ValueError):
        return _SECONDS


def _files(store: "Store", start: str) -> Sequence[str]:
    from provdb.lineage.known_names import names_starting, paths_starting
    from provdb.model import fields as f

    if start.startswith("/") or "://" in start:
        return paths_starting(store, start, limit=_MOST)
    return names_starting(
        store, start, collection=f.ENTITIES, field=f.FILE_NAME, limit=_MOST
    )


def _tags(store: "Store", start: str) -> Sequence[str]:
    from provdb.lineage.known_names import names_starting
    from provdb.model import fields as f

    return names_starting(
        store, start, collection=f.ACTIVITIES, field=f.SESSION_TAG, limit=_MOST
    )


def _activities(store: "Store", start: str) -> Sequence[str]:
    from provdb.lineage.known_names import names_starting
    from provdb.model import fields as f

    return names_starting(
        store, start, collection=f.ACTIVITIES, field=f.NAME, limit=_MOST
    )


def _runs(store: "Store", start: str) -> Sequence[str]:
    from provdb.lineage.known_names import runs_starting

    return runs_starting(store, start, limit=_MOST)


def _sides(store: "Store", start: str) -> Sequence[str]:
    found = [name for ask in (_runs, _tags, _files) for name in ask(store, start)]
    return found[:_MOST]


def _keys(family: str) -> _Names:
    def keys(store: "Store", start: str) -> Sequence[str]:
        from provdb.query.survey import field_names

        return field_names(store, f"{family}.{start}")

    return keys


_NAMES: Final[dict[str, _Names]] = {
    "file": _files,
    "path": _files,
    "side": _sides,
    "session_tag": _tags,
    "activity": _activities,
    "made_by": _activities,
    "run": _runs,
    **{f"{name}.": _keys(name) for name in ("param", "config", "software", "env")},
}
