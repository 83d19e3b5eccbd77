"""Texts of arrays, quantities and times that are different for different values.

The text of an array of numpy or astropy leaves out most of a long array and rounds a
short one, and that of a time leaves out its scale. Pure, and without numpy or astropy:
what is theirs is known by what it has.
"""

import hashlib
from collections.abc import Callable
from typing import Any, Final

__all__ = ["array_note", "exact_text"]

# An array of so many items is written whole.
_MOST_WRITTEN: Final = 50
# To hash so many bytes takes a second or two; of a larger array there is no digest.
_MOST_HASHED_BYTES: Final = 2**30
_ITEMS_A_STEP: Final = 2**18
_DIGEST_DIGITS: Final = 16
# Digits of a second in the text of a time.
_NANOSECONDS: Final = 9


def exact_text(value: Any) -> str | None:
    """Return the text of a quantity, a time or a table; None for anything else.

    Of a long array it is the text that its authors give it, with a digest of the whole
    array behind it.
    """
    names = {base.__name__ for base in type(value).__mro__}
    for name, text_of in _TEXTS.items():
        if name in names:
            return text_of(value)
    return None


def array_note(*arrays: Any) -> str:
    """Return how many items arrays have, of which type, and the digest of them all.

    >>> import numpy
    >>> array_note(numpy.zeros((2, 3)))
    '2×3 items of type float64, sha256 4e18cd648a14070e'
    """
    first = arrays[0]
    shape = "×".join(map(str, first.shape))
    kind = first.dtype
    if hasattr(kind, "newbyteorder"):
        kind = kind.newbyteorder("=")
    note = f"{shape} items of type {kind}"
    digest = _digest(arrays)
    return note if digest is None else f"{note}, sha256 {digest}"


def _digest(arrays: tuple[Any, ...]) -> str | None:
    """Return the digest of the values of arrays, None where they have none."""
    digest = hashlib.sha256()
    for array in arrays:
        if not _is_hashable(array):
            return None
        digest.update(f"{array.shape} {array.dtype.newbyteorder('<').str}".encode())
        if hasattr(array, "filled"):  # What is masked may be anything.
            _add(digest, array.mask)
            array = array.filled()
        _add(digest, array)
    return digest.hexdigest()[:_DIGEST_DIGITS]


def _is_hashable(array: Any) -> bool:
    parts = ("flat", "dtype", "size", "nbytes", "astype")
    return (
        all(hasattr(array, part) for part in parts)
        and hasattr(array.dtype, "newbyteorder")
        and not array.dtype.hasobject
        and array.nbytes <= _MOST_HASHED_BYTES
    )


def _add(digest: Any, array: Any) -> None:
    """Add the values of an array in their order, whatever their order in memory."""
    little = array.dtype.newbyteorder("<")
    for start in range(0, array.size, _ITEMS_A_STEP):
        part = array.flat[start : start + _ITEMS_A_STEP]
        digest.update(part.astype(little).tobytes())


def _with_note(value: Any, *arrays: Any) -> str:
    return f"{value} ({array_note(*arrays)})"


def _of_quantity(value: Any) -> str:
    numbers = value.value
    if value.size > _MOST_WRITTEN:
        return _with_note(value, numbers)
    return f"{_listed(numbers)} {value.unit}".rstrip()


def _of_time(value: Any) -> str:
    scale = value.scale
    if value.size > _MOST_WRITTEN:
        return f"{_with_note(value, value.jd1, value.jd2)} {scale}"
    try:
        exact = value.copy(format="isot")
        exact.precision = _NANOSECONDS
        return f"{_listed(exact.value)} {scale}"
    except ValueError:  # A year that ISO 8601 does not write.
        return f"{value} {scale}"


def _of_duration(value: Any) -> str:
    scale = "" if value.scale is None else f" {value.scale}"
    if value.size > _MOST_WRITTEN:
        return f"{_with_note(value, value.jd1, value.jd2)} d{scale}"
    return f"{_listed(value.sec)} s{scale}"


def _of_table(value: Any) -> str:
    units = [str(getattr(value[name], "unit", None)) for name in value.colnames]
    named = ", ".join(
        name if unit == "None" else f"{name} in {unit}"
        for name, unit in zip(value.colnames, units, strict=True)
    )
    return f"{_with_note(value, value.as_array())} {named}"


def _of_coordinates(value: Any) -> str:
    if value.size <= 1:
        return str(value)
    parts = value.data
    return _with_note(value, *(getattr(parts, name).value for name in parts.components))


def _listed(numbers: Any) -> str:
    """Return numbers or texts as Python writes them, with all their digits."""
    plain = numbers.tolist() if hasattr(numbers, "tolist") else numbers
    return str(plain)


# By the name of the class or of one of its bases, the more special ones first.
_TEXTS: Final[dict[str, Callable[[Any], str]]] = {
    "TimeDelta": _of_duration,
    "Time": _of_time,
    "Table": _of_table,
    "SkyCoord": _of_coordinates,
    "BaseCoordinateFrame": _of_coordinates,
    "Quantity": _of_quantity,
}
