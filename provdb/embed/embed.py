"""Embed in a file on the disk what the store knows of how it came about."""

import hashlib
import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Protocol

from provdb.capture.hashing import METHODS
from provdb.embed import fits, hdf5
from provdb.embed.content import Content, content_of
from provdb.embed.reading import Reading
from provdb.embed.replace import replacing
from provdb.errors import NotFound, ReadError
from provdb.lineage import LinkRule, find_file
from provdb.model.locations import canonical_location
from provdb.readers import printable
from provdb.readers.embedded import Embedded, product_of
from provdb.readers.lines import reason_of
from provdb.store import Store

__all__ = ["EmbedPlan", "EmbeddedFile", "embed", "plan"]

_METHOD: Final = "sha256"


class Writer(Protocol):
    """What embeds in files of one format."""

    def claims(self, path: Path) -> bool:
        """Say whether a file is in the format."""
        ...

    def read(self, path: Path) -> Embedded | None:
        """Return what is embedded in a file."""
        ...

    def is_up_to_date(self, path: Path, embedded: Embedded, content: Content) -> bool:
        """Say whether it is what is to be embedded."""
        ...

    def write(
        self,
        reading: Reading,
        target: Path,
        content: Content,
        *,
        before: tuple[str, ...],
        creator: str,
        time: datetime,
    ) -> tuple[str, ...]:
        """Write the file anew with it, and return its digests without it."""
        ...


_WRITERS: Final[dict[str, Writer]] = {"hdf5": hdf5, "fits": fits}


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedFile:
    """What became of a file.

    Attributes:
        status: ``embedded``, ``up to date``, or ``to be embedded`` where nothing was
            written.
        file: The file that was written.
        location: Its path in the store.
        format: ``hdf5`` or ``fits``.
        activities: How many activities are behind it.
        files: How many files are behind it.
        size: How many bytes the document has that is embedded.
        warnings: What the reader should know.
    """

    status: str
    file: str
    location: str
    format: str
    activities: int
    files: int
    size: int
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as it stands in JSON."""
        said = {name: getattr(self, name) for name in self.__slots__}
        return {**said, "warnings": list(self.warnings)}


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedPlan:
    """What is to be embedded in a file, before any of it is written.

    Attributes:
        path: The file on the disk.
        format: ``hdf5`` or ``fits``.
        content: What is to be embedded.
        before: Digests that it had before anything was embedded; none if nothing was.
        is_up_to_date: Whether just that is embedded already.
        warnings: What the reader should know.
    """

    path: Path
    format: str
    content: Content
    before: tuple[str, ...]
    is_up_to_date: bool
    warnings: tuple[str, ...] = ()

    def write(
        self,
        output: Path | None = None,
        *,
        on_read: Callable[[int], None] = lambda size_bytes: None,
    ) -> EmbeddedFile:
        """Write the file, whole or not at all, and say what became of it.

        Args:
            output: Another file to write, or None for the file itself.
            on_read: Is told of each piece that was read, how many bytes it has.

        Raises:
            ReadError: The file cannot be read, or nothing can be written there.
        """
        target = self.path if output is None else output
        if self.is_up_to_date and output is None:
            return self.said("up to date", target)
        try:
            with (
                Reading(self.path, methods=self._methods(), on_read=on_read) as reading,
                replacing(target, like=self.path) as unfinished,
            ):
                before = _WRITERS[self.format].write(
                    reading,
                    unfinished,
                    self.content,
                    before=self.before,
                    creator=_creator(),
                    time=datetime.now(UTC),
                )
                reading.finish()
        except OSError as error:
            reason = f"it cannot be written: {error.strerror or error}"
            raise ReadError(printable(str(target)), reason) from error
        return self.said("embedded", target, before=before)

    def said(
        self, status: str, target: Path | None = None, *, before: tuple[str, ...] = ()
    ) -> EmbeddedFile:
        """Return what is said of the file, whatever became of it.

        Args:
            status: As `EmbeddedFile` has it.
            target: What was written, or None for the file itself.
            before: Digests of the file, where they were taken.
        """
        told = {one.partition(":")[2] for one in before}
        warnings = list(self.warnings)
        if told and self.content.digests and told.isdisjoint(self.content.digests):
            warnings.append(
                "its content is not the one that was recorded when it was made"
            )
        return EmbeddedFile(
            status=status,
            file=str(self.path if target is None else target),
            location=self.content.location,
            format=self.format,
            activities=self.content.activities,
            files=self.content.files,
            size=len(self.content.text),
            warnings=tuple(warnings),
        )

    def _methods(self) -> set[str]:
        lengths = {len(digest) for digest in self.content.digests}
        fitting = {
            method
            for method in METHODS
            if 2 * hashlib.new(method).digest_size in lengths
        }
        return {_METHOD, *fitting}


def embed(
    store: Store,
    name: str,
    *,
    output: Path | None = None,
    rules: Collection[LinkRule] | None = None,
) -> EmbeddedFile:
    """Write all that a file came from into the file, and touch none of its data.

    What provdb embedded before is replaced; if nothing changed, nothing is written.
    The store stays as it is.

    Args:
        store: Where the documents are.
        name: The file: its path, or what `find_file` takes, if it is on this disk.
        output: Another file to write, or None for the file itself.
        rules: The link rules that may bridge gaps, or None for those of the store.

    Raises:
        NotFound: The store knows nothing of that name, or not how it came about.
        Ambiguous: Several things have it.
        ReadError: It is not on this disk, it is no HDF5 or FITS file, or it cannot be
            read or written.
        MissingExtra: The library of its format is not installed.
        ExportError: Its provenance is more than a file should carry.
    """
    return plan(store, name, rules=rules).write(output)


def plan(
    store: Store, name: str, *, rules: Collection[LinkRule] | None = None
) -> EmbedPlan:
    """Return what `embed` would write, in the same way."""
    asked, path, warnings = _found(store, name)
    try:
        format_name = _format_of(path)
        links = path.stat().st_nlink
    except OSError as error:
        raise ReadError(printable(str(path)), reason_of(error)) from error
    content = content_of(store, asked, rules=rules)
    if not content.completeness.is_certain:
        warnings.append(content.sentence)
    writer = _WRITERS[format_name]
    embedded = writer.read(path)
    if links > 1:
        warnings.append(
            f"it has {links} names on the disk; under the others it stays as it was"
        )
    return EmbedPlan(
        path=path,
        format=format_name,
        content=content,
        before=() if embedded is None else _before(embedded, content),
        is_up_to_date=embedded is not None
        and writer.is_up_to_date(path, embedded, content),
        warnings=tuple(warnings),
    )


def _before(embedded: Embedded, content: Content) -> tuple[str, ...]:
    """Return the digests of the file without what is embedded, if it tells its own.

    It may tell those of another file, which it was made of by a tool that copies all.
    """
    digests = {one.partition(":")[2] for one in embedded.before}
    is_own = product_of(embedded.text) == product_of(content.text)
    return embedded.before if is_own or digests & content.digests else ()


def _found(store: Store, name: str) -> tuple[str, Path, list[str]]:
    """Return what a file is called in the store, where it is, and what to tell."""
    path = Path(name)
    is_here = path.is_file()
    names = [name, *([os.path.realpath(path), path.name] if is_here else [])]
    for asked in names[:-1]:
        try:
            found = find_file(store, asked)
            break
        except NotFound:
            pass
    else:
        asked = names[-1]
        found = find_file(store, asked)
    if is_here:
        location = canonical_location(found.location or "")
        if location == name or os.path.realpath(location) == os.path.realpath(path):
            return asked, path, []
        place = printable(location or found.entity)
        return asked, path, [f"the store knows it by its name only, as {place}"]
    if found.location is not None and Path(found.location).is_file():
        return asked, Path(found.location), []
    place = f"; in the store it is at {found.location}" if found.location else ""
    raise ReadError(printable(name), f"there is no such file here{printable(place)}")


def _format_of(path: Path) -> str:
    for name, writer in _WRITERS.items():
        if writer.claims(path):
            return name
    raise ReadError(
        printable(str(path)),
        "it is no HDF5 and no FITS file; "
        "'provdb export' writes its provenance beside it",
    )


def _creator() -> str:
    try:
        return f"provdb {version('provdb')}"
    except PackageNotFoundError:  # It runs where it was unpacked.
        return "provdb"
