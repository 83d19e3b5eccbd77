"""Find and mask the secrets in a text, whatever grammar it follows or does not.

Each finder says which parts of the text to write anew; parts that overlap become one.
What a literal of Python or JSON quotes is unquoted, looked at, and quoted again.
"""

import re
from bisect import bisect
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from provdb.config import mask_uri
from provdb.secrets.literals import (
    CLOSING,
    Token,
    evaluate,
    literals,
    quotations,
    scan,
    write,
)
from provdb.secrets.names import (
    FLAGS,
    FOLDERS,
    MASK,
    NAME,
    is_flag,
    is_secret_flag,
    is_secret_key,
)

__all__ = ["hints_at_secret", "redact_bytes", "redact_text"]

_KEY: Final = re.compile(NAME + r"[\w.-]{0,64}", FLAGS)
# What follows a name that is an item, such as that of a software package.
_ENDS_ITEM: Final = re.compile(r"""\\*["']\s*[,}\]](?!\s*=)|\Z""")
_KEY_CHARACTERS: Final = (
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
)
_LONGEST_HEAD: Final = 64
_ASSIGNS: Final = re.compile(
    r"""\\*["']?[\])]?\s{0,64}(?:={1,2}>?|:=|:(?!//))\s{0,64}"""
)
_SPACE: Final = re.compile(r"[ \t]{1,64}(?!--[A-Za-z])")
_TAG: Final = re.compile(r"[^<>]{0,64}>([^<]+)")
_QUOTE: Final = re.compile(r"""[bB]?(\\*)(["'])""")
# Blanks are those of ASCII: another one may be in the middle of a password.
_SHELL_WORD: Final = re.compile(
    r"""(?:\\.|'[^']*'|"(?:[^"\\]|\\.)*"|\S)++""", re.DOTALL | re.ASCII
)
_LINE_HEAD: Final = re.compile(r"""[\s"'#<{\[(-]*(?:(?:export|set|env)\s+)?""")
_WHOLE_FLAG: Final = re.compile(rf"\s*--?[\w.-]{{0,64}}?{NAME}[\w.-]{{0,64}}=", FLAGS)

_URI: Final = re.compile(r":(?:\\?/){2}")
_WHOLE_URI: Final = re.compile(r"\s*[A-Za-z][A-Za-z0-9+.-]{0,32}://")
_SOLE_USER: Final = re.compile(r"[^/?#@:\s]+(?=@)", re.ASCII)
_HOST: Final = re.compile(r"[^:/@\s]*(?::\d*)?(?:[/?#,]\S*)?\Z", re.ASCII)
_HOST_AND_PATH: Final = re.compile(r"[^:/@\s]*(?::\d+)?/")
_RUN: Final = re.compile(r"\S*", re.ASCII)
_BEARER: Final = re.compile(r"\bbearer\s+([^\s'\"]+)", FLAGS)
_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY.*?"
    r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,8}-----|\Z)",
    re.DOTALL,
)


def redact_text(text: str) -> str:
    r"""Return a text with ``***`` in the place of every secret in it.

    Masked are

    - the password in ``scheme://user:password@host``; of ``http`` and ``https`` also
      what stands there alone, which is a token. Elsewhere a name that stands alone is
      that of a user (``ssh://lst@cp01``), and is kept;
    - what is assigned to the name of a secret: ``--password=p``, ``--password p``,
      ``password: p``, ``"password": "p"``, ``<password>p</password>``; up to the end
      of the line, where the name is the first word of it;
    - ``Bearer xyz``, and private keys (``-----BEGIN … PRIVATE KEY-----``).

    Literals of Python and JSON in the text, and the texts inside these, are read as
    what they are: the line of a log is as readable as it was. Where nothing is masked,
    the very same object is returned.

    Example:
        >>> redact_text("__PROV__{'parameters': {'db_password': 'p', 'run': '01618'}}")
        "__PROV__{'parameters': {'db_password': '***', 'run': '01618'}}"
        >>> redact_text("datasequence --uri mongodb://osa:p@cp01/provenance 01618")
        'datasequence --uri mongodb://osa:***@cp01/provenance 01618'
    """
    if not (hints_at_secret(text) and _is_suspect(text)):
        return text
    masked = _redact_text(text)
    return text if masked == text else masked


def redact_bytes(content: bytes) -> bytes:
    """Return bytes with ``***`` in the place of every secret in them.

    >>> redact_bytes(b"--password=p")
    b'--password=***'
    """
    text = content.decode("utf-8", "surrogateescape")
    masked = redact_text(text)
    if masked is text:
        return content
    return masked.encode("utf-8", "surrogateescape")


def hints_at_secret(text: str) -> bool:
    """Say whether there may be a secret in a text: a quick look, true in doubt.

    >>> hints_at_secret("used_role"), hints_at_secret("tokens")
    (False, True)
    """
    lowered = text.lower()
    # A letter is found much sooner than a word, and words sooner one by one than by a
    # regular expression. What starts with "% is written in hexadecimal.
    return (
        "@" in lowered
        or ("k" in lowered and ("key" in lowered or "token" in lowered))
        or ("w" in lowered and ("pwd" in lowered or "passw" in lowered))
        or ("cre" in lowered and ("secret" in lowered or "credential" in lowered))
        or "authorization" in lowered
        or "passphrase" in lowered
        or "bearer" in lowered
        or ("%" in lowered and '"%' in lowered)
    )


def _is_suspect(text: str) -> bool:
    """Say whether a text needs a closer look; nearly every session has `asttokens`."""
    if "@" in text and _URI.search(text) is not None:
        return True
    for found in _KEY.finditer(text):
        if _ENDS_ITEM.match(text, found.end()) is None or "):" in text:
            return True
        if text[_start_of_name(text, found.start())] == "-":
            return True
    return _BEARER.search(text) is not None


def _start_of_name(text: str, start: int) -> int:
    head = text[max(0, start - _LONGEST_HEAD) : start]
    return start - len(head) + len(head.rstrip(_KEY_CHARACTERS))


class _Edit(NamedTuple):
    """A part of a text, and what to write in its place."""

    start: int
    end: int
    text: str


def _redact_text(text: str) -> str:
    flag = _WHOLE_FLAG.match(text)
    if flag is not None:
        return flag.group() + MASK
    strings: list[Token] = []
    edits: list[_Edit] = []
    for tokens in literals(text):
        strings += [token for token in tokens if token.kind == "string"]
        edits += _edits_of_literal(tokens)
    edits += _edits_of_quotations(text)
    starts = [token.start for token in strings]
    for finder in (_private_keys, _bearers, _uris, _assignments):
        for place, edit in finder(text):
            before = bisect(starts, place) - 1
            if before < 0 or place >= strings[before].end:  # It is in no string.
                edits.append(edit)
    return _apply(edits, text)


def _apply(edits: list[_Edit], text: str) -> str:
    """Return the text with all edits made; those that overlap become one."""
    pieces: list[str] = []
    position = 0
    merged: list[_Edit] = []
    for edit in sorted(edits, key=lambda edit: (edit.start, -edit.end)):
        if merged and edit.start < merged[-1].end:
            last = merged[-1]
            if edit.end > last.end:
                merged[-1] = _Edit(last.start, edit.end, last.text)
            continue
        merged.append(edit)
    for edit in merged:
        pieces += [text[position : edit.start], edit.text]
        position = edit.end
    return "".join([*pieces, text[position:]])


def _private_keys(text: str) -> Iterator[tuple[int, _Edit]]:
    for found in _PRIVATE_KEY.finditer(text):
        yield found.start(), _Edit(found.start(), found.end(), MASK)


def _bearers(text: str) -> Iterator[tuple[int, _Edit]]:
    for found in _BEARER.finditer(text):
        yield found.start(), _Edit(found.start(1), found.end(1), MASK)


def _uris(text: str) -> Iterator[tuple[int, _Edit]]:
    whole = _WHOLE_URI.match(text)
    is_whole = whole is not None and not _HOST_AND_PATH.match(text, whole.end())
    position = 0
    while found := _URI.search(text, position):
        start = found.end()
        end = len(text) if is_whole else _end_of_uri(text, start)
        uri = text[start:end]
        if text[: found.start()].lower().endswith(("http", "https")):
            masked = _SOLE_USER.sub(MASK, uri, count=1) if _SOLE_USER.match(uri) else ""
        else:
            masked = ""
        masked = mask_uri(masked or uri)
        if masked != uri:
            yield found.start(), _Edit(start, end, masked)
            position = end
        else:
            position = start
        is_whole = False


def _end_of_uri(text: str, start: int) -> int:
    """Return where a URI ends: with the word, or with a password that has spaces."""
    end = _RUN.match(text, start).end()  # type: ignore[union-attr]  # Matches always.
    if "@" in text[start:end] or _HOST.match(text[start:end]):
        return end
    line = _end_of_line(text, start)
    at = text.find("@", end, line)
    if at < 0:
        return end
    return _RUN.match(text, at).end()  # type: ignore[union-attr]  # Matches always.


def _assignments(text: str) -> Iterator[tuple[int, _Edit]]:
    position = 0
    while found := _KEY.search(text, position):
        position = found.end()
        start = _start_of_name(text, found.start())
        name = text[start : found.end()]
        if name in FOLDERS:
            continue
        tag = _TAG.match(text, found.end()) if text[start - 1 : start] == "<" else None
        assigns = _ASSIGNS.match(text, found.end())
        if tag is not None:
            edit = _Edit(tag.start(1), tag.end(1), MASK)
        elif assigns is not None and "authorization" in name.lower():
            edit = _edit_of_header(text, assigns.end(), key=start)
        elif assigns is not None:
            edit = _edit_of_value(text, assigns.end(), key=start)
        elif name.startswith("-") and (space := _SPACE.match(text, found.end())):
            edit = _edit_of_value(text, space.end(), key=None)
        else:
            continue
        if edit.end > edit.start and text[edit.start : edit.end].strip("="):
            # In x["token"] = "abc" the name is no item of a literal.
            is_index = assigns is not None and "]" in assigns.group()
            yield edit.start if is_index else start, edit
            position = edit.end


def _edit_of_value(text: str, start: int, *, key: int | None) -> _Edit:
    """Return how to mask a value that is written without regard to any grammar.

    Args:
        text: The whole text.
        start: Where the value starts.
        key: Where its name starts, or None where a blank stands between them.
    """
    quote = _QUOTE.match(text, start)
    if quote is not None:
        inner_end = _end_of_quoted(text, quote)
        end = min(inner_end + len(quote[1]) + 1, len(text))
        glued = _SHELL_WORD.match(text, end)
        if glued is not None and glued.group()[0] in "'\"\\":
            end = glued.end()  # As a shell joins 'it'"'"'s'.
        closing = quote[1] + quote[2]
        return _Edit(start, end, quote.group() + MASK + closing)
    if text[start : start + 1] in CLOSING:
        tokens = scan(text, start)
        end = tokens[-1].end if tokens else _end_of_line(text, start)
        glued = _SHELL_WORD.match(text, end) if key is None else None
        return _Edit(start, end if glued is None else glued.end(), f"'{MASK}'")
    if key is not None and _is_head(text, key):
        return _Edit(start, _end_of_line(text, start), MASK)
    word = _SHELL_WORD.match(text, start)
    return _Edit(start, start if word is None else word.end(), MASK)


def _edit_of_header(text: str, start: int, *, key: int) -> _Edit:
    """Return how to mask the value of a header of HTTP, which has several words."""
    mark = text[key - 1 : key]
    end = text.find(mark, start) if mark and mark in "'\"" else -1
    if _QUOTE.match(text, start) or text[start : start + 1] in CLOSING:
        return _edit_of_value(text, start, key=key)
    return _Edit(start, _end_of_line(text, start) if end < 0 else end, MASK)


def _end_of_quoted(text: str, quote: re.Match[str]) -> int:
    """Return where the text inside quotes ends; where they are not closed, the end.

    Quotes that are escaped are closed by quotes with as many backslashes.
    """
    escapes, mark = len(quote[1]), quote[2]
    place = quote.end()
    while (place := text.find(mark, place)) >= 0:
        backslashes = place - len(text[quote.end() : place].rstrip("\\")) - quote.end()
        if backslashes == escapes or (not escapes and backslashes % 2 == 0):
            return place - escapes
        place += 1
    return len(text)


def _end_of_line(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end


def _is_head(text: str, start: int) -> bool:
    """Say whether a name is the first word of its line."""
    line = text.rfind("\n", 0, start) + 1
    head = _LINE_HEAD.match(text, line, start)
    return head is not None and head.end() == start


def _edits_of_literal(tokens: Sequence[Token]) -> Iterator[_Edit]:
    is_awaited = False
    openings: list[int] = []
    for place, token in enumerate(tokens):
        if token.kind == "open":
            openings.append(place)
        elif token.kind == "close":
            parts = tokens[openings.pop() : place]
            is_key = place + 1 < len(tokens) and tokens[place + 1].text == ":"
            if is_key and any(map(_is_secret_part, parts)):
                yield _edit_of_item(tokens, place + 2, quote="'")
        if token.kind != "string":
            is_awaited = is_awaited and token.text == ","
            continue
        value = evaluate(token.text)
        is_key = tokens[place + 1].text == ":"
        if is_key and is_secret_key(value):
            yield _edit_of_item(tokens, place + 2, quote=token.text[-1])
        if is_awaited and not is_key and not is_flag(value):
            yield _edit_of_item(tokens, place, quote=token.text[-1])
        elif (masked := _redacted(value)) is not value:
            yield _Edit(token.start, token.end, write(masked, quote=token.text[-1]))
        is_awaited = is_secret_flag(value)
        if is_awaited and tokens[place + 1].text == ",":
            follows = tokens[place + 2]
            if follows.kind not in ("string", "close"):
                yield _edit_of_item(tokens, place + 2, quote=token.text[-1])


def _edit_of_item(tokens: Sequence[Token], place: int, *, quote: str) -> _Edit:
    """Return how to mask the item of a literal that starts at a token."""
    depth, end = 0, place
    while depth or (tokens[end].kind != "close" and tokens[end].text != ","):
        depth += {"open": 1, "close": -1}.get(tokens[end].kind, 0)
        end += 1
    start = tokens[place].start
    finish = tokens[end - 1].end if end > place else start
    return _Edit(start, finish, f"{quote}{MASK}{quote}")


def _edits_of_quotations(text: str) -> Iterator[_Edit]:
    for token in quotations(text):
        value = evaluate(token.text)
        masked = _redacted(value)
        if masked is not value:
            literal = write(masked, quote=token.text[-1])
            yield _Edit(token.start, token.end, literal)


def _redacted(value: Any) -> Any:
    return redact_bytes(value) if isinstance(value, bytes) else redact_text(value)


def _is_secret_part(token: Token) -> bool:
    return token.kind == "string" and is_secret_key(evaluate(token.text))
