"""How the tests of readers read: a file or some bytes in, records and problems out."""

from io import BytesIO
from pathlib import Path

from provdb.errors import ReadError
from provdb.lineage import Lineage
from provdb.model import Record
from provdb.readers import Source
from provdb.readers.formats import Format, find_format

__all__ = ["activities_of", "format_of", "read_file", "read_text", "roots_of"]


def read_file(path: Path, as_format: Format | None = None) -> tuple[list[Record], str]:
    """Return the records of a file, and its problems in lines."""
    with path.open("rb") as stream:
        return _read(Source(stream, path=path), as_format)


def read_text(text: str | bytes) -> tuple[list[Record], str]:
    """Return the records of a text that comes from nowhere, and its problems."""
    content = text if isinstance(text, bytes) else text.encode()
    return _read(Source(BytesIO(content)), None)


def format_of(content: bytes, *, path: Path | None = None) -> str | None:
    """Return the name of the format of some bytes that nobody asked for by name."""
    found = find_format(Source(BytesIO(content), path=path), is_named=False)
    return None if found is None else found.name


def roots_of(answer: Lineage) -> set[str | None]:
    """Return the locations of all that a lineage ends at."""
    return {node.location for node in answer.nodes if node.id in answer.roots}


def activities_of(answer: Lineage) -> list[str]:
    """Return the names of all activities of a lineage, sorted."""
    return sorted(node.name or "" for node in answer.nodes if node.kind == "activity")


def _read(source: Source, as_format: Format | None) -> tuple[list[Record], str]:
    problems: list[ReadError] = []
    found = as_format or find_format(source)
    assert found is not None
    records = [record for _, record in found.read(source, problems.append)]
    return records, "\n".join(map(str, problems))
