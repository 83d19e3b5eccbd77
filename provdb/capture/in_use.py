"""The definition that is in use: that of ``PROVDB_DEFINITION``, for a whole process."""

import os
from functools import lru_cache
from typing import Final

from provdb.capture.definition import load_definition
from provdb.capture.descriptions import Definition
from provdb.capture.problems import report

__all__ = ["definition_in_use", "known_definition", "use_definition"]

_VARIABLE: Final = "PROVDB_DEFINITION"
# A pipeline has a few definitions; tests of one may have many.
_MOST_DEFINITIONS: Final = 64


def use_definition(path: str | os.PathLike[str]) -> Definition:
    """Take what traced functions use and generate from a definition file.

    It holds for this process from now on, and for the processes that it starts, as
    ``PROVDB_DEFINITION`` does from outside. A decorator may name another one. The
    file is read now, also if it was read before.

    Args:
        path: The file. What is wrong in it is said on stderr, and the rest is used.

    >>> from importlib.resources import files
    >>> lst = use_definition(files("provdb.demo").joinpath("definition.yaml"))
    >>> sorted(lst.activities)[:2]
    ['calibrate_charge', 'dl1_datacheck']
    >>> del os.environ["PROVDB_DEFINITION"]
    """
    source = os.path.abspath(os.fsdecode(path))
    os.environ[_VARIABLE] = source
    known_definition.cache_clear()
    return known_definition(source)


def definition_in_use() -> Definition | None:
    """Return the definition that is in use, or None if there is none."""
    source = os.environ.get(_VARIABLE)
    return known_definition(source) if source else None


@lru_cache(maxsize=_MOST_DEFINITIONS)
def known_definition(source: str) -> Definition:
    """Return the definition of a file, which is read once, and say its problems."""
    definition = load_definition(source)
    for problem in definition.problems:
        report(problem)
    return definition
