"""Random literals and records, and what makes two of them the same."""

from base64 import b64encode
from hashlib import sha256
from typing import Any, Final

from hypothesis import strategies as st

__all__ = ["VALUES", "literals", "records", "signature"]

# With lone surrogates and NUL, which neither JSON nor BSON can hold.
_TEXT: Final = st.text(
    st.characters(exclude_categories=()), max_size=8
) | st.sampled_from(
    [
        "",
        ".",
        "$",
        "$set",
        "a.b",
        "%",
        "%tuple",
        "%28",
        "%(1)",
        "\0",
        "\ud800",
        "'",
        '"',
    ]
)
_NUMBERS: Final = (
    st.booleans()
    | st.integers()
    | st.sampled_from([0, 1, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1])
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
)
_SCALARS: Final = st.none() | st.just(...) | _NUMBERS | _TEXT | st.binary(max_size=4)
_HASHABLE: Final = st.recursive(
    _SCALARS, lambda parts: st.lists(parts, max_size=3).map(tuple), max_leaves=4
)


def literals(max_leaves: int = 12) -> st.SearchStrategy[Any]:
    """Anything that Python can write as a literal, except what is not a number."""
    return st.recursive(
        _SCALARS,
        lambda parts: (
            st.lists(parts, max_size=4)
            | st.lists(parts, max_size=3).map(tuple)
            | st.sets(_HASHABLE, max_size=3)
            | st.dictionaries(_HASHABLE, parts, max_size=4)
        ),
        max_leaves=max_leaves,
    )


def signature(value: Any) -> Any:
    """Return what is equal for equal values of equal types only."""
    kind = type(value).__name__
    if isinstance(value, dict):
        pairs = [(signature(key), signature(item)) for key, item in value.items()]
        return kind, sorted(pairs, key=repr)
    if isinstance(value, set):
        return kind, sorted(map(signature, value), key=repr)
    if isinstance(value, list | tuple):
        return kind, [signature(item) for item in value]
    return kind, repr(value)


VALUES: Final = literals(max_leaves=4)
_IDS: Final = st.sampled_from(["a1", "b2", "c3", 7, 2**70, "", "x/y"])
_TAGS: Final = st.sampled_from(
    ["r0_to_dl1:01618", "dl1ab:01807", "drs4_pedestal:01804-01809", "a/b", "", None, 5]
)
_TIMES: Final = st.sampled_from(
    [
        "2020-05-18T14:18:06.362321",
        "2020-05-18T14:18:06.362Z",
        "2020-05-18T14:18:06+02:00",
        "2020-05-18",
        "yesterday",
        "0001-01-01T00:00:00+14:00",
        None,
        1.5,
    ]
)
_NAMES: Final = st.sampled_from(["r0_to_dl1", "R0SubrunDataset", "DL1File", 3, None])
_LOCATIONS: Final = st.sampled_from(
    ["/R0/LST-1.1.Run01618.0008.fits.fz", "dl1_LST-1.Run01807.h5", "/DL1/", "", 4]
)
_SYSTEMS: Final = st.fixed_dictionaries(
    {},
    optional={
        "arguments": st.sampled_from([["--date", "01618.0008"], [], "-c", None]),
        "start_time_utc": _TIMES,
        "python": st.sampled_from([{"version": "3.8", "packages": []}, None]),
        "platform": st.just({"node": "cp01"}),
    },
)
# Every field that lstosa writes, with what it writes and with what it does not.
_FIELDS: Final = {
    "session_tag": _TAGS,
    "name": _NAMES,
    "startTime": _TIMES,
    "endTime": _TIMES,
    "in_session": _IDS,
    "agent_name": _NAMES,
    "script": _NAMES,
    "status": st.sampled_from(["failed", "interrupted", "odd", 0]),
    "parameters": st.dictionaries(_TEXT, VALUES, max_size=2)
    | st.just({"ObservationSubRun": "0008"})
    | VALUES,
    "used_id": _IDS | VALUES,
    "used_role": _NAMES,
    "used_hash": _NAMES,
    "generated_id": _IDS,
    "generated_role": _NAMES,
    "entity_description": _NAMES,
    "filepath": _LOCATIONS,
    "location": _LOCATIONS,
    "type": st.sampled_from(["File", "SetCollection", "PythonObject", 1]),
    "contentType": _NAMES,
    "size": st.sampled_from([0, 12, 2**63, True, 1.0]),
    "hash": _NAMES,
    "progenitor_id": _IDS | VALUES,
    "member_id": _IDS,
    "system": _SYSTEMS | VALUES,
    "extra": VALUES,
    "written": VALUES,
    "observation.date": VALUES,
}


def records() -> st.SearchStrategy[dict[Any, Any]]:
    """Records of every kind, with fields missing, odd and unknown."""
    identified = st.sampled_from(["activity_id", "entity_id", "session_id"])
    usual = st.fixed_dictionaries({}, optional=_FIELDS)
    sparse = st.dictionaries(st.sampled_from(sorted(_FIELDS)), st.none(), max_size=1)
    keyed = st.dictionaries(identified, _IDS, max_size=2)
    picked = st.lists(st.sampled_from(sorted(_FIELDS)), max_size=5)
    unknown = st.dictionaries(_HASHABLE, VALUES, max_size=1)
    others = st.builds(_record, usual, picked, sparse, keyed, unknown)
    return st.one_of(others, others, others, _copies())


def _copies() -> st.SearchStrategy[dict[Any, Any]]:
    """Records of copies of files, few of them with another content than they say."""
    contents = st.sampled_from([b"", b"a", b"b"])
    optional = {
        "filepath": _LOCATIONS,
        "location": _LOCATIONS,
        "size": st.sampled_from([0, 1, 12, -1, "1", None]),
        "content_left_out": st.sampled_from(["secrets", None, 1]),
        "session_tag": _TAGS,
        "activity_id": _IDS,
        "extra": VALUES,
    }
    said = st.fixed_dictionaries({}, optional=optional)
    return st.builds(_copy, contents, contents, st.integers(0, 7), said)


def _copy(
    content: bytes, other: bytes, chance: int, said: dict[str, Any]
) -> dict[Any, Any]:
    held = other if chance == 0 else content
    copied = {"content": b64encode(held).decode()} if chance < 4 else {}
    return {"file_id": sha256(content).hexdigest(), **copied, **said}


def _record(
    usual: dict[str, Any],
    picked: list[str],
    sparse: dict[str, Any],
    keyed: dict[str, Any],
    unknown: dict[Any, Any],
) -> dict[Any, Any]:
    some = {name: usual[name] for name in picked if name in usual}
    return unknown | sparse | some | keyed
