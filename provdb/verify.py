"""Whether a file, and what it was made from, still have the recorded contents."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from provdb.capture.hashing import method_of
from provdb.files import used_copies
from provdb.lineage import Lineage, LineageNode, WalkOptions, lineage, makers
from provdb.model import fields as f
from provdb.readers.before import digests_before
from provdb.readers.guard import end_guards
from provdb.recorded_contents import recorded_contents
from provdb.store import Store
from provdb.tabular import Tabular

__all__ = [
    "STATUSES",
    "Verification",
    "VerifiedFile",
    "VerifyPlan",
    "plan",
    "verify",
]

# What there is to worry about first.
STATUSES: Final = (
    "differs",
    "missing",
    "unreadable",
    "overwritten",
    "embedded",
    "same",
    "not recorded",
)

_TO_READ: Final = "to be read"
_PIECE_BYTES: Final = 2**20
_EVERYTHING: Final = WalkOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedFile:
    """The file that was asked for, or one behind it, and what is on the disk now.

    Attributes:
        status: ``same``; ``differs``; ``missing``; ``unreadable``; ``overwritten``,
            where a later step is known to have written it again; ``embedded``, where
            the file says that it had the recorded content before `provdb embed` wrote
            its provenance into it; or ``not recorded``, where there is no digest of
            its content.
        location: Where it was.
        level: Its data level.
        name: Name of the kind of entity.
        run: Observation run.
        subrun: Subrun of the run.
        method: Method of the digests.
        recorded: Digest of the content that was used, in hexadecimal.
        found: Digest of the content on the disk now.
        is_asked: Whether it is the file that was asked for.
    """

    status: str
    location: str
    level: str | None = None
    name: str | None = None
    run: int | None = None
    subrun: int | None = None
    method: str | None = None
    recorded: str | None = None
    found: str | None = None
    is_asked: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the file as it stands in JSON."""
        file = {name: getattr(self, name) for name in self.__slots__}
        file["asked"] = file.pop("is_asked")
        return file


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification(Tabular):
    """A file and all it was made from, and whether they are what they were.

    Attributes:
        name: The file, as it was asked for.
        files: The file itself and what it was made from: what differs first, the file
            itself before the others, then by level and place.
    """

    name: str
    files: tuple[VerifiedFile, ...]

    @property
    def has_differences(self) -> bool:
        """Whether a content is another one than was recorded."""
        return any(file.status == "differs" for file in self.files)

    @property
    def asked_status(self) -> str | None:
        """The status of the file itself; None of what has no place, such as a value."""
        return next((file.status for file in self.files if file.is_asked), None)

    @property
    def counts(self) -> dict[str, int]:
        """How many files there are of each status."""
        statuses = [file.status for file in self.files]
        return {one: statuses.count(one) for one in STATUSES if one in statuses}

    def rows(self) -> list[dict[str, Any]]:
        """Return the files as they stand in JSON."""
        return [file.to_dict() for file in self.files]

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as it stands in JSON."""
        return {"name": self.name, "counts": self.counts, "files": self.rows()}


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyPlan:
    """What is to be compared with the disk, before any of it is read.

    Attributes:
        name: The file, as it was asked for.
        size_bytes: How much is to be read.
        files: The file itself and what it was made from; those to be read have no
            status yet.
    """

    name: str
    size_bytes: int
    files: tuple[VerifiedFile, ...]

    def compare(
        self, *, on_read: Callable[[int], None] = lambda size_bytes: None
    ) -> Verification:
        """Read the files, and return what they are now.

        Args:
            on_read: Is told of each piece that was read, how many bytes it has.
        """
        try:
            found = [
                file if file.status != _TO_READ else _compared(file, on_read=on_read)
                for file in self.files
            ]
        finally:
            end_guards()
        return Verification(name=self.name, files=tuple(sorted(found, key=_order)))


def verify(
    store: Store, name: str, *, options: WalkOptions = _EVERYTHING
) -> Verification:
    """Compare a file, and all it was made from, with the contents that were recorded.

    Of the file itself the content counts that the write of its version recorded, or
    else its last use.

    Args:
        store: Where the documents are.
        name: The file, as `find_name` takes it.
        options: How far back to look, and through what.

    Raises:
        NotFound: Nothing has that name.
        Ambiguous: Several things have it.

    >>> import provdb
    >>> from provdb.store import open_store
    >>> store = open_store("memory://")
    >>> records = provdb.store_demo(store)
    >>> verify(store, "dl3_LST-1.Run01807.fits").has_differences
    False
    """
    return plan(store, name, options=options).compare()


def plan(store: Store, name: str, *, options: WalkOptions = _EVERYTHING) -> VerifyPlan:
    """Return what `verify` would read, in the same way."""
    answer = lineage(store, name, options=options)
    expected = list(_expected(store, answer))
    ids = sorted({node.entity for node, _ in expected if node.entity is not None})
    current = makers(store, ids, rules=options.rules)
    generators: dict[str, set[str]] = {}
    for edge in answer.edges:
        if edge.relation == "wasGeneratedBy":
            generators.setdefault(edge.source, set()).add(edge.target)
    stated = {
        document[f.ID]: document.get(f.HASH_TYPE)
        for document in (store.read(f.ENTITIES, ids) if ids else ())
    }
    files: list[VerifiedFile] = []
    for node, digest in expected:
        made = generators.get(node.id, set())
        is_current = not made or made == current[node.entity or ""]
        method = None
        if digest is not None:
            method = method_of(digest, stated=stated.get(node.entity or ""))
        status = _TO_READ if is_current else "overwritten"
        files.append(
            VerifiedFile(
                status="not recorded" if method is None else status,
                location=str(node.location),
                level=node.level,
                name=node.name,
                run=node.run,
                subrun=node.subrun,
                method=method,
                recorded=digest,
                is_asked=node.id == answer.start,
            )
        )
    # Two versions of one file, of which nobody recorded the content, are one row.
    files = list(dict.fromkeys(files))
    size_bytes = sum(_size(one.location) for one in files if one.status == _TO_READ)
    return VerifyPlan(name=name, size_bytes=size_bytes, files=tuple(files))


def _expected(
    store: Store, answer: Lineage
) -> Iterator[tuple[LineageNode, str | None]]:
    """Yield each file of a lineage, with each digest that was recorded of it."""
    activities = {
        document[f.ID]: document
        for document in store.read(
            f.ACTIVITIES, [n.id for n in answer.nodes if n.kind == "activity"]
        )
    }
    digests = recorded_contents(
        store,
        answer,
        activities=activities,
        copies=used_copies(store, activities.values()),
    )
    for node in answer.nodes:
        if node.kind != "entity" or not node.location:
            continue
        for digest in digests.get(node.id, (None,)):
            yield node, digest


def _compared(file: VerifiedFile, *, on_read: Callable[[int], None]) -> VerifiedFile:
    status, found = _compare(
        file.location, str(file.recorded), str(file.method), on_read=on_read
    )
    return replace(file, status=status, found=found)


def _compare(
    location: str, digest: str, method: str, *, on_read: Callable[[int], None]
) -> tuple[str, str | None]:
    content = hashlib.new(method, usedforsecurity=False)
    try:
        with Path(location).open("rb") as stream:
            while piece := stream.read(_PIECE_BYTES):
                content.update(piece)
                on_read(len(piece))
    except (FileNotFoundError, NotADirectoryError):
        return "missing", None
    except (OSError, ValueError):  # ValueError: a NUL in the path.
        return "unreadable", None
    found = content.hexdigest()
    if found == digest.lower():
        return "same", found
    is_embedded = f"{method}:{digest.lower()}" in digests_before(Path(location))
    return ("embedded" if is_embedded else "differs"), found


def _size(location: str) -> int:
    try:
        return os.path.getsize(location)
    except (OSError, ValueError):
        return 0


def _order(file: VerifiedFile) -> tuple[int, bool, bool, str, str, str]:
    return (
        STATUSES.index(file.status),
        not file.is_asked,
        file.level is None,
        file.level or "",
        file.location,
        file.recorded or "",
    )
