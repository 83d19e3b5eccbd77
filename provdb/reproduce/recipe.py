"""Find the commands that made a file, what they need, and the recorded contents."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import PurePath
from typing import Any, Final

from provdb.capture.hashing import method_of
from provdb.files import used_copies
from provdb.lineage import Lineage, LineageNode, WalkOptions, lineage
from provdb.lineage.components import ranks
from provdb.model import Document, decode, session_key
from provdb.model import fields as f
from provdb.recorded_contents import recorded_contents
from provdb.reproduce.script import DIGEST_COMMANDS, Command, Digest, Recipe
from provdb.store import Store

__all__ = ["recipe"]

_EVERYTHING: Final = WalkOptions()
_CONFIG_FILE: Final = "config_file"
_PYTHON: Final = ".py"
# First arguments of a Python that was given its program in another way than a file.
_NO_SCRIPT: Final = ("", "-", "-c", "-m")
_KERNELS: Final = ("ipykernel_launcher.py", "colab_kernel_launcher.py")


def recipe(store: Store, name: str, *, options: WalkOptions = _EVERYTHING) -> Recipe:
    """Return the commands that made a file, and what they need.

    Several steps of one execution of a script are one command, in the order of what
    they used and generated. Secrets were masked when they were recorded; where, the
    script says.

    Args:
        store: Where the documents are.
        name: The file, as `find_name` takes it.
        options: How far back to go, and through what.

    Raises:
        NotFound: Nothing has that name.
        Ambiguous: Several things have it.

    >>> from provdb.model import fold
    >>> from provdb.store import open_store
    >>> step = {"activity_id": "621ca2", "session_tag": "r0_to_dl1:01618"}
    >>> store = open_store("memory://")
    >>> counts = store.write(fold([
    ...     {"entity_id": "446f45", "filepath": "/R0/LST-1.1.Run01618.0008.fits.fz"},
    ...     {"entity_id": "6d2362", "filepath": "/DL1/dl1_LST-1.Run01618.0008.h5"},
    ...     {**step, "name": "r0_to_dl1", "in_session": 1},
    ...     {"session_id": 1, "session_tag": "r0_to_dl1:01618",
    ...      "system": {"arguments": ["datasequence", "01618.0008", "LST1"]}},
    ...     {**step, "used_id": "446f45"}, {**step, "generated_id": "6d2362"}]))
    >>> found = recipe(store, "dl1_LST-1.Run01618.0008.h5")
    >>> found.commands[0].words, found.needed
    (('datasequence', '01618.0008', 'LST1'), ('/R0/LST-1.1.Run01618.0008.fits.fz',))
    """
    answer = lineage(store, name, options=options)
    nodes = {node.id: node for node in answer.nodes}
    documents = {
        document[f.ID]: document
        for document in store.read(
            f.ACTIVITIES, [n.id for n in answer.nodes if n.kind == "activity"]
        )
    }
    interpreters = _interpreters(store, documents.values())
    together: dict[tuple[Any, ...], list[LineageNode]] = {}
    unknown: list[LineageNode] = []
    for node in _in_order(answer):
        key = _command(documents[node.id], interpreters)
        if key is None:
            unknown.append(node)
        else:
            together.setdefault(key, []).append(node)
    copies = used_copies(store, documents.values())
    contents = recorded_contents(store, answer, activities=documents, copies=copies)
    used = {
        node.location: node
        for edge in answer.edges
        if edge.relation == "used" and (node := nodes[edge.target]).location is not None
    }
    config_files = _config_files(store, documents)
    configured = sorted((used.keys() | config_files) & copies.keys())
    needed = sorted((_roots(answer) | config_files) - copies.keys())
    of_inputs = _digests_of_roots(store, answer, contents)
    result = _digests(store, nodes.get(answer.start), contents)
    return Recipe(
        name=name,
        commands=tuple(
            Command(words=words, folder=folder, steps=tuple(steps))
            for (words, folder), steps in together.items()
        ),
        unknown=tuple(unknown),
        needed=tuple(needed),
        copies={
            place: next(iter(copies[place]))
            for place in configured
            if len(copies[place]) == 1
        },
        contested=(
            *(place for place in configured if len(copies[place]) > 1),
            *(place for place in needed if _is_contested(of_inputs.get(place, ()))),
        ),
        warnings=answer.warnings,
        contents={
            place: min(digests, key=_order_of_digest)
            for place in needed
            if (digests := of_inputs.get(place)) and not _is_contested(digests)
        },
        location=nodes[answer.start].location if answer.start in nodes else None,
        result=(
            min(result, key=_order_of_digest)
            if result and not _is_contested(result)
            else None
        ),
        reason=_reason(answer, unknown),
    )


def _reason(answer: Lineage, unknown: Collection[LineageNode]) -> str | None:
    """Return why no command makes what was asked for, or None if one does."""
    nodes = {node.id: node for node in answer.nodes}
    if answer.start not in nodes:
        return None
    asked = nodes[answer.start]
    place = asked.location or asked.id
    makers = {
        edge.target
        for edge in answer.edges
        if edge.source == answer.start and edge.relation == "wasGeneratedBy"
    }
    without = {node.id: node.name or "a step" for node in unknown if node.id in makers}
    if makers - without.keys():
        return None
    if makers:
        names = " and ".join(sorted(set(without.values())))
        return f"no command makes {place}: none was recorded of {names}, which wrote it"
    sources = sorted(
        str(nodes[edge.target].location or edge.target)
        for edge in answer.edges
        if edge.source == answer.start
    )
    reason = f"no command makes {place}: no step is known to have written it"
    return f"{reason}; it comes from {sources[0]}" if sources else reason


def _digests_of_roots(
    store: Store, answer: Lineage, contents: Mapping[str, Collection[str]]
) -> dict[str, set[Digest]]:
    """Return the digests that were recorded of files that nothing makes, by place."""
    roots = set(answer.roots)
    digests: dict[str, set[Digest]] = {}
    for node in answer.nodes:
        if node.id in roots and node.location is not None:
            found = _digests(store, node, contents)
            digests.setdefault(node.location, set()).update(found)
    return digests


def _digests(
    store: Store, node: LineageNode | None, contents: Mapping[str, Collection[str]]
) -> set[Digest]:
    """Return the digests of a node that a command can compare."""
    recorded = () if node is None else contents.get(node.id, ())
    if node is None or not recorded:
        return set()
    (entity,) = store.read(f.ENTITIES, [node.entity or node.id]) or [{}]
    stated = entity.get(f.HASH_TYPE)
    methods = {value: method_of(value, stated=stated) for value in recorded}
    return {
        Digest(method, value.lower())
        for value, method in methods.items()
        if method in DIGEST_COMMANDS
    }


def _is_contested(digests: Iterable[Digest]) -> bool:
    """Say whether two digests of one method contradict each other."""
    return max(Counter(digest.method for digest in digests).values(), default=0) > 1


def _order_of_digest(digest: Digest) -> int:
    return list(DIGEST_COMMANDS).index(digest.method)


def _command(
    document: Document, interpreters: Mapping[str, str]
) -> tuple[tuple[str, ...], str | None] | None:
    """Return the words of the command that an activity was in, and its folder."""
    arguments = document.get(f.ARGUMENTS)
    words = [str(word) for word in decode(arguments)] if arguments else []
    if not words or words[0] in _NO_SCRIPT or PurePath(words[0]).name in _KERNELS:
        return None
    interpreter = interpreters.get(document.get(f.ENVIRONMENT, ""))
    if words[0].endswith(_PYTHON) and interpreter is not None:
        words = [interpreter, *words]
    folder = decode(document.get(f.EXTRA, {})).get("working_folder")
    return tuple(words), folder if isinstance(folder, str) else None


def _interpreters(store: Store, activities: Iterable[Document]) -> dict[str, str]:
    """Return the Python of each environment, by its id."""
    ids = {a[f.ENVIRONMENT] for a in activities if f.ENVIRONMENT in a}
    return {
        document[f.ID]: executable
        for document in (store.read(f.ENVIRONMENTS, sorted(ids)) if ids else ())
        if isinstance(executable := decode(document[f.SYSTEM]).get("executable"), str)
    }


def _config_files(store: Store, activities: Mapping[str, Document]) -> set[str]:
    """Return the configuration files that the sessions of activities name."""
    keys = {
        session_key(activity[f.SESSION_TAG], activity[f.SESSION_ID])
        for activity in activities.values()
        if activity[f.SESSION_ID] is not None
    }
    named = (
        decode(session[f.PROPERTIES]).get(_CONFIG_FILE)
        for session in (store.read(f.SESSIONS, sorted(keys)) if keys else ())
    )
    return {place for place in named if isinstance(place, str)}


def _in_order(answer: Lineage) -> list[LineageNode]:
    """Return the activities: each after those whose products it used."""
    targets: dict[str, list[str]] = {node.id: [] for node in answer.nodes}
    for edge in answer.edges:
        targets[edge.source].append(edge.target)
    depth = ranks(targets)
    return sorted(
        (node for node in answer.nodes if node.kind == "activity"),
        key=lambda node: (
            depth[node.id],
            str(node.start),
            node.run or -1,
            -1 if node.subrun is None else node.subrun,
            node.id,
        ),
    )


def _roots(answer: Lineage) -> set[str]:
    """Return the places of the files that nothing in a lineage makes."""
    roots = set(answer.roots)
    return {
        node.location
        for node in answer.nodes
        if node.id in roots and node.location is not None
    }
