"""What provdb knows about provenance: records, documents, names. Pure throughout."""

from provdb.model.activity import MODES, is_waiting, start_text, waiting_keys
from provdb.model.entity import COPY, is_copy_of, is_file, with_names
from provdb.model.file import file_content
from provdb.model.fold import (
    Document,
    Documents,
    Folder,
    attach_sessions,
    contested_starts,
    execution_start,
    fold,
    merge,
    unfold,
)
from provdb.model.ids import location_id, session_key, value_id
from provdb.model.names import LEVELS, file_facts, file_name
from provdb.model.reading import (
    FileState,
    ReadFile,
    read_files,
    reading_document,
    reading_id,
)
from provdb.model.records import Kind, Record, kind_of
from provdb.model.refold import CURRENT_VERSIONS, environments_of, refold
from provdb.model.settings import StoreSettings
from provdb.model.times import format_time, parse_time
from provdb.model.values import decode, encode, is_plain_text

__all__ = [
    "COPY",
    "CURRENT_VERSIONS",
    "LEVELS",
    "MODES",
    "Document",
    "Documents",
    "FileState",
    "Folder",
    "Kind",
    "ReadFile",
    "Record",
    "StoreSettings",
    "attach_sessions",
    "contested_starts",
    "decode",
    "encode",
    "environments_of",
    "execution_start",
    "file_content",
    "file_facts",
    "file_name",
    "fold",
    "format_time",
    "is_copy_of",
    "is_file",
    "is_plain_text",
    "is_waiting",
    "kind_of",
    "location_id",
    "merge",
    "parse_time",
    "read_files",
    "reading_document",
    "reading_id",
    "refold",
    "session_key",
    "start_text",
    "unfold",
    "value_id",
    "waiting_keys",
    "with_names",
]
