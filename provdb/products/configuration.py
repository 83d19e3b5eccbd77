"""Configuration files that steps used: from the store by content, else from disk."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from provdb.export.details import Details
from provdb.files import used_copies
from provdb.lineage import Lineage
from provdb.model import Document, decode, file_content, file_name, session_key
from provdb.model import fields as f
from provdb.secrets.texts import redact_bytes
from provdb.store import Store

__all__ = ["UsedFile", "has_secrets", "used_files"]

# Models are trained elsewhere and large: they are named, and not copied.
_NOT_COPIED: Final = ("RFModel*", "*Model*", "IRF*")
_MODEL_TYPE: Final = "application/x-spss-sav"
_CONFIG_FILE: Final = "config_file"
# In a larger file no secrets are looked for: it is no configuration.
_LOOKED_THROUGH_BYTES: Final = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class UsedFile:
    """A small file that a step used.

    Attributes:
        location: Where it was.
        digest: sha256 of its content, in hexadecimal, where a copy is stored.
        content: The content of the copy; None for what is still where it was.
    """

    location: str
    digest: str | None = None
    content: bytes | None = None

    @property
    def name(self) -> str:
        """Name of the file, without its folder."""
        return file_name(self.location)


def used_files(
    lineage: Lineage, details: Details, store: Store
) -> tuple[list[UsedFile], list[str]]:
    """Return the small files that the steps of a lineage used, and what is wrong.

    They are calibration, configuration and all else that is neither data of a level
    nor a trained model, and the configuration files that the sessions name. A file of
    which several contents were used is there once for each.

    Args:
        lineage: The lineage, with every node of its own.
        details: The documents of its nodes.
        store: The store that has the copies.
    """
    nodes = {node.id: node for node in lineage.nodes}
    used = {edge.target for edge in lineage.edges if edge.relation == "used"}
    locations = {
        str(document[f.LOCATION])
        for node in map(nodes.__getitem__, used)
        if node.kind == "entity"
        and node.level is None
        and (document := details.entities.get(node.entity or "")) is not None
        and _is_copied(document)
    }
    activities = [details.activities[id_] for id_ in nodes if id_ in details.activities]
    keys = {session_key(a[f.SESSION_TAG], a[f.SESSION_ID]) for a in activities}
    for session in (details.sessions[key] for key in keys & details.sessions.keys()):
        named = decode(session[f.PROPERTIES]).get(_CONFIG_FILE)
        if isinstance(named, str) and named:
            locations.add(named)
    copies = used_copies(store, activities)
    wanted = {digest for place in locations for digest in copies.get(place, ())}
    stored = {d[f.ID]: d for d in store.read(f.FILES, sorted(wanted))}
    files: list[UsedFile] = []
    problems: list[str] = []
    for location in sorted(locations):
        digests = sorted(copies.get(location, ()))
        if not digests:
            files.append(UsedFile(location=location))
        for digest in digests:
            content = file_content(stored[digest])
            if content is None:
                problems.append(_left_out(location, stored[digest]))
                continue
            files.append(UsedFile(location=location, digest=digest, content=content))
    return files, problems


def has_secrets(path: str | os.PathLike[str]) -> bool:
    """Say whether a small file holds a password, a token or a private key.

    Raises:
        OSError: It cannot be read.
    """
    if os.path.getsize(path) > _LOOKED_THROUGH_BYTES:
        return False
    with open(path, "rb") as stream:
        # UTF-16 is looked through as if it were ASCII.
        text = stream.read().replace(b"\0", b"")
    return redact_bytes(text) is not text


def _is_copied(document: Mapping[str, Any]) -> bool:
    name = str(document.get(f.NAME, ""))
    return (
        f.FILE_NAME in document
        and document.get(f.CONTENT_TYPE) != _MODEL_TYPE
        and not any(fnmatchcase(name, pattern) for pattern in _NOT_COPIED)
    )


def _left_out(location: str, document: Document) -> str:
    reasons = (entry.get(f.CONTENT_LEFT_OUT) for entry in document[f.NAMES])
    reason = next((one for one in reasons if one is not None), None)
    told = "" if reason is None else f" ({reason})"
    return f"the content of {location} was left out when it was used{told}"
