"""A content is stored once, with all that was said of it."""

from base64 import b64encode
from datetime import UTC
from hashlib import sha256
from typing import Any

import pytest

from provdb.errors import RecordError
from provdb.model import Document, Kind, Record, file_content, fold, kind_of, merge
from provdb.model import fields as f
from provdb.model.fold import unfold
from provdb.store.validators import check
from tests.samples import texts_of

CONTENT = b'{"picture_thresh": 8}'
DIGEST = sha256(CONTENT).hexdigest()
COPY: Record = {
    "file_id": DIGEST,
    "filepath": "/fefs/conf/lstchain_standard_config.json",
    "size": len(CONTENT),
    "content": b64encode(CONTENT).decode(),
    "session_tag": "dl1ab:01618",
    "activity_id": "621ca2",
}
WITHOUT = {name: COPY[name] for name in COPY if name != "content"}


def file_of(records: list[Record]) -> Document:
    """Return the one file document that records make."""
    (document,) = fold(records)[f.FILES]
    check(f.FILES, [document])
    return document


def test_a_copy_is_a_document_by_its_content() -> None:
    document = file_of([COPY])

    assert document[f.ID] == DIGEST
    assert document[f.SIZE] == len(CONTENT)
    assert file_content(document) == CONTENT
    assert document[f.NAMES] == [
        {
            f.LOCATION: "/fefs/conf/lstchain_standard_config.json",
            f.OF_ACTIVITIES: True,
            f.SESSION_TAGS: ["dl1ab:01618"],
        }
    ]


def test_an_activity_has_the_copies_that_it_used() -> None:
    start = {"activity_id": "621ca2", "name": "dl1ab", "session_tag": "dl1ab:01618"}

    (activity,) = fold([COPY, start])[f.ACTIVITIES]

    assert [(c[f.ENTITY], c[f.LOCATION]) for c in activity[f.COPIES]] == [
        (DIGEST, "/fefs/conf/lstchain_standard_config.json")
    ]
    assert f.CONTENT not in activity[f.COPIES][0]


def test_a_file_does_not_grow_with_the_activities_that_use_it() -> None:
    one, many = ([COPY | {"activity_id": f"{n:06x}"} for n in range(c)] for c in (1, 9))

    documents = fold(many)

    assert documents[f.FILES] == fold(one)[f.FILES]
    assert len(documents[f.ACTIVITIES]) == 9
    assert texts_of(unfold(documents)) == texts_of(many)


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        pytest.param(COPY, Kind.FILE, id="copy"),
        pytest.param(WITHOUT, Kind.FILE, id="without content"),
        pytest.param({"file_id": DIGEST}, Kind.FILE, id="digest alone"),
        pytest.param({"file_id": "7"}, Kind.OTHER, id="no digest"),
        pytest.param(WITHOUT | {"file_id": 7}, Kind.OTHER_OF_ACTIVITY),
        pytest.param(COPY | {"used_id": "446f45"}, Kind.USAGE, id="usage"),
        pytest.param(COPY | {"entity_id": "446f45"}, Kind.ENTITY, id="entity"),
    ],
)
def test_what_is_no_copy_is_what_it_was(record: Record, kind: Kind) -> None:
    of_no_activity = {k: v for k, v in record.items() if k != "activity_id"}

    assert kind in (kind_of(record), kind_of(of_no_activity))


def test_one_content_under_two_paths_is_one_document() -> None:
    other = COPY | {"filepath": "/fefs/other.json"}

    document = file_of([COPY, other])

    assert [name[f.LOCATION] for name in document[f.NAMES]] == [
        "/fefs/conf/lstchain_standard_config.json",
        "/fefs/other.json",
    ]


def test_two_contents_under_one_path_are_two_documents() -> None:
    other = COPY | {"file_id": sha256(b"").hexdigest(), "content": "", "size": 0}

    documents = fold([COPY, other])[f.FILES]

    assert len(documents) == 2
    assert {file_content(document) for document in documents} == {CONTENT, b""}


def test_tags_that_say_the_same_are_one_name() -> None:
    without = {name: COPY[name] for name in COPY if name != "activity_id"}
    other = without | {"session_tag": "dl1ab:01619"}

    (name,) = file_of([other, without])[f.NAMES]

    assert name[f.SESSION_TAGS] == ["dl1ab:01618", "dl1ab:01619"]


def test_a_record_without_the_content_is_legal() -> None:
    record = WITHOUT | {"content_left_out": "secrets"}
    documents = fold([record])

    document = file_of([record])

    assert file_content(document) is None
    assert document[f.NAMES][0][f.CONTENT_LEFT_OUT] == "secrets"
    assert texts_of(unfold(documents)) == texts_of([record])


def test_a_record_without_the_content_comes_back_without_it() -> None:
    records = [COPY, WITHOUT, WITHOUT | {"size": "21", "location": "x", "note": (1,)}]

    bare = [{k: v for k, v in r.items() if k != "activity_id"} for r in records]

    assert texts_of(unfold(fold(records))) == texts_of(records)
    assert texts_of(unfold(fold(bare))) == texts_of(bare)


@pytest.mark.parametrize("records", [[COPY, WITHOUT], [WITHOUT, COPY]])
def test_the_content_may_come_in_another_piece(records: list[Record]) -> None:
    pieces = [file_of([record]) for record in records]

    merged = merge(f.FILES, *pieces, zone=UTC)

    assert merged == file_of([COPY, WITHOUT])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param("e30=", "has the digest 44136fa355b3", id="another content"),
        pytest.param("e30", "no base64", id="cut off"),
        pytest.param("{}", "no base64", id="not encoded"),
        pytest.param("é", "no base64", id="no ASCII"),
        pytest.param(b"e30=", "no text", id="bytes"),
        pytest.param(None, "no text", id="None"),
    ],
)
def test_a_content_without_its_digest_is_refused(content: Any, reason: str) -> None:
    with pytest.raises(RecordError, match=reason):
        fold([COPY | {"content": content}])


def test_a_base64_that_is_written_otherwise_is_refused() -> None:
    record = {"file_id": sha256(b"a").hexdigest(), "content": "YR=="}

    with pytest.raises(RecordError, match="no plain base64"):
        fold([record])
