"""How records are laid out: the short way of most of them is that of all."""

from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from provdb.model.entity import DESCRIPTION
from provdb.model.records import Table, lay_out, restore
from tests.model.literals import literals

_NAMES = [
    *("entity_id", "session_tag", "name", "entity_description", "filepath"),
    *("location", "type", "contentType", "size", "hash", "hash_type", "note"),
]
_VALUES = st.one_of(
    st.sampled_from(["446f45", "r0_to_dl1:01618", "é", "\x00", "\ud800", ""]),
    literals(),
)
_RECORDS = st.dictionaries(st.sampled_from(_NAMES), _VALUES)
_KNOWN = st.sampled_from(
    [
        {"entity_id": "446f45"},
        {"entity_id": "446f45", "session_tag": "r0_to_dl1:01618"},
    ]
)


@given(_RECORDS, _KNOWN, st.booleans())
def test_plain_records_are_laid_out_as_all_are(
    record: dict[str, object], known: dict[str, object], has_known: bool
) -> None:
    record = {**record, **known} if has_known else record
    without_short_way = Table(*DESCRIPTION)
    without_short_way.plain = ()

    part = lay_out(record, DESCRIPTION, known=known, zone=UTC)

    assert part == lay_out(record, without_short_way, known=known, zone=UTC)
    assert list(part) == list(lay_out(record, without_short_way, known=known, zone=UTC))
    assert repr(restore(part, DESCRIPTION, known=known)) == repr(
        restore(part, without_short_way, known=known)
    )
