"""What a copied configuration file says, by its keys: JSON, TOML, YAML or INI."""

import json
import tomllib
from base64 import b64decode
from collections.abc import Callable, Mapping
from configparser import ConfigParser
from configparser import Error as IniError
from datetime import date, datetime, time
from typing import Any, Final

from provdb.errors import RecordError
from provdb.model import Document, encode
from provdb.model import fields as f

__all__ = ["read_config", "read_copy"]

_LARGEST: Final = 5_000_000


def read_copy(copy: Document) -> Mapping[str, Any]:
    """Return what the configuration in a file document says; nothing without one."""
    content = copy.get(f.CONTENT)
    return {} if content is None else read_config(b64decode(content))


def read_config(content: bytes) -> Mapping[str, Any]:
    r"""Return what a file says, with keys as they are stored; of no config, nothing.

    >>> read_config(b'{"tailcut": {"picture_thresh": 6}}')
    {'tailcut': {'picture_thresh': 6}}
    >>> read_config(b"[LST1]\nDL1_DIR = /fefs/DL1\n")
    {'LST1': {'DL1_DIR': '/fefs/DL1'}}
    """
    if len(content) > _LARGEST:
        return {}
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return {}
    for read in _READERS:
        found = read(text)
        if not isinstance(found, dict):
            continue
        try:
            encoded: Mapping[str, Any] = encode(_plain(found))
        except (RecordError, RecursionError):
            continue
        return encoded
    return {}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _toml(text: str) -> Any:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return None


def _ini(text: str) -> Any:
    parser = ConfigParser(interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # As documented.
    try:
        parser.read_string(text)
    except IniError:
        return None
    return {name: dict(parser[name]) for name in parser.sections()}


def _yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _plain(value: Any) -> Any:
    """Return a value with the times that TOML and YAML read as they are written."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date | datetime | time) else value


_READERS: Final[tuple[Callable[[str], Any], ...]] = (_json, _toml, _ini, _yaml)
