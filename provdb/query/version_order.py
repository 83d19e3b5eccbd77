"""The order of versions of software: 0.9.2 comes before 0.11.10."""

import re
from typing import Any, Final

__all__ = ["is_version", "satisfies", "version_key"]

_VERSION: Final = re.compile(
    r"v?(?:(?P<epoch>\d{1,9})!)?(?P<release>\d{1,18}(?:\.\d{1,18})*)(?P<rest>.*)",
    re.DOTALL,
)
_PIECE: Final = re.compile(r"(?P<letters>[a-z]+)[._-]?(?P<after>\d*)|(?P<digits>\d+)")
_LOCAL: Final = re.compile(r"\d+|[a-z]+")
# Words before and behind the end of a version, which is 0 itself (as PEP 440 says).
_END: Final = (0, "", 0)
_RANKS: Final = {
    "dev": -4,
    "a": -3,
    "alpha": -3,
    "b": -2,
    "beta": -2,
    "c": -1,
    "rc": -1,
    "pre": -1,
    "preview": -1,
    "post": 2,
    "rev": 2,
    "r": 2,
}
_OTHER_LETTERS: Final = 1


def is_version(text: object) -> bool:
    """Say whether a text is a version, so that it has an order.

    >>> is_version("0.11.10"), is_version("unknown")
    (True, False)
    """
    return isinstance(text, str) and _parts(text) is not None


def version_key(value: object) -> tuple[Any, ...]:
    """Return a key that sorts versions; what is not a version comes before all.

    >>> sorted(["0.11.10", "0.9.2", "0.11.10rc1", "main", "0.10"], key=version_key)
    ['main', '0.9.2', '0.10', '0.11.10rc1', '0.11.10']
    """
    text = str(value)
    parts = _parts(text)
    # The text decides last, so that different texts have different keys.
    return (0, (), text) if parts is None else (1, parts, text)


def satisfies(text: object, bounds: dict[str, str]) -> bool:
    """Say whether a version is within bounds.

    Args:
        text: The version; what is not one is within none.
        bounds: ``$gt``, ``$gte``, ``$lt`` or ``$lte``, each with a version.

    >>> satisfies("0.10.18", {"$gte": "0.10"}), satisfies("0.9.2", {"$gte": "0.10"})
    (True, False)
    """
    parts = _parts(text) if isinstance(text, str) else None
    if parts is None:
        return False
    for name, bound in bounds.items():
        other = _parts(bound)
        is_larger, is_equal = parts > (other or ()), parts == other
        if name.startswith("$g") is not is_larger and not is_equal:
            return False
        if is_equal and not name.endswith("e"):
            return False
    return True


def _parts(text: str) -> tuple[Any, ...] | None:
    """Return what is compared of a version, or None where the text is none."""
    # Some tools write more behind it, as Python does: "3.11.4 (main, …)".
    words = text.lower().split(maxsplit=1)
    found = _VERSION.fullmatch(words[0]) if words else None
    if found is None:
        return None
    release = [int(number) for number in found["release"].split(".")]
    while len(release) > 1 and release[-1] == 0:
        del release[-1]
    public, _, local = found["rest"].partition("+")
    suffix = [
        _piece(piece["letters"] or "", piece["after"] or piece["digits"] or "")
        for piece in _PIECE.finditer(public)
    ]
    return (
        int(found["epoch"] or 0),
        tuple(release),
        (*suffix, _END),
        tuple(
            (1, int(word), "") if word.isdigit() else (0, 0, word)
            for word in _LOCAL.findall(local)
        ),
    )


def _piece(letters: str, digits: str) -> tuple[int, str, int]:
    number = int(digits[:18] or 0)
    # A number behind a hyphen is a later build, as ``post`` is.
    rank = _RANKS.get(letters, _OTHER_LETTERS if letters else _RANKS["post"])
    return rank, letters if rank == _OTHER_LETTERS else "", number
