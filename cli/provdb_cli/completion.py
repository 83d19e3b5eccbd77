"""``provdb completion``: how the shells complete commands, options, queries and names.

The shell runs ``provdb`` itself, with a variable that says what it wants (click's own
mechanism) and the words that are typed. What was typed is not changed: an answer is
what to put behind it.
"""

import os
import re
import sys
from collections.abc import Iterator
from typing import Any, Final

import click
from click.shell_completion import (
    CompletionItem,
    ShellComplete,
    add_completion_class,
)

__all__ = ["completion"]

_SHELLS: Final = ("bash", "zsh", "fish")
_LISTING: Final = "63"  # Bash shows a list, and puts nothing into the line.
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]\w*\+?=")
_SPECIAL: Final = re.compile(r"([^\w@%+=:,./-])", re.ASCII)
_IN_DOUBLE_QUOTES: Final = re.compile(r'(["$`\\])')
_UNFINISHED: Final = "…"


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that makes SHELL complete what is typed.

    Commands, options, queries, and names of files, tags and runs in the store are
    completed with Tab. A store that does not answer within half a second is left out.

    \b
    bash, in ~/.bashrc:                   eval "$(provdb completion bash)"
    zsh, in ~/.zshrc, behind compinit:    eval "$(provdb completion zsh)"
    fish, in ~/.config/fish/config.fish:  provdb completion fish | source

    \b
    Example:
      provdb completion bash
    """
    root = context.find_root().command
    made = _CLASSES[shell](root, {}, "provdb", "_PROVDB_COMPLETE")
    click.echo(made.source(), nl=False)


class _Complete(ShellComplete):
    """What the three shells have in common."""

    is_quoted = False

    def source(self) -> str:
        """Return the script of the shell."""
        # Loaded here, for it is asked for once, and completions at every Tab.
        from importlib.resources import files

        script = files("provdb_cli").joinpath(f"completion.{self.name}")
        return script.read_text("utf-8")

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before, and the one that is typed, as the shell has them."""
        *words, typed = sys.argv[1:] or [""]
        return words, typed

    def get_completions(
        self, args: list[str], incomplete: str
    ) -> list[CompletionItem[Any]]:
        """Return how the word may go on; a query may begin with a minus, too."""
        option, is_given, value = incomplete.partition("=")
        if is_given and option.startswith("--") and not self.is_quoted:
            found = super().get_completions([*args, option], value)
            for item in found:
                item.value = f"{option}={item.value}"
            return found
        if not (incomplete.startswith("-") and self.is_quoted):
            found = super().get_completions(args, incomplete)
            if found or not incomplete.startswith("-"):
                return found
        found = super().get_completions(args, f" {incomplete}")
        for item in found:
            item.value = item.value.removeprefix(" ")
        return found

    def complete(self) -> str:
        """Return the lines that the script reads."""
        args, typed = self.get_completion_args()
        found = self.get_completions(args, typed)
        for item in found:
            # A choice in any case is one in the case in which it is begun.
            if item.value.lower().startswith(typed.lower()):
                item.value = typed + item.value[len(typed) :]
        plain = [item for item in found if _goes_on(item, typed)]
        others = [item.type for item in found if item.type in ("file", "dir")]
        lines = [*self.lines(plain, typed), *(f"{type_}\t_\t_" for type_ in others[:1])]
        return "\n".join(lines)

    def lines(self, items: list[CompletionItem[Any]], typed: str) -> Iterator[str]:
        """Yield a line for each item."""
        for item in items:
            kind = "plain" if _is_finished(item) else "open"
            yield f"{kind}\t{item.value}\t{_shown(item)}"


class _Bash(_Complete):
    """Bash knows no words, only what is behind the last colon or quote."""

    name = "bash"

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words of the line, read as the shell reads them."""
        line = os.environ.get("COMP_LINE", "")
        words, typed, self._quote = _words(line)
        self.is_quoted = bool(self._quote)
        while words and _ASSIGNMENT.match(words[0]):
            del words[0]
        return words[1:], typed

    def lines(self, items: list[CompletionItem[Any]], typed: str) -> Iterator[str]:
        """Yield what replaces the part that Bash takes for the word."""
        if os.environ.get("COMP_TYPE") == _LISTING and len(items) > 1:
            yield from (f"plain\t{item.value[_start(item) :]}" for item in items)
            return
        part = sys.argv[1] if len(sys.argv) > 1 else ""
        for item in items:
            written = part + _quoted(item.value[len(typed) :], self._quote)
            if _is_finished(item) and not self._quote:
                written += " "
            yield f"plain\t{written}"
            if len(items) == 1 and self._quote and not _is_finished(item):
                # A single answer would close the quote.
                yield f"plain\t{written}{_UNFINISHED}"


class _Zsh(_Complete):
    name = "zsh"


class _Fish(_Complete):
    name = "fish"

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words; the last one is as it stands in the line."""
        words, typed = super().get_completion_args()
        _, typed, quote = _words(f"_ {typed}")
        self.is_quoted = bool(quote)
        return words, typed

    def lines(self, items: list[CompletionItem[Any]], typed: str) -> Iterator[str]:
        """Yield values with what they mean."""
        for item in items:
            yield f"plain\t{item.value}\t{item.help or ''}"


_CLASSES: Final = {kind.name: kind for kind in (_Bash, _Zsh, _Fish)}
for _class in _CLASSES.values():
    add_completion_class(_class)


def _goes_on(item: CompletionItem[Any], typed: str) -> bool:
    """Say whether an item is a line with what was typed in front."""
    if item.type != "plain" or not item.value.startswith(typed):
        return False
    return not set(item.value) & set("\n\t")


def _is_finished(item: CompletionItem[Any]) -> bool:
    return item.is_finished is not False


def _start(item: CompletionItem[Any]) -> int:
    """Return where that begins which is worth to be shown."""
    return int(item.added_to or 0)


def _shown(item: CompletionItem[Any]) -> str:
    text = item.value[_start(item) :]
    return f"{text}  -- {item.help}" if item.help else text


def _words(line: str) -> tuple[list[str], str, str]:
    """Return the words of a line, the last one beside, and the quote that is open.

    >>> _words("provdb query find 'level:DL2 ru")
    (['provdb', 'query', 'find'], 'level:DL2 ru', "'")
    >>> _words("provdb query ")
    (['provdb', 'query'], '', '')
    """
    words: list[str] = []
    word, quote, is_begun = "", "", False
    letters = iter(line)
    for letter in letters:
        if letter == "\\" and quote != "'":
            following = next(letters, "")
            keeps = quote and following not in '"$`\\\n'
            word += letter + following if keeps else following
            is_begun = True
        elif quote:
            if letter == quote:
                quote = ""
            else:
                word += letter
        elif letter in "\"'":
            quote, is_begun = letter, True
        elif letter.isspace():
            if word or is_begun:
                words.append(word)
            word, is_begun = "", False
        else:
            word += letter
    return words, word, quote


def _quoted(text: str, quote: str) -> str:
    """Return a text as it is written where a quote is open, or none.

    >>> _quoted("a b", ""), _quoted("it's", "'"), _quoted('"a"', '"')
    ('a\\\\ b', "it'\\\\''s", '\\\\"a\\\\"')
    """
    if quote == "'":
        return text.replace("'", "'\\''")
    pattern = _IN_DOUBLE_QUOTES if quote else _SPECIAL
    return pattern.sub(r"\\\1", text)
