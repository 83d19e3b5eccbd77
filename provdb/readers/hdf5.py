"""Read what HDF5 files of lstchain and ctapipe say of themselves, and no data.

That is: the attributes of the file, with the versions and the contact, or the reference
metadata of CTAO; the attributes of each table, with the configuration of the step that
made it; the names of the files that were merged; the activity that lstchain keeps below
``/provenance``, and beside it what `provdb embed` wrote there. A table that was copied
from another file keeps the attributes of the step that made it, so they are told table
by table.

Only what lies in the file itself is read: no link to another file is followed, and no
data set whose values are somewhere else.
"""

import json
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from os import path as paths
from typing import Any, Final

import orjson

from provdb.errors import ReadError, RecordError
from provdb.model import Record, encode, location_id
from provdb.model.locations import canonical_location
from provdb.model.values import canonical
from provdb.readers.ctapipe import activity_records
from provdb.readers.embedded import HDF5_NAME, Embedded, embedded_records
from provdb.readers.embedded_hdf5 import embedded_in, h5py_library
from provdb.readers.literal import parse_literal
from provdb.readers.pickles import read_pickle
from provdb.readers.reference_meta import is_made_up, product_level, product_records
from provdb.readers.source import Source
from provdb.secrets.copies import LARGEST_BYTES, content_record

__all__ = ["claims", "read_file"]

_MAGIC: Final = b"\x89HDF\r\n\x1a\n"
# Before it there may be something of somebody else.
_PLACES: Final = (0, 512, 1024, 2048, 4096, 8192)
_MOST_OBJECTS: Final = 20_000
_MOST_ATTRIBUTES: Final = 2000
_LARGEST_ATTRIBUTE: Final = LARGEST_BYTES
_LARGEST_DATASET: Final = 16 * 2**20
_MOST_ITEMS: Final = 100_000
_CTA: Final = "CTA "
_CONFIG: Final = "config"
_PROVENANCE: Final = "provenance/"
_SOURCES: Final = "source_filenames/filenames"
# Where lstchain kept the same names before: as text, which HDF5 crops.
_SOURCES_TEXT: Final = "SOURCE_FILENAMES"
_QUOTED: Final = re.compile(r"""'([^'\\\n]+)'|"([^"\\\n]+)"|V([^\n]+)\n""")
# How a list begins as a literal, and as a pickle.
_LISTED: Final = re.compile(r"\s*[\[({]|\x80")
_SEPARATOR: Final = re.compile(r"[,\n]\s*")
# What PyTables keeps for itself.
_OF_PYTABLES: Final = ("CLASS", "TITLE", "VERSION", "FILTERS", "FLAVOR", "NROWS")
# Of a table all that is not about its columns.
_OF_STEP: Final = re.compile(
    r"(?:.+_VERSION|CONTACT|config|CTA .+|SOFT_VER|TAB_VER|TAB_TYPE|ORIGIN|CREATOR"
    r"|CREATED|AUTHOR|DATE|HISTORY|SOURCE_FILENAMES)"
)
OnProblem = Callable[[ReadError], None]


def claims(source: Source) -> bool:
    """Say whether the first bytes are those of an HDF5 file."""
    first = source.first_bytes()
    return any(first.startswith(_MAGIC, place) for place in _PLACES)


def read_file(
    source: Source, on_problem: OnProblem
) -> Iterator[tuple[int | None, Record]]:
    """Yield the records of an HDF5 file.

    Args:
        source: The file.
        on_problem: Is told of each part that cannot be read.

    Raises:
        ReadError: It is no whole HDF5 file.
        MissingExtra: h5py is not installed.
    """
    h5py = h5py_library()
    location = source.location()
    told = _Told(source.name, on_problem)
    try:
        # Nobody else is kept from the file, and no lock is needed to read it.
        with h5py.File(location, "r", locking=False) as file:
            _Contents(h5py, file.id, told).read()
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise ReadError(source.name, f"it is no whole HDF5 file: {error}") from error
    yield from ((None, record) for record in told.records(location))


class _Told:
    """What the parts of a file say, gathered."""

    def __init__(self, name: str, on_problem: OnProblem) -> None:
        self.attributes: Record = {}
        self.reference_meta: Record = {}
        self.tables: dict[bytes, tuple[list[str], Record]] = {}
        self.contents: dict[str, Record] = {}
        self.activities: list[Mapping[str, Any]] = []
        self.sources: list[str] = []
        self.older_sources: list[str] = []
        # Whether names of merged files are known to be missing.
        self.is_cut = False
        self.is_older_cut = False
        self.embedded: Embedded | None = None
        self._name = name
        self._on_problem = on_problem

    def problem(self, place: str, reason: str) -> None:
        self._on_problem(ReadError(self._name, f"{place}: {reason}"))

    def take_root(self, attributes: Record) -> None:
        for name, value in attributes.items():
            if name == _SOURCES_TEXT:
                self._take_older_sources(value)
                continue
            of_product = self.reference_meta if name.startswith(_CTA) else None
            (self.attributes if of_product is None else of_product)[name] = value

    def _take_older_sources(self, value: Any) -> None:
        """Take the names of merged files that an attribute holds."""
        names, is_whole = _names_in(value)
        self.older_sources += names
        self.is_older_cut = not is_whole

    def take_table(self, place: str, attributes: Record) -> None:
        """Take what a table says; tables that say the same are told together."""
        said = dict(attributes)
        config = said.pop(_CONFIG, None)
        if config is not None:
            said |= self._configuration(place, config)
        try:
            key = canonical(encode(said))
        except RecordError as error:
            self.problem(place, error.reason)
            return
        self.tables.setdefault(key, ([], said))[0].append(place)

    def records(self, location: str) -> Iterator[Record]:
        """Yield what the file says, under the path that it lies at."""
        entity: Record = {
            "entity_id": location_id(location),
            "filepath": location,
            "type": "File",
            "contentType": "application/x-hdf",
        }
        said: Record = {}
        if self.attributes:
            said["attributes"] = self.attributes
        if not is_made_up(self.reference_meta):
            level = product_level(self.reference_meta)
            said |= {} if level is None else {"name": level}
            said["reference_meta"] = self.reference_meta
        if self.tables:
            said["tables"] = [
                {"tables": places, **attributes}
                for places, attributes in self.tables.values()
            ]
        names, is_cut = self._source_names()
        if names:
            said["source_filenames"] = names
        if is_cut:
            said["source_filenames_cut_off"] = True
        if said:
            yield entity | said
        yield from self.contents.values()
        if "reference_meta" in said:
            yield from product_records(self.reference_meta, location)
        for activity in self.activities:
            try:
                yield from activity_records(activity)
                yield from _generation(activity, location)
            except ValueError as error:
                self.problem(f"/{_PROVENANCE}", str(error))
        yield from _parts(names, location, is_cut=is_cut)
        if self.embedded is not None:
            yield from embedded_records(
                self.embedded,
                location=location,
                file_size=paths.getsize(location),
                source=self._name,
                on_problem=self._on_problem,
            )

    def _source_names(self) -> tuple[list[str], bool]:
        """Return the names of the merged files, and whether some are missing."""
        if self.sources:
            return self.sources, self.is_cut
        names, is_cut = self.older_sources, self.is_cut or self.is_older_cut
        if self.is_older_cut:
            reason = f"names are cut off; {len(names)} names of files are whole"
            self.problem(f"/: {_SOURCES_TEXT}", reason)
        return names, is_cut

    def _configuration(self, place: str, config: Any) -> Record:
        """Return what is said of a configuration, whose content is kept once."""
        text = config if isinstance(config, str) else repr(config)
        try:
            record, encoding = _content_of(text)
        except (ValueError, RecordError) as error:
            self.problem(f"{place}: {_CONFIG}", str(error))
            return {"config_left_out": str(error)}
        self.contents[record["file_id"]] = record
        return {"config": record["file_id"], "config_encoding": encoding}


class _Contents:
    """A file that is open, and what of it is looked at."""

    def __init__(self, h5py: Any, file: Any, told: _Told) -> None:
        self._h5py = h5py
        self._file = file
        self._told = told
        self._count = 0

    def read(self) -> None:
        h5py = self._h5py
        root = h5py.h5o.open(self._file, b"/")
        attributes = self._attributes(root, "/", lambda n: n not in _OF_PYTABLES)
        self._told.take_root(attributes)
        # Each object once, whatever cycles its links make, and none of another file.
        names: list[bytes] = []

        def take(name: bytes) -> bool | None:
            names.append(name)
            return True if len(names) > _MOST_OBJECTS else None

        h5py.h5o.visit(root, take)
        if len(names) > _MOST_OBJECTS:
            self._told.problem("/", f"only {_MOST_OBJECTS} of its objects were read")
        for name in names:
            self._read_object(root, name)

    def _read_object(self, root: Any, name: bytes) -> None:
        place = name.decode("utf-8", "backslashreplace")
        try:
            if place == HDF5_NAME:
                self._told.embedded = embedded_in(self._h5py, root)
                return
            opened = self._h5py.h5o.open(root, name)
            attributes = self._attributes(opened, f"/{place}", _OF_STEP.fullmatch)
            if attributes:
                self._told.take_table(f"/{place}", attributes)
            if isinstance(opened, self._h5py.h5d.DatasetID):
                self._read_dataset(opened, place)
        except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
            self._told.problem(f"/{place}", f"it cannot be read: {error}")

    def _read_dataset(self, dataset: Any, place: str) -> None:
        if place == _SOURCES:
            # Until they are read.
            self._told.is_cut = True
            names = self._values(dataset)
            self._told.is_cut = False
            self._told.sources += [str(name) for name in names if name]
        elif place.startswith(_PROVENANCE):
            for text in self._values(dataset):
                activity = orjson.loads(text) if isinstance(text, str) else None
                self._told.activities.append(_mapping(activity))

    def _values(self, dataset: Any) -> list[Any]:
        """Return the values of a small data set that lie in the file itself."""
        properties = dataset.get_create_plist()
        is_elsewhere = properties.get_external_count() > 0
        if is_elsewhere or properties.get_layout() == self._h5py.h5d.VIRTUAL:
            raise ValueError("its values lie in another file, which is not read")
        count = dataset.get_space().get_simple_extent_npoints()
        size = count * dataset.get_type().get_size()
        if count > _MOST_ITEMS or size > _LARGEST_DATASET:
            raise ValueError(f"it has {size} bytes, which is too much for provenance")
        value = self._h5py.Dataset(dataset)[()]
        listed = value.ravel().tolist() if hasattr(value, "ravel") else [value]
        return [_plain(item) for item in listed]

    def _attributes(
        self, opened: Any, place: str, is_wanted: Callable[[str], object]
    ) -> Record:
        names: list[bytes] = []

        def take(name: bytes) -> bool | None:
            names.append(name)
            return True if len(names) > _MOST_ATTRIBUTES else None

        self._h5py.h5a.iterate(opened, take)
        found: Record = {}
        for name in names[:_MOST_ATTRIBUTES]:
            text = name.decode("utf-8", "backslashreplace")
            if not is_wanted(text):
                continue
            try:
                found[text] = self._attribute(opened, name)
            except (OSError, RuntimeError, ValueError, TypeError) as error:
                self._told.problem(f"{place}: {text}", f"it cannot be read: {error}")
                self._told.is_older_cut |= (place, text) == ("/", _SOURCES_TEXT)
        return found

    def _attribute(self, opened: Any, name: bytes) -> Any:
        attribute = self._h5py.h5a.open(opened, name)
        space = attribute.get_space()
        if space.get_simple_extent_type() == self._h5py.h5s.NULL:
            return ""  # So PyTables writes an empty text.
        if attribute.get_storage_size() > _LARGEST_ATTRIBUTE:
            raise ValueError(f"it has {attribute.get_storage_size()} bytes")
        kind = attribute.get_type()
        is_text = isinstance(kind, self._h5py.h5t.TypeStringID)
        if is_text and attribute.shape == () and not kind.is_variable_str():
            return self._text(attribute, kind)
        value = self._h5py.AttributeManager(_Opened(opened))[name]
        return _plain(value)

    def _text(self, attribute: Any, kind: Any) -> str:
        import numpy

        value = numpy.empty((), dtype=f"S{kind.get_size()}")
        attribute.read(value, mtype=kind)
        content: bytes = value.item()
        return content.decode("utf-8", "backslashreplace")


class _Opened:
    """What an attribute manager of h5py needs to know of an object."""

    def __init__(self, id_: Any) -> None:
        self.id = id_


# All files of a night have the same few, and a pickle takes milliseconds.
@lru_cache(maxsize=16)
def _content_of(text: str) -> tuple[Record, str]:
    """Return the record that holds a configuration, and how it was written.

    However it was written, the same values make the same content: canonical JSON.

    Raises:
        ValueError: It cannot be read.
        RecordError: It holds what cannot be stored.
    """
    value, encoding = _decoded(text)
    content = canonical(encode(value))
    if len(content) > LARGEST_BYTES:
        raise ValueError("it is larger than 1 MiB")
    return content_record(content), encoding


def _decoded(text: str) -> tuple[Any, str]:
    """Return a configuration and how it was written, of the three ways of lstchain.

    Raises:
        ValueError: It is written in none of them.
    """
    try:
        # Not by orjson, for Python writes numbers that JSON has not, such as Infinity.
        return json.loads(text), "json"
    except json.JSONDecodeError:
        pass
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not text.endswith("."):  # As every pickle does, and no literal.
        return parse_literal(text), "python"
    return read_pickle(text.encode("latin-1", "backslashreplace")), "pickle"


def _generation(activity: Mapping[str, Any], location: str) -> Iterator[Record]:
    """Yield that the activity generated the file in which it is told, where it lies."""
    name = posixpath.basename(location)
    for entry in reversed(activity.get("output") or ()):
        url = entry.get("url") if isinstance(entry, Mapping) else None
        if isinstance(url, str) and url != location and posixpath.basename(url) == name:
            moved = {**activity, "output": [{**entry, "url": location}], "input": []}
            yield from (
                record
                for record in activity_records(moved)
                if "generated_id" in record or "entity_id" in record
            )
            return


def _parts(names: Iterable[str], location: str, *, is_cut: bool) -> Iterator[Record]:
    """Yield the files that were merged into a file as its members.

    A single name is that of the file that a step of lstchain read: a progenitor.
    Where names are cut off, a member that nothing describes stands for the others.
    """
    this = {"entity_id": location_id(location)}
    places = dict.fromkeys(_place(name, location) for name in names)
    places.pop(location, None)
    is_merged = is_cut or len(places) > 1
    for place in places:
        id_ = location_id(place)
        yield {"entity_id": id_, "filepath": place, "type": "File"}
        yield {**this, "member_id" if is_merged else "progenitor_id": id_}
    if is_cut:
        yield {**this, "member_id": f"names are cut off: {location}"}


def _place(name: str, location: str) -> str:
    """Return where a file lies that another one names.

    The folder that a name is relative to is not known, unless it is that of the file.
    """
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(location), name))
    is_known = name.startswith("/") or paths.exists(beside)
    return beside if is_known else canonical_location(name)


def _names_in(value: Any) -> tuple[list[str], bool]:
    """Return the names that an attribute holds, and whether these are all."""
    if isinstance(value, str):
        try:
            value = _decoded(value)[0]
        except ValueError:
            if not _LISTED.match(value):
                return [name for name in _SEPARATOR.split(value) if name], True
            found = [next(filter(None, parts)) for parts in _QUOTED.findall(value)]
            return found, False
    listed = value if isinstance(value, list | tuple | set) else [value]
    return [name for name in listed if isinstance(name, str) and name], True


def _plain(value: Any) -> Any:
    """Return a value of h5py as a Python literal."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return _plain(value)
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
