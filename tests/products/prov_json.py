"""What a document of PROV-JSON says, in forms that compare."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["entities", "reached", "read", "relations"]

_ENDS = {
    "used": ("prov:activity", "prov:entity"),
    "wasGeneratedBy": ("prov:entity", "prov:activity"),
    "wasDerivedFrom": ("prov:generatedEntity", "prov:usedEntity"),
}
Document = Mapping[str, Mapping[str, Mapping[str, Any]]]


def read(path: Path) -> dict[str, Any]:
    """Return the document in a file."""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def entities(document: Document) -> dict[str, tuple[str | None, str | None]]:
    """Return label and place of each entity, by its id."""
    return {
        id_: (told.get("prov:label"), told.get("filepath"))
        for id_, told in document["entity"].items()
    }


def relations(document: Document) -> set[tuple[Any, ...]]:
    """Return each usage and generation: step, label and place of the entity, role."""
    entity = entities(document)
    step = {id_: told["prov:label"] for id_, told in document["activity"].items()}
    return {
        (
            kind,
            step[told["prov:activity"]],
            *entity[told["prov:entity"]],
            told.get("prov:role") or told.get("prov:type"),
        )
        for kind in ("used", "wasGeneratedBy")
        for told in document[kind].values()
    }


def reached(document: Document, start: str) -> set[str]:
    """Return the labels of all that something came from."""
    targets: dict[str, set[str]] = {}
    for kind, (source, target) in _ENDS.items():
        for told in document.get(kind, {}).values():
            targets.setdefault(told[source], set()).add(told[target])
    found = {start}
    todo = [start]
    while todo:
        new = targets.get(todo.pop(), set()) - found
        found |= new
        todo += new
    told = {**document["entity"], **document["activity"]}
    return {told[id_].get("prov:label", "") for id_ in found}
