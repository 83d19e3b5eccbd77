"""The settings of a store, which all who read it share.

What two files have to do with each other must not depend on who asks: the aliases of
mount points, the link rules and the tolerance of clocks belong to the store.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from hashlib import sha256
from typing import Any, Final

from provdb.errors import ConfigError, NotFound
from provdb.model import fields as f
from provdb.model.locations import AliasPair, canonical_location, is_below, spellings
from provdb.model.values import canonical, decode, encode

__all__ = [
    "SETTINGS_ID",
    "StoreSettings",
    "merge_settings",
    "naming_digest",
    "setting_rows",
    "settings_document",
    "settings_of",
    "with_alias",
    "with_rules",
    "with_value",
    "without_alias",
    "without_rule",
]

SETTINGS_ID: Final = "settings"
SETTINGS_VERSION: Final = 1
_DURATION: Final = re.compile(
    r"(?P<number>\d{1,6}(?:\.\d{1,6})?)\s*(?P<unit>ms|s|min)?"
)
_UNITS: Final = {"ms": 0.001, "s": 1.0, "min": 60.0}
_RULES: Final = (f.LINK_RULES, f.NAMING_RULES)
# Aliases are merged one by one; what entities follow is not a setting.
_NOT_MERGED: Final = (f.ALIASES, f.NAMED_BY)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """The settings of a store; a new store has the defaults.

    Attributes:
        clock_tolerance_seconds: How far the clocks of two nodes may be apart.
        node_local: Patterns of locations that are on a disk of one node.
        aliases: Pairs of a prefix of locations and what stands in its place in the
            preferred spelling, sorted.
        link_rules: Tables of link rules beside the known ones, as they were written.
        naming_rules: Tables of naming rules, in the same way.
        named_by: Digest of the naming rules that all entities of the store follow, as
            `naming_digest` returns it. The store keeps it; nobody sets it.
    """

    clock_tolerance_seconds: float = 5.0
    node_local: tuple[str, ...] = ("/tmp/*", "/var/tmp/*", "/dev/shm/*", "/scratch/*")
    aliases: tuple[AliasPair, ...] = ()
    link_rules: tuple[Mapping[str, Any], ...] = ()
    naming_rules: tuple[Mapping[str, Any], ...] = ()
    named_by: str = field(default="", compare=False)

    @property
    def is_naming_outdated(self) -> bool:
        """Whether entities may hold what other naming rules said of them."""
        return self.named_by != naming_digest(self.naming_rules)

    @property
    def has_named_by_rules(self) -> bool:
        """Whether entities may hold what naming rules of the store say of them."""
        return bool(self.naming_rules or self.named_by)


def naming_digest(tables: Iterable[Mapping[str, Any]]) -> str:
    """Return a digest of naming rules and their order; empty for none.

    >>> naming_digest([]), naming_digest([{"name": "sky", "file": "^sky_"}])
    ('', '56970a726a063fc2')
    """
    encoded = [encode(dict(table)) for table in tables]
    return sha256(canonical(encoded)).hexdigest()[:16] if encoded else ""


_DEFAULTS: Final = StoreSettings()
_NAMES: Final = tuple(one.name for one in fields(StoreSettings))


def settings_document(settings: StoreSettings) -> dict[str, Any]:
    """Return the document that holds what differs from the defaults.

    >>> settings_document(StoreSettings(aliases=(("/mnt/lst", "/fefs/aswg"),)))
    {'_id': 'settings', 'schema_version': 1, 'aliases': [['/mnt/lst', '/fefs/aswg']]}
    """
    document: dict[str, Any] = {f.ID: SETTINGS_ID, f.SCHEMA_VERSION: SETTINGS_VERSION}
    for name in _NAMES:
        value = getattr(settings, name)
        if value == getattr(_DEFAULTS, name):
            continue
        if name in _RULES:
            document[name] = [encode(dict(table)) for table in value]
        elif name == f.ALIASES:
            document[name] = [list(pair) for pair in value]
        else:
            document[name] = list(value) if isinstance(value, tuple) else value
    return document


def settings_of(document: Mapping[str, Any]) -> StoreSettings:
    """Return the settings that a document holds; what it does not have is default.

    >>> settings_of({}) == StoreSettings()
    True
    """
    stored: dict[str, Any] = {}
    for name in _NAMES:
        if name not in document:
            continue
        value = document[name]
        if name in _RULES:
            stored[name] = tuple(decode(table) for table in value)
        elif name == f.ALIASES:
            stored[name] = tuple((prefix, target) for prefix, target in value)
        elif name == f.NAMED_BY:
            stored[name] = str(value)
        else:
            stored[name] = tuple(value) if isinstance(value, list) else float(value)
    return StoreSettings(**stored)


def merge_settings(stored: StoreSettings, arriving: StoreSettings) -> StoreSettings:
    """Return the settings of both; where they differ, the stored ones.

    >>> merge_settings(StoreSettings(), StoreSettings(clock_tolerance_seconds=2.0))
    ... # doctest: +ELLIPSIS
    StoreSettings(clock_tolerance_seconds=2.0, ...)
    """
    merged = stored
    for prefix, target in arriving.aliases:
        try:
            merged = with_alias(merged, prefix, target)
        except ConfigError:
            continue
    for name in _NAMES:
        here, there = getattr(stored, name), getattr(arriving, name)
        if name in _RULES:
            known = {table.get("name") for table in here}
            added = tuple(table for table in there if table.get("name") not in known)
            merged = replace(merged, **{name: here + added})
        elif name not in _NOT_MERGED and here == getattr(_DEFAULTS, name):
            merged = replace(merged, **{name: there})
    return merged


def with_alias(settings: StoreSettings, prefix: str, target: str) -> StoreSettings:
    """Return settings in which a prefix of locations is another name of a folder.

    Args:
        settings: The settings until now.
        prefix: A folder, such as a mount point; or the beginning of a URL.
        target: The same folder in the preferred spelling.

    Raises:
        ConfigError: One of the two lies in the other, a table of aliases would lead
            back to the prefix, or the prefix is an alias of another folder.

    >>> with_alias(StoreSettings(), "/mnt/lst/", "/fefs/aswg").aliases
    (('/mnt/lst', '/fefs/aswg'),)
    """
    prefix, target = (_folder(name) for name in (prefix, target))
    known = dict(settings.aliases)
    if known.get(prefix) == target:
        return settings
    reason = None
    if prefix in known:
        reason = f"it is an alias of {known[prefix]}; remove that first"
    elif is_below(prefix, target) or is_below(target, prefix):
        reason = "one of the two lies in the other"
    elif any(is_below(name, prefix) for name in spellings(target, settings.aliases)):
        reason = f"{target} is an alias of {prefix} already"
    if reason is not None:
        raise ConfigError(
            f"{prefix} cannot be an alias of {target}: {reason}", setting=f.ALIASES
        )
    pairs = sorted([*settings.aliases, (prefix, target)])
    return replace(settings, aliases=tuple(pairs))


def without_alias(settings: StoreSettings, prefix: str) -> StoreSettings:
    """Return settings without the alias of a prefix.

    Raises:
        NotFound: The prefix is no alias; the error holds those that are.
    """
    gone = canonical_location(prefix)
    pairs = tuple(pair for pair in settings.aliases if pair[0] != gone)
    if len(pairs) == len(settings.aliases):
        known = [name for name, _ in settings.aliases]
        raise NotFound(gone, near=known, message=f"{gone} is not an alias")
    return replace(settings, aliases=pairs)


def with_rules(
    settings: StoreSettings,
    *,
    link_rules: Iterable[Mapping[str, Any]] = (),
    naming_rules: Iterable[Mapping[str, Any]] = (),
) -> StoreSettings:
    """Return settings with more rules; one of a known name takes the place of it."""
    return replace(
        settings,
        link_rules=_joined(settings.link_rules, link_rules),
        naming_rules=_joined(settings.naming_rules, naming_rules),
    )


def without_rule(settings: StoreSettings, name: str) -> StoreSettings:
    """Return settings without the rules of a name.

    Raises:
        NotFound: The store has no rule of that name; the error holds those it has.
    """
    left: dict[str, Any] = {
        kind: tuple(t for t in getattr(settings, kind) if t.get("name") != name)
        for kind in _RULES
    }
    changed = replace(settings, **left)
    if changed == settings:
        tables = (*settings.link_rules, *settings.naming_rules)
        near = sorted({str(table.get("name")) for table in tables})
        raise NotFound(name, near=near, message=f"the store has no rule {name}")
    return changed


def setting_rows(settings: StoreSettings) -> list[tuple[str, str]]:
    """List the name and the value of each setting, as people write them.

    >>> setting_rows(StoreSettings())[0]
    ('clock-tolerance', '5 s')
    """
    return [
        ("clock-tolerance", f"{settings.clock_tolerance_seconds:g} s"),
        ("node-local", " ".join(settings.node_local)),
        ("aliases", str(len(settings.aliases))),
        ("link-rules", f"{len(settings.link_rules)} of its own"),
        ("naming-rules", f"{len(settings.naming_rules)} of its own"),
    ]


def with_value(
    settings: StoreSettings, name: str, values: Sequence[str]
) -> StoreSettings:
    """Return settings with another value of one, as people write it.

    Args:
        settings: The settings until now.
        name: ``clock-tolerance`` or ``node-local``.
        values: A duration such as ``5s``, or patterns of locations.

    Raises:
        ConfigError: There is no such setting, or it has no such value.

    >>> with_value(StoreSettings(), "clock-tolerance", ["500ms"])
    ... # doctest: +ELLIPSIS
    StoreSettings(clock_tolerance_seconds=0.5, ...)
    """
    if name == "clock-tolerance" and len(values) == 1:
        return replace(settings, clock_tolerance_seconds=_seconds(values[0]))
    if name == "node-local":
        if wrong := [value for value in values if not value.startswith("/")]:
            raise ConfigError(
                f"{wrong[0]} is not a pattern of absolute paths such as /scratch/*",
                setting=name,
            )
        return replace(settings, node_local=tuple(values))
    raise ConfigError(
        f"there is no setting {name} with {len(values)} values", setting=name
    )


def _seconds(text: str) -> float:
    written = _DURATION.fullmatch(text.strip())
    if written is None:
        raise ConfigError(
            f"{text} is not a duration such as 5s, 500ms or 2min",
            setting="clock-tolerance",
        )
    return float(written["number"]) * _UNITS[written["unit"] or "s"]


def _joined(
    known: Iterable[Mapping[str, Any]], more: Iterable[Mapping[str, Any]]
) -> tuple[Mapping[str, Any], ...]:
    by_name = {table.get("name"): table for table in known}
    by_name |= {table.get("name"): table for table in more}
    return tuple(by_name.values())


def _folder(name: str) -> str:
    folder = canonical_location(name)
    if folder == "/" or not (folder.startswith("/") or "://" in folder):
        raise ConfigError(
            f"{name} is not a folder below / and not a URL; an alias is for example "
            "/mnt/lst",
            setting=f.ALIASES,
        )
    return folder
