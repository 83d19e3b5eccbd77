"""What a shell script needs to make a file again, and the script itself."""

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from provdb.lineage import LineageNode
from provdb.secrets.redaction import MASK

__all__ = ["DIGEST_COMMANDS", "Command", "Digest", "Recipe"]

_MOST_STEPS: Final = 6
# The commands that print the digest of what they read, by method.
DIGEST_COMMANDS: Final = {
    "sha256": "sha256sum",
    "sha1": "sha1sum",
    "md5": "md5sum",
    "sha224": "sha224sum",
    "sha384": "sha384sum",
    "sha512": "sha512sum",
    "blake2b": "b2sum",
}
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
same() {{  # Ends unless FILE has the recorded content: same COMMAND DIGEST FILE.
    found=$("$1" <"$3")
    [ "${{found%% *}}" = "$2" ] || {{
        echo "not what was used then: $3 (recorded $2, found ${{found%% *}});" \\
            "delete its line to go on with it" >&2
        exit 1
    }}
}}
result() {{  # Says whether the result has it: result COMMAND DIGEST FILE.
    found=$("$1" <"$3")
    [ "${{found%% *}}" = "$2" ] || {{
        echo "not what was made then: $3 (recorded $2, found ${{found%% *}})" >&2
        exit 1
    }}
    echo "what was made then: $3" >&2
}}
"""


class Digest(NamedTuple):
    """A digest of the content of a file.

    Attributes:
        method: Its method, such as ``sha256``.
        value: The digest, in hexadecimal.
    """

    method: str
    value: str


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
        contents: Recorded digests of the needed files, by place.
        location: Place of the file itself, or None where it has none.
        result: Recorded digest of the file itself, or None.
        reason: Why no command makes the file, as a sentence; None if one does.
    """

    name: str
    commands: tuple[Command, ...]
    unknown: tuple[LineageNode, ...] = ()
    needed: tuple[str, ...] = ()
    copies: Mapping[str, str] = field(default_factory=dict)
    contested: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    contents: Mapping[str, Digest] = field(default_factory=dict)
    location: str | None = None
    result: Digest | None = None
    reason: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the script can be run as it is, where its inputs are."""
        has_secrets = any(command.masked for command in self.commands)
        return not (self.reason or self.unknown or self.contested or has_secrets)

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
        if self.reason is not None:
            yield f"lacks {shlex.quote(self.reason)}"
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
        if self.contents:
            yield "# Their recorded contents."
            for place, content in self.contents.items():
                yield f"same {_digest_words(content, place)}"
            yield ""
        if self.copies:
            yield "# Configuration, by its content."
            for place, digest in self.copies.items():
                yield f"restore {digest} {shlex.quote(place)}"
            yield ""
        for command in self.commands:
            yield from _lines_of(command)
        yield from self._result_lines()

    def _result_lines(self) -> Iterator[str]:
        if self.location is None or not self.commands:
            return
        if self.result is None:
            yield "# Its content was not recorded: whether it is the same is unknown."
            yield f"need {shlex.quote(self.location)}"
        else:
            yield "# Whether it is the same file again."
            yield f"result {_digest_words(self.result, self.location)}"


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


def _digest_words(digest: Digest, place: str) -> str:
    return shlex.join([DIGEST_COMMANDS[digest.method], digest.value, place])


def _step(node: LineageNode) -> str:
    subrun = "" if node.subrun is None else f".{node.subrun:04d}"
    run = "" if node.run is None else f" {node.run:05d}{subrun}"
    return _comment(f"{node.name or node.id}{run}")


def _comment(text: str) -> str:
    """Return a text that ends with its line."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
