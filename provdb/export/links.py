"""Links from the files of an answer to the data: a template, filled in safely.

A template is a URL with fields in braces, such as ``https://lst.example/get?f={id}``.
What stands in the data is quoted as RFC 3986 has it: it stays one part of the URL, and
never says what kind of URL it is.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from string import Formatter
from typing import Final, NamedTuple
from urllib.parse import quote

from provdb.errors import WrongTemplate
from provdb.lineage import LineageNode
from provdb.model import file_name

__all__ = ["DEFAULT_LINK", "LINK_FIELDS", "LinkTemplate"]

DEFAULT_LINK: Final = "file://{location}"

_FIELDS: Final[Mapping[str, Callable[[LineageNode], str | int | None]]] = {
    "location": lambda node: node.location,
    "file_name": lambda node: file_name(node.location or ""),
    "run": lambda node: node.run,
    "subrun": lambda node: node.subrun,
    "level": lambda node: node.level,
    "name": lambda node: node.name,
    "id": lambda node: node.entity or node.id,
}
LINK_FIELDS: Final = tuple(_FIELDS)
_NUMBERS: Final = ("run", "subrun")

# Zeros before a number, as in {run:05d}; nothing else that Python knows.
_DIGITS: Final = re.compile(r"(?:0[1-9]?)?d?")
_SCRIPT: Final = re.compile(r"[\s\x00-\x1f]*(javascript|data|vbscript)\s*:", re.I)
# A location can be such a URL already.
_URL: Final = re.compile(r"(?:https?|ftps?|file|roots?|s3)://", re.IGNORECASE)
_URL_LETTERS: Final = "/:?#[]@!$&'()*+,;=%~"


class _Part(NamedTuple):
    """Letters of a template as they stand, and the field after them, if any."""

    text: str
    field: str | None
    digits: str


class LinkTemplate:
    """A template of links, ready to be filled in.

    >>> node = LineageNode(id="31ac", kind="entity", level="R0", run=1618,
    ...     location="/R0/20191123/LST-1.1.Run01618.0008.fits.fz")
    >>> LinkTemplate()(node)
    'file:///R0/20191123/LST-1.1.Run01618.0008.fits.fz'
    >>> LinkTemplate("https://lst.example/{level}/{run:05d}/{file_name}")(node)
    'https://lst.example/R0/01618/LST-1.1.Run01618.0008.fits.fz'
    """

    def __init__(self, template: str = DEFAULT_LINK) -> None:
        """Read a template.

        Args:
            template: The URL, with fields of `LINK_FIELDS` in braces.

        Raises:
            WrongTemplate: It has an unknown field, an odd brace, or is a script.
        """
        self.template = template
        self._parts = tuple(_parts(template))
        script = _SCRIPT.match(template)
        if script is not None:
            raise WrongTemplate(template, f"no link may start with {script[1]}:")

    def __call__(self, node: LineageNode) -> str | None:
        """Return the link of a file, or None if it lacks what the template names."""
        if node.kind == "activity" or not node.location:
            return None
        if self.template == DEFAULT_LINK:
            if _URL.match(node.location):
                return quote(node.location, safe=_URL_LETTERS, errors="replace")
            # A relative path would name a host.
            if not node.location.startswith("/"):
                return None
        filled: list[str] = []
        for text, field, digits in self._parts:
            filled.append(quote(text, safe=_URL_LETTERS, errors="replace"))
            if field is None:
                continue
            value = _FIELDS[field](node)
            if value is None or value == "":
                return None
            filled.append(quote(format(value, digits), safe="/", errors="replace"))
        return "".join(filled)


def _parts(template: str) -> Iterator[_Part]:
    try:
        parsed = list(Formatter().parse(template))
    except ValueError as error:
        raise WrongTemplate(template, str(error)) from error
    for text, field, digits, conversion in parsed:
        if field is None:
            yield _Part(text, None, "")
            continue
        if field not in _FIELDS:
            known = ", ".join(LINK_FIELDS)
            raise WrongTemplate(
                template, f"it has no field {{{field}}}; known are {known}"
            )
        is_plain = not digits and conversion is None
        is_number = field in _NUMBERS and conversion is None
        if not is_plain and not (is_number and _DIGITS.fullmatch(digits or "")):
            raise WrongTemplate(
                template, f"{field} is written {{{field}}}, and a run also {{run:05d}}"
            )
        yield _Part(text, field, digits or "")
