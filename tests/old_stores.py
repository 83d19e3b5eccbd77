"""Stores as the last version with documents of version 1 left them."""

import gzip
from pathlib import Path
from typing import Any, Final

import orjson
from bson import json_util
from pymongo import MongoClient

from provdb.model import Document
from tests.samples import NIGHT_LOG

__all__ = ["OLD_LOGS", "fill_old_store"]

_FOLDER: Final = Path(__file__).parent / "data" / "provdb-1"
# What they were made of.
OLD_LOGS: Final = (NIGHT_LOG, _FOLDER / "more.log")
_SQLITE: Final = "sqlite://"


def fill_old_store(uri: str) -> None:
    """Put such a store where a URI says; nothing may be there yet."""
    if uri.startswith(_SQLITE):
        content = gzip.decompress((_FOLDER / "store.db.gz").read_bytes())
        Path(uri.removeprefix(_SQLITE)).write_bytes(content)
        return
    text = gzip.decompress((_FOLDER / "store.jsonl.gz").read_bytes())
    documents: dict[str, list[Document]] = {}
    for line in text.splitlines():
        documents.setdefault(_collection(line), []).append(_document(line))
    with MongoClient[dict[str, Any]](uri, tz_aware=True) as client:
        for collection, many in documents.items():
            client.get_default_database()[collection].insert_many(many)


def _collection(line: bytes) -> str:
    return str(orjson.loads(line)["collection"])


def _document(line: bytes) -> Document:
    document: Document = json_util.loads(line.decode())["document"]
    return document
