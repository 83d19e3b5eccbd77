"""Read the rules that a TOML file adds to a store."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from provdb.errors import ConfigError, ReadError
from provdb.lineage.link_rules import link_rules
from provdb.model import fields as f
from provdb.model.naming_rules import naming_rules
from provdb.model.values import encode

__all__ = ["read_rules"]

_KINDS: Final = (f.LINK_RULES, f.NAMING_RULES)

RuleTables = dict[str, tuple[Mapping[str, Any], ...]]


def read_rules(path: Path) -> RuleTables:
    r"""Return the tables of link rules and of naming rules in a TOML file.

    Args:
        path: The file; each rule is a ``[[link_rules]]`` or a ``[[naming_rules]]``.

    Raises:
        ReadError: The file cannot be read.
        ConfigError: It is not valid TOML, has no rule, or has one that is wrong.

    >>> from tempfile import NamedTemporaryFile
    >>> with NamedTemporaryFile() as file:
    ...     written = file.write(b'[[link_rules]]\nname = "a"\nentities = ["DL3*"]')
    ...     file.flush()
    ...     read_rules(Path(file.name))["link_rules"]
    ({'name': 'a', 'entities': ['DL3*']},)
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ReadError(str(path), f"it cannot be read: {reason}") from error
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _wrong(path, f"it is not valid TOML: {error}") from error
    rules = {kind: _tables(content, kind, path) for kind in _KINDS}
    unknown = [name for name in content if name not in _KINDS]
    if unknown or not any(rules.values()):
        known = " and ".join(f"[[{kind}]]" for kind in _KINDS)
        reason = f"{unknown[0]} is unknown" if unknown else "it has no rule"
        raise _wrong(path, f"{reason}; it may have {known}")
    link_rules(rules[f.LINK_RULES])
    naming_rules(rules[f.NAMING_RULES])
    return rules


def _tables(
    content: Mapping[str, Any], kind: str, path: Path
) -> tuple[Mapping[str, Any], ...]:
    tables = content.get(kind, [])
    if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        raise _wrong(path, f"{kind} must be tables, write each as [[{kind}]]")
    for table in tables:
        if not isinstance(table.get("name"), str) or not table["name"]:
            raise _wrong(path, f"a rule of its {kind} has no name")
        encode(table)
    return tuple(tables)


def _wrong(path: Path, reason: str) -> ConfigError:
    return ConfigError(f"the rules in {path} are wrong: {reason}", setting=str(path))
