"""Find entities and activities by ids that are not those of their documents."""

import re
from collections.abc import Iterable
from typing import Final

from provdb.model import Document, is_plain_text, location_id
from provdb.model import fields as f
from provdb.store import Store

__all__ = ["with_content", "with_local_name", "with_source_id"]

_DIGEST: Final = re.compile(
    r"(?:(?P<method>[A-Za-z][A-Za-z0-9_]*):)?(?P<digest>[0-9A-Fa-f]{32,128})"
)
# As exports write the URIs of others.
_PREFIXED_NAME: Final = re.compile(r"[A-Za-z][\w.-]*:(?P<local>[A-Za-z_][\w.-]*)")


def with_content(store: Store, name: str) -> list[Document]:
    """Return the files whose content has a hash, as their records say."""
    written = _DIGEST.fullmatch(name)
    if written is None:
        return []
    digest, method = written["digest"].lower(), (written["method"] or "").lower()
    texts = [digest, f"{method or 'sha256'}:{digest}"]
    found = [
        document
        for document in store.find(f.ENTITIES, {f.HASH: {"$in": texts}})
        # lstosa writes the hash of the path.
        if location_id(document.get(f.LOCATION, "")) != digest
        and method in ("", str(document.get(f.HASH_TYPE, method)).lower())
    ]
    if found or method not in ("", "sha256"):
        return found
    paths = [
        part[f.LOCATION]
        for copy in store.read(f.FILES, [digest])
        for part in copy[f.NAMES]
        if f.LOCATION in part
    ]
    return store.read(f.ENTITIES, map(location_id, paths)) if paths else []


def with_local_name(
    store: Store, collection: str, field: str, name: str
) -> list[Document]:
    """Return the things of foreign documents whose URI ends with a prefixed name."""
    written = _PREFIXED_NAME.fullmatch(name)
    if written is None:
        return []
    # Without an index that helps: nothing else is found by such a name.
    ending = f"[/#:]{re.escape(written['local'])}$"
    return list(store.find(collection, {field: {"$regex": ending}}))


def with_source_id(store: Store, ids: Iterable[str]) -> list[Document]:
    """Return the activities that have an id in their own system."""
    named = {f.ACTIVITY_ID: {"$in": sorted(filter(is_plain_text, ids))}}
    # The tag stands first in the index.
    of_any_tag = store.find(f.ACTIVITIES, {f.SESSION_TAG: {"$gt": ""}, **named})
    return [*of_any_tag, *store.find(f.ACTIVITIES, {f.SESSION_TAG: None, **named})]
