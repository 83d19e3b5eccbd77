"""The formats that a lineage can be written in, each one row of a table."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import PurePath
from typing import Final

from provdb.errors import MissingExtra, UnknownFormat
from provdb.export.declared import Declared
from provdb.export.details import Details, read_details
from provdb.export.dot import dot
from provdb.export.drawing import draw
from provdb.export.links import LinkTemplate
from provdb.export.mermaid import mermaid
from provdb.export.page import page
from provdb.export.picture import picture, readable
from provdb.export.prov import document_of
from provdb.export.prov_json import prov_json
from provdb.export.ro_crate import METADATA_FILE, ro_crate
from provdb.export.statements import statements_of
from provdb.lineage import Lineage, collapse
from provdb.lineage.traverse import without_collector
from provdb.model.statement import Statement
from provdb.store import Store

__all__ = ["FORMATS", "Export", "Format", "export", "format_of", "get_format"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What is to be written.

    Attributes:
        lineage: The nodes and edges.
        store: The store that they are from, for what else is known of them.
        link: Where the data of a file is, for what has links.
        definition: What is declared of the steps, for documents of PROV, or None.
    """

    lineage: Lineage
    store: Store
    link: LinkTemplate = field(default_factory=LinkTemplate)
    definition: Declared | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format.

    Attributes:
        name: What it is called, such as ``prov-json``.
        endings: How the names of its files end, in small letters.
        write: Gives the content of the file.
        is_binary: Whether the file is none that a terminal can show.
        is_drawn: Whether it is a graph to look at, collapsed where it is large.
    """

    name: str
    endings: tuple[str, ...]
    write: Callable[[Export], bytes]
    is_binary: bool = False
    is_drawn: bool = False


def export(
    lineage: Lineage,
    store: Store,
    *,
    format_name: str,
    granularity: str | None = None,
    link_template: str | None = None,
    definition: Declared | None = None,
) -> bytes:
    """Return a lineage as the content of a file.

    Args:
        lineage: An answer of lineage or impact; also one that is collapsed.
        store: The store that gave it.
        format_name: The name of a format of `FORMATS`.
        granularity: ``none``, ``activity`` or ``run``, as `collapse` takes it. Unless
            told the lineage stays as it is, but for a graph of more than `MOST_BOXES`
            nodes, which is collapsed.
        link_template: Where the data of a file is, as `LinkTemplate` takes it.
        definition: What is declared of the steps, as `prov_document` takes it.

    Raises:
        UnknownFormat: There is no format of that name.
        MissingExtra: The format needs a library that is not installed.
        QueryError: There is no such granularity.
        WrongTemplate: The link template has an unknown field.
    """
    written = get_format(format_name)
    link = LinkTemplate() if link_template is None else LinkTemplate(link_template)
    with without_collector():
        if granularity is not None:
            lineage = collapse(lineage, to=granularity)
        elif written.is_drawn:
            lineage = readable(lineage)
        return written.write(
            Export(lineage=lineage, store=store, link=link, definition=definition)
        )


def get_format(name: str) -> Format:
    """Return the format that has a name.

    Raises:
        UnknownFormat: There is none.

    >>> get_format("prov-json").endings
    ('.json', '.provjson')
    """
    if name not in FORMATS:
        raise UnknownFormat(name, known=list(FORMATS))
    return FORMATS[name]


def format_of(path: PurePath) -> Format:
    """Return the format that the name of a file calls for, by its ending.

    Raises:
        UnknownFormat: It calls for none.

    >>> from pathlib import PurePath
    >>> format_of(PurePath("lineage.ttl")).name
    'turtle'
    """
    name = path.name.lower()
    endings = {
        ending: format_ for format_ in FORMATS.values() for ending in format_.endings
    }
    fitting = [ending for ending in endings if name.endswith(ending)]
    if not fitting:
        raise UnknownFormat(path.suffix or path.name, known=list(endings))
    return endings[max(fitting, key=len)]


def _dot(asked: Export) -> str:
    return dot(picture(asked.lineage, link=asked.link))


def _drawn(format_name: str) -> Callable[[Export], bytes]:
    """Return what writes a format that Graphviz draws."""
    return lambda asked: draw(_dot(asked), format_name)


def _mermaid(asked: Export) -> bytes:
    return mermaid(picture(asked.lineage, link=asked.link)).encode()


def _page(asked: Export) -> bytes:
    opened = asked.lineage.opened or asked.lineage
    details = read_details(opened, asked.store)
    return page(asked.lineage, link=asked.link, details=details).encode()


def _prov_json(asked: Export) -> bytes:
    return prov_json(_statements(asked))


def _prov(
    library_format: str, needs: str | None = None, **options: str
) -> Callable[[Export], bytes]:
    """Return what writes a format that the library of PROV has.

    Args:
        library_format: Its name in the library.
        needs: A library that must be installed for it.
        **options: What else the library is told.
    """

    def write(asked: Export) -> bytes:
        if needs is not None:
            _require(needs)
        stream = BytesIO()
        with warnings.catch_warnings():
            # The libraries warn of each other, and of names that are theirs to write.
            warnings.simplefilter("ignore")
            document = document_of(_statements(asked))
            document.serialize(stream, format=library_format, **options)
        content = stream.getvalue()
        return content if content.endswith(b"\n") else content + b"\n"

    return write


def _ro_crate(asked: Export) -> bytes:
    return ro_crate(asked.lineage, _details(asked))


def _statements(asked: Export) -> Iterator[Statement]:
    return statements_of(asked.lineage, _details(asked), definition=asked.definition)


def _details(asked: Export) -> Details:
    return read_details(asked.lineage, asked.store)


def _require(library: str) -> None:
    from importlib.util import find_spec

    if find_spec(library) is None:
        raise MissingExtra(library, extra="formats")


FORMATS: Final = {
    format_.name: format_
    for format_ in (
        Format(name="prov-json", endings=(".json", ".provjson"), write=_prov_json),
        Format(name="prov-n", endings=(".provn",), write=_prov("provn")),
        Format(
            name="prov-xml",
            endings=(".xml", ".provx"),
            write=_prov("xml", needs="lxml"),
        ),
        Format(
            name="turtle",
            endings=(".ttl",),
            write=_prov("rdf", needs="rdflib", rdf_format="turtle"),
        ),
        Format(name="prov-jsonld", endings=(".jsonld",), write=_prov("jsonld")),
        Format(name="ro-crate", endings=(METADATA_FILE,), write=_ro_crate),
        Format(
            name="dot",
            endings=(".dot", ".gv"),
            write=lambda asked: _dot(asked).encode(),
            is_drawn=True,
        ),
        Format(
            name="mermaid", endings=(".mmd", ".mermaid"), write=_mermaid, is_drawn=True
        ),
        Format(name="svg", endings=(".svg",), write=_drawn("svg"), is_drawn=True),
        Format(
            name="pdf",
            endings=(".pdf",),
            write=_drawn("pdf"),
            is_binary=True,
            is_drawn=True,
        ),
        Format(
            name="png",
            endings=(".png",),
            write=_drawn("png"),
            is_binary=True,
            is_drawn=True,
        ),
        Format(name="html", endings=(".html", ".htm"), write=_page, is_drawn=True),
    )
}
