"""The settings of provdb and where each of them came from.

A setting is looked for in this order, and the first place that has it wins:
the argument, the environment, the TOML config file, the default. Nothing here
reads the environment of the process: the caller passes it.
"""

import difflib
import re
import sys
import tempfile
import tomllib
import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provdb.errors import ConfigError

__all__ = ["Config", "data_folder", "load_config", "mask_uri"]

_KEYS = ("uri", "spool_dir", "timezone", "views")
_TABLES = ("views",)
# What was a setting of the config file once, and where it is now.
_MOVED = {
    "link_rules": "link rules belong to the store; write them into a file of their "
    "own, which 'provdb db rules add FILE.toml' adds to it, and remove them here",
}
_VARIABLES = (
    ("uri", "PROVDB_URI"),
    ("spool_dir", "PROVDB_SPOOL_DIR"),
    ("timezone", "PROVDB_TIMEZONE"),
)
_DEFAULT = "default"
_SQLITE = "sqlite://"

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_OPTIONS = re.compile(r"\?[A-Za-z]\w*=[^?]*\Z")
_HOSTS = re.compile(r"[^:/@]*(:\d+)?(,[^:/@]*(:\d+)?)*(/[^@]*)?\Z")
_SECRET_OPTION = re.compile(r"([?&]\w*password=)[^&]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings, and for each the place it came from.

    Attributes:
        uri: Where the store is; it can hold a password, so show it only by `rows`.
        spool_dir: Folder for what is captured and not in the store yet.
        timezone: IANA name of the zone in which naive times of records are read.
        views: The tables of the config file, as they were written there.
        sources: For each setting by name: `--uri`, the environment variable,
            the path of the config file, or `default`.
    """

    uri: str
    spool_dir: str
    timezone: str
    views: tuple[Mapping[str, Any], ...]
    sources: Mapping[str, str]

    def __repr__(self) -> str:
        """Show the settings without any password."""
        shown = ", ".join(f"{name}={value!r}" for name, value, _ in self.rows())
        return f"Config({shown})"

    def rows(self) -> list[tuple[str, str, str]]:
        """List name, value and source of each setting, passwords masked.

        Example:
            >>> config = load_config(
            ...     environ={"HOME": "/home/lst"},
            ...     uri="mongodb://osa:secret@cp01/provenance",
            ...     platform="linux",
            ... )
            >>> for row in config.rows():
            ...     print(*row, sep=" | ")
            uri | mongodb://osa:***@cp01/provenance | --uri
            spool_dir | /home/lst/.local/state/provdb/spool | default
            timezone | UTC | default
            views | 0 of your own | default
        """
        shown = {
            "uri": mask_uri(self.uri),
            "spool_dir": self.spool_dir,
            "timezone": self.timezone,
            "views": f"{len(self.views)} of your own",
        }
        return [(name, shown[name], self.sources[name]) for name in _KEYS]


def load_config(
    *,
    environ: Mapping[str, str],
    uri: str | None = None,
    spool_dir: str | None = None,
    config_file: Path | None = None,
    platform: str = sys.platform,
) -> Config:
    """Settle every setting: argument, environment, config file, default.

    An empty variable counts as one that is not set.

    Args:
        environ: The environment to read, such as `os.environ`.
        uri: The store of `--uri`, before anything else.
        spool_dir: The folder that an argument names, before anything else.
        config_file: The file of `--config`, instead of the usual one.
        platform: As `sys.platform`; it says where the user's data is kept.

    Raises:
        ConfigError: A named file is missing or unreadable, or a setting in it
            or in the environment is unknown, of the wrong type or impossible.

    Example:
        >>> config = load_config(environ={"HOME": "/home/lst"}, platform="linux")
        >>> config.uri
        'sqlite:///home/lst/.local/share/provdb/provdb.db'
        >>> config.sources["uri"]
        'default'
    """
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}

    def settle(name: str, value: Any, source: str) -> None:
        if name not in values:
            values[name] = value
            sources[name] = source

    if uri is not None:
        settle("uri", uri, "--uri")
    if spool_dir is not None:
        settle("spool_dir", spool_dir, "spool_dir")
    for name, variable in _VARIABLES:
        if environ.get(variable):
            settle(name, environ[variable], variable)
    path, table = _read_file(environ, config_file=config_file)
    for name, value in table.items():
        settle(name, value, str(path))
    if "uri" not in values:
        settle("uri", _default_uri(environ, platform=platform), _DEFAULT)
    if "spool_dir" not in values:
        folder = _default_spool(values["uri"], environ, platform=platform)
        settle("spool_dir", str(folder), _DEFAULT)
    settle("timezone", "UTC", _DEFAULT)
    for name in _TABLES:
        settle(name, (), _DEFAULT)

    if not values["uri"].strip():
        raise ConfigError(
            f"{sources['uri']}: the store URI is empty, "
            "give one such as mongodb://host/database",
            setting="uri",
        )
    _check_timezone(values["timezone"], source=sources["timezone"])
    return Config(**values, sources=sources)


def data_folder(environ: Mapping[str, str], *, platform: str = sys.platform) -> Path:
    """Return the folder for local stores, which may not be there yet.

    Raises:
        ConfigError: No home folder is known.

    Example:
        >>> data_folder({"HOME": "/home/lst"}, platform="linux").as_posix()
        '/home/lst/.local/share/provdb'
    """
    under_home = (
        "Library/Application Support" if platform == "darwin" else ".local/share"
    )
    folder = _base_folder(environ, variable="XDG_DATA_HOME", under_home=under_home)
    if folder is None:
        raise ConfigError(
            "no home folder is known for the local store, set PROVDB_URI or HOME",
            setting="uri",
        )
    return folder / "provdb"


def mask_uri(uri: str) -> str:
    """Hide the password of a URI and leave the rest as it is.

    A password that was not percent-encoded can hold any character; in doubt
    more is hidden rather than less. Options whose name ends in `password` are
    hidden too.

    Example:
        >>> mask_uri("mongodb://osa:p@ss/word@cp01:27017/provenance")
        'mongodb://osa:***@cp01:27017/provenance'
        >>> mask_uri("sqlite:////data/osa:1@cp01/provdb.db")
        'sqlite:////data/osa:1@cp01/provdb.db'
    """
    found = _SCHEME.match(uri)
    scheme = found.group() if found else ""
    rest = uri[len(scheme) :]
    if rest.startswith("/"):  # a path: there is nobody to log in
        return uri
    options = _OPTIONS.search(rest)
    body = rest[: options.start()] if options else rest
    if "@" not in body and not _HOSTS.match(body):
        body = rest  # the "?" belongs to the password
    userinfo, _, _ = body.rpartition("@")
    user, colon, _ = userinfo.partition(":")
    if colon:
        rest = f"{user}:***{rest[len(userinfo) :]}"
    return scheme + _SECRET_OPTION.sub(r"\1***", rest)


def _read_file(
    environ: Mapping[str, str], *, config_file: Path | None
) -> tuple[Path | None, dict[str, Any]]:
    path, named_by = _find_file(environ, config_file=config_file)
    if path is None:
        return None, {}
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        if named_by is None:
            return None, {}
        raise ConfigError(
            f"the config file {path} of {named_by} does not exist, "
            "create it or name another",
            setting=str(path),
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"the config file {path} cannot be read: {reason}", setting=str(path)
        ) from error
    try:
        table = tomllib.loads(content.decode("utf-8"))
    except ValueError as error:  # both of bad UTF-8 and of bad TOML
        raise ConfigError(
            f"the config file {path} is not valid TOML, correct it: {error}",
            setting=str(path),
        ) from error
    return path, {
        name: _checked(name, value, path=path) for name, value in table.items()
    }


def _find_file(
    environ: Mapping[str, str], *, config_file: Path | None
) -> tuple[Path | None, str | None]:
    """Give the config file, and what named it; None names the usual one."""
    if config_file is not None:
        return config_file, "--config"
    if environ.get("PROVDB_CONFIG"):
        return Path(environ["PROVDB_CONFIG"]), "PROVDB_CONFIG"
    folder = _base_folder(environ, variable="XDG_CONFIG_HOME", under_home=".config")
    if folder is None:
        return None, None
    return folder / "provdb" / "config.toml", None


def _checked(name: str, value: object, *, path: Path) -> Any:
    if name in _MOVED:
        raise ConfigError(f"{path}: {_MOVED[name]}", setting=name)
    if name not in _KEYS:
        near = difflib.get_close_matches(name, _KEYS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(_KEYS)}"
        raise ConfigError(f"{path}: there is no setting {name}; {hint}", setting=name)
    if name in _TABLES:
        if isinstance(value, list) and all(isinstance(table, dict) for table in value):
            return tuple(value)
        raise ConfigError(
            f"{path}: {name} must be tables, write each as [[{name}]]",
            setting=name,
        )
    if isinstance(value, str):
        return value
    raise ConfigError(
        f"{path}: {name} must be a text in quotes, not of type {type(value).__name__}",
        setting=name,
    )


def _default_uri(environ: Mapping[str, str], *, platform: str) -> str:
    return f"sqlite://{data_folder(environ, platform=platform) / 'provdb.db'}"


def _default_spool(uri: str, environ: Mapping[str, str], *, platform: str) -> Path:
    """Return the folder beside a local store, or that of the user for a server."""
    if uri.startswith(_SQLITE):
        return Path(uri.removeprefix(_SQLITE) + ".spool").absolute()
    on_mac = platform == "darwin"
    under_home = "Library/Application Support" if on_mac else ".local/state"
    folder = _base_folder(environ, variable="XDG_STATE_HOME", under_home=under_home)
    return (folder or Path(tempfile.gettempdir())) / "provdb" / "spool"


def _base_folder(
    environ: Mapping[str, str], *, variable: str, under_home: str
) -> Path | None:
    # The XDG specification: a relative path is ignored, as is an empty one.
    named = environ.get(variable, "")
    if Path(named).is_absolute():
        return Path(named)
    home = environ.get("HOME")
    return Path(home) / under_home if home else None


def _check_timezone(name: str, *, source: str) -> None:
    if name == "UTC":  # known even where the system has no zone files
        return
    try:
        zoneinfo.ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        known = sorted(zoneinfo.available_timezones())
        near = difflib.get_close_matches(name, known, n=1)
        if near:
            hint = f"did you mean {near[0]}?"
        elif known:
            hint = "give an IANA name such as UTC or Atlantic/Canary"
        else:
            hint = "this system knows none but UTC, pip install tzdata"
        raise ConfigError(
            f"{source}: there is no timezone {name}; {hint}", setting="timezone"
        ) from error
