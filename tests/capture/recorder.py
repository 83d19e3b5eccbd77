"""A handler that keeps what is recorded, and the questions that tests ask of it."""

import logging
from typing import Any

from provdb.capture.handler import ProvHandler
from provdb.model import Kind, Record, kind_of

__all__ = ["Recorder"]


class Recorder(ProvHandler):
    """Keeps records in a list, instead of a spool."""

    def __init__(self) -> None:
        """Start with nothing; neither a spool nor a store is ever opened."""
        super().__init__("sqlite:////nowhere/provdb.db", spool_dir="/nowhere")
        self.records: list[Record] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        if isinstance(record.msg, dict):
            self.records.append(record.msg)

    def flush(self) -> None:
        """Do nothing: there is no file."""

    def of(self, kind: Kind) -> list[Record]:
        """Return the records that state one kind of thing, in their order."""
        return [record for record in self.records if kind_of(record) is kind]

    def kinds(self) -> list[Kind]:
        """Return what was stated, in its order, without sessions and entities."""
        left_out = (Kind.SESSION, Kind.ENTITY)
        kinds = map(kind_of, self.records)
        return [kind for kind in kinds if kind not in left_out]

    def used(self) -> list[tuple[Any, Any]]:
        """Return role and path, or value, of all that was used."""
        return [
            (record.get("used_role"), self._thing(record["used_id"]))
            for record in self.of(Kind.USAGE)
        ]

    def generated(self) -> list[tuple[Any, Any]]:
        """Return role and path, or value, of all that was generated."""
        return [
            (record.get("generated_role"), self._thing(record["generated_id"]))
            for record in self.of(Kind.GENERATION)
        ]

    def related(self, kind: Kind) -> list[tuple[Any, Any]]:
        """Return each entity with its member, or with its progenitor."""
        other = {Kind.MEMBERSHIP: "member_id", Kind.DERIVATION: "progenitor_id"}[kind]
        return [
            (self._thing(record["entity_id"]), self._thing(record[other]))
            for record in self.of(kind)
        ]

    def parameters(self) -> list[Any]:
        """Return the parameters, one mapping a record."""
        return [record["parameters"] for record in self.of(Kind.PARAMETERS)]

    def tags(self) -> list[Any]:
        """Return the session tag of each activity."""
        return [record["session_tag"] for record in self.of(Kind.START)]

    def statuses(self) -> list[tuple[Any, Any]]:
        """Return name and status of each activity that ended, in that order."""
        names = {
            record["activity_id"]: record["name"] for record in self.of(Kind.START)
        }
        return [
            (names[record["activity_id"]], record["status"])
            for record in self.of(Kind.END)
        ]

    def _thing(self, entity_id: str) -> Any:
        described = (
            record
            for record in self.of(Kind.ENTITY)
            if record["entity_id"] == entity_id
        )
        description = next(described)
        return description.get("filepath", description.get("value", entity_id))
