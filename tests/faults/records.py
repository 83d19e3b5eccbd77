"""Numbered records of a pipeline, and whether a store holds them all, each once."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from provdb.model import Record, unfold
from provdb.model import fields as f
from provdb.model.values import canonical, encode
from provdb.store import Store

__all__ = [
    "ACTIVITY_RECORDS",
    "Sent",
    "missing_from",
    "record",
    "twice_in",
    "unsent_in",
]

# How many records one activity has; a pipeline should log a multiple of it.
ACTIVITY_RECORDS: Final = 6
_START: Final = "2020-05-18T14:18:06.362321"
_END: Final = "2020-05-18T14:19:06.362321"


class Sent(NamedTuple):
    """Names one record.

    Attributes:
        writer: Name of who logged it, without a space.
        number: Which of its records it is, from 0.
    """

    writer: str
    number: int


def record(sent: Sent) -> dict[str, Any]:
    """Return a record; the six kinds of an activity follow each other."""
    writer, number = sent
    activity, kind = divmod(number, ACTIVITY_RECORDS)
    about = {
        "activity_id": f"{writer}-{activity}",
        "session_tag": f"r0_to_dl1:{writer}",
    }
    entity = f"{writer}-{activity}-r0"
    kinds: tuple[dict[str, Any], ...] = (
        about | {"name": "r0_to_dl1", "startTime": _START, "in_session": writer},
        about | {"parameters": {"number": number}},
        {
            "entity_id": entity,
            "name": "R0SubrunDataset",
            "filepath": f"/fefs/aswg/data/real/R0/20191123/{entity}.fits.fz",
            "session_tag": about["session_tag"],
        },
        about | {"used_id": entity, "used_role": "Observation subrun"},
        about | {"generated_id": f"{writer}-{activity}-dl1", "generated_role": "DL1"},
        about | {"endTime": _END},
    )
    return kinds[kind]


def missing_from(store: Store, sent: Iterable[Sent]) -> list[Sent]:
    """Return what was sent and is not in a store."""
    stored = set(_texts(store))
    return [one for one in sent if _text(record(one)) not in stored]


def twice_in(store: Store) -> list[bytes]:
    """Return the records that a store holds more than once."""
    return [text for text, count in Counter(_texts(store)).items() if count > 1]


def unsent_in(store: Store, sent: Iterable[Sent]) -> list[bytes]:
    """Return what a store holds and nobody sent."""
    known = {_text(record(one)) for one in sent}
    return [text for text in _texts(store) if text not in known]


def _texts(store: Store) -> Iterator[bytes]:
    documents = {name: list(store.scan(name)) for name in f.COLLECTIONS}
    yield from map(_text, unfold(documents))


def _text(record: Record) -> bytes:
    return canonical(encode(record))
