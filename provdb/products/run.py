"""The products of a run, as lstosa's users know them: log, PROV-JSON, graph, files."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from provdb.errors import NotFound, ReadError
from provdb.export.details import read_details
from provdb.export.lstosa_document import lstosa_json
from provdb.export.lstosa_records import RunProvenance, run_provenance
from provdb.lineage import (
    VIEWS,
    Lineage,
    LinkRule,
    View,
    collapse,
    get_view,
    run_lineage,
    view,
)
from provdb.lineage.telescopes import of_telescope, telescopes_of_run
from provdb.model.names import telescope_name
from provdb.products.configuration import UsedFile, has_secrets, used_files
from provdb.products.folder import Folder
from provdb.store import Store

__all__ = ["Product", "parse_run", "write_products"]

_RUN: Final = re.compile(r"(?:run_?)?(\d{1,9})", re.IGNORECASE)
# What is written unless told: the second name for runs without the first, and so on.
_USUAL: Final = (
    (("calibration_to_dl1", "r0_to_dl1"), ("calibration_to_dl2", "dl1_to_dl2")),
    (("calibration", "calibration"),),
    (("all", "all"),),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A file that was written.

    Attributes:
        path: The file.
        kind: ``log``, ``json``, ``pdf`` or ``configuration``.
        source: What it is from: ``provenance``, the ``store`` or the ``disk``;
            ``unchanged`` for what was there already.
        location: Of a configuration file, where it was used.
    """

    path: Path
    kind: str
    source: str
    location: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the file as it stands in JSON."""
        return {
            "path": str(self.path),
            "kind": self.kind,
            "source": self.source,
            "location": self.location,
        }


def parse_run(text: str) -> int:
    """Return the number of a run as people write it.

    Raises:
        NotFound: It is no number of a run.

    >>> parse_run("01807"), parse_run("1807"), parse_run("Run01807")
    (1807, 1807, 1807)
    """
    found = _RUN.fullmatch(text.strip())
    if found is None or not found[1].isascii():
        raise NotFound(text, message=f"{text} is no run such as 01807")
    return int(found[1])


def write_products(
    store: Store,
    run: int,
    folder: Path,
    *,
    views: Sequence[str] = (),
    among: Sequence[View] = VIEWS,
    rules: Collection[LinkRule] | None = None,
    has_graphs: bool = True,
    telescope: str | None = None,
    as_of: datetime | None = None,
    on_problem: Callable[[str], None],
    on_answer: Callable[[Lineage], None] = lambda _: None,
) -> list[Product]:
    """Write the products of a run: ``VIEW_RUN_prov.log``, ``.json`` and ``.pdf``.

    Where several telescopes have a run of this number, each has products of its own:
    ``VIEW_LST-2_RUN_prov.log``.

    Beside them stand the configuration files that its steps used: from the store by
    their content, where a copy is stored, else from where they were. None takes the
    place of a file with another content. Nothing is written unless all is known.

    Args:
        store: Where the documents are.
        run: Number of the run.
        folder: Where to write, made if it is not there.
        views: Names of views; unless told ``calibration_to_dl1`` and
            ``calibration_to_dl2``, as far as the run has come.
        among: The views that there are.
        rules: The link rules that may bridge gaps, or None for those of the store.
        has_graphs: Whether to draw the graphs, too.
        telescope: The telescope of which products are written; unless told, of all.
        as_of: Write what the run had come to by then, as after an earlier pass, or None
            for now.
        on_problem: Is told what is missing, a sentence each.
        on_answer: Is given the lineage of the run that the products show.

    Raises:
        NotFound: Nothing is known of the run, of the telescope, or of a step of a
            view.
        QueryError: There is no such view.
        MissingExtra: What draws the graphs is not installed.
        ReadError: The folder cannot be written into.

    >>> import provdb
    >>> from tempfile import TemporaryDirectory
    >>> from provdb.store import open_store
    >>> store = open_store("memory://")
    >>> records = provdb.store_demo(store)
    >>> with TemporaryDirectory() as folder:
    ...     written = write_products(store, 1807, Path(folder), views=["r0_to_dl1"],
    ...         has_graphs=False, on_problem=lambda problem: None)
    >>> [one.path.name for one in written if one.source == "provenance"]
    ['r0_to_dl1_01807_prov.json', 'r0_to_dl1_01807_prov.log']
    """
    for name in views:
        get_view(name, among=among)
    whole = run_lineage(store, run, rules=rules, as_of=as_of)
    on_answer(whole)
    contents: list[tuple[str, str, bytes]] = []
    files: dict[UsedFile, None] = {}
    problems: dict[str, None] = {}
    # Graphviz works in processes of its own, while the rest is written.
    with ThreadPoolExecutor() as drawing:
        graphs = []
        for told, answer in _by_telescope(whole, run, telescope):
            parts = {
                name: _part(answer, name, run=run, among=among)
                for name in views or _usual(answer, run=run, among=among)
            }
            details = read_details(answer, store)
            used, missing = used_files(_union(answer, parts.values()), details, store)
            files |= dict.fromkeys(used)
            problems |= dict.fromkeys(missing)
            for name, part in parts.items():
                collapsed = collapse(part, to="run")
                stem = f"{name}_{told}{run:05d}_prov"
                if has_graphs:
                    title = f"Run {run:05d}{told and f' of {told[:-1]}'}: {name}"
                    graphs.append((stem, drawing.submit(_graph, collapsed, title)))
                provenance = run_provenance(collapsed, details, run=run)
                contents += [
                    (kind, f"{stem}.{kind}", content)
                    for kind, content in _texts(provenance)
                ]
        contents += [("pdf", f"{stem}.pdf", graph.result()) for stem, graph in graphs]
    target = Folder(folder)
    written = [
        Product(path=target.write(name, content), kind=kind, source="provenance")
        for kind, name, content in sorted(contents, key=lambda one: one[1])
    ]
    for problem in problems:
        on_problem(problem)
    for file in files:
        try:
            written.append(_add(target, file))
        except ReadError as error:
            if file.content is not None:
                raise
            on_problem(str(error))
    return written


def _by_telescope(
    whole: Lineage, run: int, telescope: str | None
) -> list[tuple[str, Lineage]]:
    """Return the answer of each telescope, and what names of files say of it.

    Raises:
        NotFound: The telescope has no such run.
    """
    known = telescopes_of_run(whole, run)
    chosen = known if telescope is None else [telescope_name(telescope)]
    if telescope is not None and chosen[0] not in known:
        raise NotFound(
            telescope,
            message=f"no step of run {run:05d} names the telescope {chosen[0]}; "
            f"known are {', '.join(known) or 'none'}",
        )
    if len(known) < 2:
        return [("", whole)]
    return [(f"{name}_", of_telescope(whole, run, name)) for name in chosen]


def _usual(whole: Lineage, *, run: int, among: Sequence[View]) -> list[str]:
    """Return the views of a run as far as it has come."""
    steps = [n.name for n in whole.nodes if n.kind == "activity" and n.run == run]
    for alternatives in _USUAL:
        names = [
            name
            for name, decisive in alternatives
            if any(map(get_view(decisive, among=among).shows, steps))
        ]
        if names:
            return names
    return []


def _part(whole: Lineage, name: str, *, run: int, among: Sequence[View]) -> Lineage:
    try:
        return view(whole, name, among=among)
    except NotFound as error:
        raise NotFound(
            name, message=f"run {run:05d} has no step of the view {name}"
        ) from error


def _union(whole: Lineage, parts: Iterable[Lineage]) -> Lineage:
    """Return the lineage of all that any part shows."""
    parts = list(parts)
    nodes = {node.id: node for part in parts for node in part.nodes}
    edges = {edge: None for part in parts for edge in part.edges}
    return replace(whole, nodes=tuple(nodes.values()), edges=tuple(edges))


def _texts(provenance: RunProvenance) -> Iterator[tuple[str, bytes]]:
    """Yield the log, one dictionary a line, and the document of PROV-JSON."""
    yield "log", "".join(f"{record}\n" for record in provenance.records()).encode()
    yield "json", lstosa_json(provenance)


def _graph(lineage: Lineage, title: str) -> bytes:
    from provdb.export.dot import dot
    from provdb.export.drawing import draw
    from provdb.export.picture import picture

    drawn = picture(lineage)
    # Nothing in it was asked for: all of it is.
    boxes = tuple(box._replace(is_asked=False) for box in drawn.boxes)
    legend = tuple(entry for entry in drawn.legend if entry.key != "asked")
    drawn = replace(drawn, title=title, boxes=boxes, legend=legend)
    return draw(dot(drawn), "pdf")


def _add(folder: Folder, file: UsedFile) -> Product:
    if file.content is not None:
        path, is_known = folder.add(file.name, file.content)
        source = "store"
    else:
        path, is_known = folder.add(file.name, _on_disk(file.location))
        source = "disk"
    return Product(
        path=path,
        kind="configuration",
        source="unchanged" if is_known else source,
        location=file.location,
    )


def _on_disk(location: str) -> Path:
    """Return a file that may be copied.

    Raises:
        ReadError: It is not there, or holds secrets.
    """
    path = Path(location)
    try:
        if not path.is_file():
            raise ReadError(location, "it is not copied, for it is not there any more")
        if has_secrets(path):
            raise ReadError(location, "it is not copied, for it holds secrets")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path.
        reason = getattr(error, "strerror", None) or error
        raise ReadError(location, f"it is not copied: {reason}") from error
    return path
