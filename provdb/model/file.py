"""File documents: a small input by its content, with every name that it was seen under.

The content is stored once, however many paths, activities and sessions named it. What
sessions said of it is one small entry for each different statement. What activities
said is in their own documents, for there are thousands in a night: here is only under
which path and tag they did. A record may also come without the content, where it is
too large or holds secrets.
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Any, Final, NamedTuple

from provdb.errors import RecordError
from provdb.model import fields as f
from provdb.model.records import (
    Field,
    Record,
    Table,
    lay_out,
    restore,
    text,
    whole_number,
)
from provdb.model.values import canonical, encode, is_plain_text

__all__ = [
    "FILE_VERSION",
    "FileRecord",
    "file_content",
    "file_document",
    "file_records",
    "name_records",
    "split_content",
    "with_content",
    "without_activity",
]

FILE_VERSION: Final = 1

_CONTENT: Final = "content"
_NAME: Final = Table(
    Field(record="filepath", aliases=("location",), document=f.LOCATION, convert=text),
    Field(
        record="content_left_out",
        document=f.CONTENT_LEFT_OUT,
        convert=text,
    ),
)


class FileRecord(NamedTuple):
    """A record of a file whose content is taken out.

    Attributes:
        record: The record without its content.
        has_content: Whether the record has the content.
        is_of_activity: Whether an activity has the record, and this is only how the
            file was called in it.
    """

    record: Record
    has_content: bool
    is_of_activity: bool = False

    def key(self) -> bytes:
        """Return the canonical text, equal for equal records."""
        return canonical([encode(self.record), *self[1:]])


def split_content(record: Record) -> tuple[FileRecord, str | None]:
    """Part a record of a file in what it says and the content, in base64.

    Raises:
        RecordError: The content is no base64, or has not the digest of the record.

    >>> digest = hashlib.sha256(b"{}").hexdigest()
    >>> split_content({"file_id": digest, "content": "e30="})[1]
    'e30='
    """
    if _CONTENT not in record:
        return FileRecord(record, has_content=False), None
    content = record[_CONTENT]
    if not isinstance(content, str):
        raise RecordError("the content of a file is no text")
    try:
        read = b64decode(content, validate=True)
    except ValueError as error:
        raise RecordError("the content of a file is no base64") from error
    if b64encode(read).decode() != content:
        raise RecordError("the content of a file is no plain base64")
    digest = hashlib.sha256(read).hexdigest()
    if digest != record["file_id"]:
        raise RecordError(
            f"the content of the file {record['file_id']} has the digest {digest}"
        )
    bare = {name: record[name] for name in record if name != _CONTENT}
    return FileRecord(bare, has_content=True), content


def without_activity(bare: FileRecord) -> tuple[FileRecord, Record]:
    """Part a record that names an activity: how the file was called, and the rest.

    Returns:
        What the document of the file says, and the record that the activity has: with
        None for the content, where the record has it.
    """
    record = bare.record
    path = record.get("filepath", record.get("location"))
    named = {
        "file_id": record["file_id"],
        "filepath": path if is_plain_text(path) else None,
        "size": whole_number(record.get("size")),
        "content_left_out": text(record.get("content_left_out")),
        "session_tag": text(record.get("session_tag")),
    }
    told = {name: value for name, value in named.items() if value is not None}
    held = {**record, _CONTENT: None} if bare.has_content else record
    return FileRecord(told, has_content=True, is_of_activity=True), held


def with_content(record: Record, documents: Mapping[str, Mapping[str, Any]]) -> Record:
    """Return a record as it was written, with its content.

    Args:
        record: A record with None for its content, or one without it.
        documents: File documents by their ids.
    """
    if record.get(_CONTENT, "") is not None:
        return record
    return {**record, _CONTENT: documents[record["file_id"]][f.CONTENT]}


def file_document(
    records: Mapping[bytes, FileRecord], *, content: str | None, zone: tzinfo
) -> dict[str, Any]:
    """Return the document of one content from the records about it.

    Args:
        records: Records that all have one ``file_id``, by their keys.
        content: The content in base64, if any of them has it.
        zone: Zone of times that name none.
    """
    by_text = [records[key] for key in sorted(records)]
    document: dict[str, Any] = {
        f.ID: by_text[0].record["file_id"],
        f.SCHEMA_VERSION: FILE_VERSION,
        f.SIZE: _size(by_text, content),
    }
    known = _known(document)
    parts: dict[bytes, dict[str, Any]] = {}
    tags: dict[bytes, set[str | None]] = {}
    for record, has_content, is_of_activity in by_text:
        tag = record.get("session_tag")
        tagged = {"session_tag": tag} if is_plain_text(tag) else {}
        # How an activity called it is no record: nothing of its own is lost.
        said = {**record, **known} if is_of_activity else record
        part = lay_out(said, _NAME, known={**known, **tagged}, zone=zone)
        if is_of_activity:
            part[f.OF_ACTIVITIES] = True
        elif content is not None and not has_content:
            part[f.WITHOUT_CONTENT] = True
        key = canonical(part)
        parts[key] = part
        tags.setdefault(key, set()).add(tagged.get("session_tag"))
    document[f.NAMES] = [
        parts[key]
        | {f.SESSION_TAGS: sorted(tags[key], key=lambda tag: (tag is not None, tag))}
        for key in sorted(parts)
    ]
    if content is not None:
        document[f.CONTENT] = content
    return document


def file_records(document: Mapping[str, Any]) -> list[Record]:
    """Return the records that only a file document has, with None for their contents.

    Those that name an activity are given back by its own document.
    """
    return [
        {**bare.record, _CONTENT: None} if bare.has_content else bare.record
        for bare in name_records(document)
        if not bare.is_of_activity
    ]


def name_records(document: Mapping[str, Any]) -> list[FileRecord]:
    """Return what a file document was made from, without the content.

    The inverse of `file_document`, order and repeats apart.
    """
    known = _known(document)
    return [
        FileRecord(
            restore(
                part,
                _NAME,
                known=known if tag is None else {**known, "session_tag": tag},
            ),
            has_content=f.OF_ACTIVITIES in part
            or (f.CONTENT in document and f.WITHOUT_CONTENT not in part),
            is_of_activity=f.OF_ACTIVITIES in part,
        )
        for part in document[f.NAMES]
        for tag in part[f.SESSION_TAGS]
    ]


def file_content(document: Mapping[str, Any]) -> bytes | None:
    """Return the bytes that a file document holds, or None where it has none.

    >>> file_content({"_id": "44136f", "content": "e30="})
    b'{}'
    """
    content = document.get(f.CONTENT)
    return None if content is None else b64decode(content)


def _size(records: Iterable[FileRecord], content: str | None) -> int | None:
    if content is not None:
        return len(b64decode(content))
    sizes = [whole_number(bare.record.get("size")) for bare in records]
    return min((size for size in sizes if size is not None and size >= 0), default=None)


def _known(document: Mapping[str, Any]) -> Record:
    known = {"file_id": document[f.ID]}
    return known if document[f.SIZE] is None else {**known, "size": document[f.SIZE]}
