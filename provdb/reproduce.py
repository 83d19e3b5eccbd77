"""The commands that made a file, as a shell script that says what it lacks."""

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from provdb.files import used_copies
from provdb.lineage import Lineage, LineageNode, WalkOptions, lineage
from provdb.lineage.components import ranks
from provdb.model import Document, decode, session_key
from provdb.model import fields as f
from provdb.secrets.redaction import MASK
from provdb.store import Store

__all__ = ["Command", "Recipe", "recipe"]

_EVERYTHING: Final = WalkOptions()
_CONFIG_FILE: Final = "config_file"
_MOST_STEPS: Final = 6
_PYTHON: Final = ".py"
_HEAD: Final = """\
#!/bin/sh
# How {name} was made: {commands} for {steps}.
# Written by provdb reproduce. Read it before you run it: it runs what was run then,
# and writes where that wrote.
set -eu

need() {{  # Ends unless a file that nothing here makes is there.
    [ -e "$1" ] || {{ echo "missing: $1" >&2; exit 1; }}
}}
restore() {{  # Gets a configuration file out of the store, if it is not there.
    if [ ! -e "$2" ]; then
        mkdir -p "$(dirname "$2")" && provdb files get "$1" -o "$2"
    elif ! provdb files get "$1" | cmp -s - "$2"; then
        echo "not what was used then: $2 ('provdb files get $1' shows it)" >&2
        exit 1
    fi
}}
lacks() {{  # Ends: what follows cannot be run as it is.
    echo "$1" >&2
    exit 1
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command that was run, once for all the steps that it took.

    Attributes:
        words: The command and its arguments, as far as they are known.
        steps: The activities that it was, in order.
        folder: The folder it was run in, where that was recorded.
    """

    words: tuple[str, ...]
    steps: tuple[LineageNode, ...]
    folder: str | None = None

    @property
    def masked(self) -> tuple[int, ...]:
        """Places of the arguments in which a secret was masked, the first one is 1."""
        return tuple(n for n, word in enumerate(self.words) if MASK in word)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a file was made.

    Attributes:
        name: The file, as it was asked for.
        commands: The commands, in the order in which they can be run.
        unknown: Steps of which no command was recorded.
        needed: Places of files that nothing among them makes: raw data, models.
        copies: Digest of the stored copy of each configuration file, by its place.
        contested: Places of files of which several contents were used.
        warnings: What the reader should know, a sentence each.
    """

    name: str
    commands: tuple[Command, ...]
    unknown: tuple[LineageNode, ...] = ()
    needed: tuple[str, ...] = ()
    copies: Mapping[str, str] = field(default_factory=dict)
    contested: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether the script can be run as it is, where its inputs are."""
        has_secrets = any(command.masked for command in self.commands)
        return not (self.unknown or self.contested or has_secrets)

    def script(self) -> str:
        """Return the script, for any POSIX shell."""
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        steps = sum(len(command.steps) for command in self.commands)
        yield _HEAD.format(
            name=_comment(self.name),
            commands=_count(len(self.commands), "command"),
            steps=_count(steps, "step"),
        )
        for warning in self.warnings:
            yield f"# {_comment(warning)}"
        for step, count in Counter(node.name for node in self.unknown).items():
            told = f"no command was recorded of {_comment(step or 'a step')}"
            yield f"lacks {shlex.quote(told if count == 1 else f'{told}, ×{count}')}"
        for place in self.contested:
            told = f"several contents of {place} were used, and a path has but one"
            yield f"lacks {shlex.quote(told)}"
        if self.needed:
            yield "# What nothing here makes."
            yield from (f"need {shlex.quote(place)}" for place in self.needed)
            yield ""
        if self.copies:
            yield "# Configuration, by its content."
            for place, digest in self.copies.items():
                yield f"restore {digest} {shlex.quote(place)}"
            yield ""
        for command in self.commands:
            yield from _lines_of(command)


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
    used = {
        node.location: node
        for edge in answer.edges
        if edge.relation == "used" and (node := nodes[edge.target]).location is not None
    }
    config_files = _config_files(store, documents)
    configured = sorted((used.keys() | config_files) & copies.keys())
    return Recipe(
        name=name,
        commands=tuple(
            Command(words=words, folder=folder, steps=tuple(steps))
            for (words, folder), steps in together.items()
        ),
        unknown=tuple(unknown),
        needed=tuple(sorted((_roots(answer) | config_files) - copies.keys())),
        copies={
            place: next(iter(copies[place]))
            for place in configured
            if len(copies[place]) == 1
        },
        contested=tuple(place for place in configured if len(copies[place]) > 1),
        warnings=answer.warnings,
    )


def _command(
    document: Document, interpreters: Mapping[str, str]
) -> tuple[tuple[str, ...], str | None] | None:
    """Return the words of the command that an activity was in, and its folder."""
    arguments = document.get(f.ARGUMENTS)
    words = [str(word) for word in decode(arguments)] if arguments else []
    if not words:
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


def _lines_of(command: Command) -> Iterator[str]:
    steps = list(dict.fromkeys(_step(node) for node in command.steps))
    more = f" and {len(steps) - _MOST_STEPS} more" if len(steps) > _MOST_STEPS else ""
    yield f"# {', '.join(steps[:_MOST_STEPS])}{more}"
    if command.masked:
        places = ", ".join(map(str, command.masked))
        told = (
            f"a secret was masked in argument {places} of {command.words[0]} when it "
            "was recorded; write it in, and delete this line"
        )
        yield f"lacks {shlex.quote(told)}"
    line = shlex.join(command.words)
    if command.folder is not None:
        line = f"(cd {shlex.quote(command.folder)} && {line})"
    yield line
    yield ""


def _step(node: LineageNode) -> str:
    subrun = "" if node.subrun is None else f".{node.subrun:04d}"
    run = "" if node.run is None else f" {node.run:05d}{subrun}"
    return _comment(f"{node.name or node.id}{run}")


def _comment(text: str) -> str:
    """Return a text that ends with its line."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
