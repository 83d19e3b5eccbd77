"""What is exported as PROV and ingested again answers as before, byte for byte."""

import json
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import prov.tests
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provdb.errors import ReadError
from provdb.export import export
from provdb.ingest import ingest
from provdb.lineage import Lineage, impact, lineage, tag_lineage
from provdb.model import Folder, fold
from provdb.model import fields as f
from provdb.model.statement import Statement
from provdb.readers.prov import PROV_FORMATS, read_document
from provdb.store import Store, open_store
from tests.lineage.histories import Step, file, remember
from tests.lineage.random_histories import RandomHistory, histories
from tests.samples import NIGHT_LOG, RUN_LOG, SLIDES_LOG, stored_in

FORMATS: Final = ("prov-json", "prov-xml", "turtle", "prov-n", "prov-jsonld")
DL2: Final = "dl2_LST-1.Run01807.h5"
EVERYTHING: Final = "*"

every_format = pytest.mark.parametrize("format_name", FORMATS)
_JSON: Final = PROV_FORMATS[0]
_CORPUS: Final = Path(str(prov.tests.__file__)).parent / "json"


@pytest.fixture(scope="module")
def samples() -> Store:
    """A store with all sample logs, also the run-wise one."""
    store = open_store("memory://")
    ingest(store, [NIGHT_LOG, SLIDES_LOG, RUN_LOG], on_problem=fail)
    return store


@pytest.fixture(scope="module")
def all_answers(samples: Store) -> list[dict[str, str]]:
    """The lineage and the impact of every entity in it."""
    return [answers(samples, lineage), answers(samples, impact)]


@every_format
def test_all_of_a_store_comes_back(samples: Store, format_name: str) -> None:
    again = exported(samples, tag_lineage(samples, EVERYTHING), format_name)

    assert stored_in(again) == stored_in(samples)


@pytest.mark.parametrize("format_name", ["prov-json", "prov-xml", "turtle"])
def test_every_answer_is_the_same(
    samples: Store, all_answers: list[dict[str, str]], format_name: str
) -> None:
    again = exported(samples, tag_lineage(samples, EVERYTHING), format_name)

    assert [answers(again, lineage), answers(again, impact)] == all_answers


@pytest.mark.parametrize(
    ("name", "format_name"),
    [
        pytest.param(DL2, "prov-json", id="json"),
        pytest.param(DL2, "prov-xml", id="xml"),
        pytest.param(DL2, "turtle", id="turtle"),
        pytest.param("dl1_LST-1.Run01808.0003.h5", "prov-json", id="one subrun"),
        pytest.param("datacheck_dl1_LST-1.Run01808.h5", "prov-json", id="check"),
        pytest.param("3faf7326d6b34c0b24da3c0e803c29c7", "prov-json", id="run-wise"),
    ],
)
def test_one_lineage_comes_back(samples: Store, name: str, format_name: str) -> None:
    again = exported(samples, lineage(samples, name), format_name)

    assert text_of(lineage(again, name)) == text_of(lineage(samples, name))


def test_a_lineage_brings_nothing_of_another_run(samples: Store) -> None:
    again = exported(samples, lineage(samples, DL2), "prov-json")

    content = json.dumps([*map(str, again.scan(f.ENTITIES))])
    assert "Run01808" not in content
    assert ":01808" not in content


def test_what_is_read_twice_is_there_once(samples: Store) -> None:
    answer = tag_lineage(samples, EVERYTHING)
    again = exported(samples, answer, "prov-json")
    before = stored_in(again)

    read_into(again, export(answer, samples, format_name="turtle"))

    assert stored_in(again) == before


def test_every_store_gives_the_same_document(store: Store, samples: Store) -> None:
    ingest(store, [NIGHT_LOG, SLIDES_LOG, RUN_LOG], on_problem=fail)

    written = [
        export(tag_lineage(one, EVERYTHING), one, format_name="prov-json")
        for one in (store, samples)
    ]

    assert written[0] == written[1]


@settings(max_examples=30)
@given(histories())
def test_any_history_comes_back(history: RandomHistory) -> None:
    store = remember(open_store("memory://"), *history.parts)

    again = exported(store, tag_lineage(store, EVERYTHING), "prov-json")

    assert stored_in(again) == stored_in(store)
    assert answers(again, lineage) == answers(store, lineage)


def test_a_member_that_counts_of_no_version_comes_back() -> None:
    """Two steps wrote the file, and none of them used the member."""
    used, member = file("/DL1/a.h5"), file("/DL1/b.h5")
    merged = replace(file("/DL1/merged.h5"), members=(used.id, member.id))
    steps = [
        Step(name="merge", used=[used], generated=[merged], start=n, end=n + 1)
        for n in (0, 2)
    ]
    store = remember(open_store("memory://"), used, member, merged, *steps)

    again = exported(store, tag_lineage(store, EVERYTHING), "prov-json")

    assert stored_in(again) == stored_in(store)


# What the stores hold as it is, and some that the formats have trouble with.
_TEXTS: Final = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.sampled_from(
        ["", " ", "\n", "a\r\nb", "\x00", "%(1)", "a.b", "1st", "\\'\"<&>"]
    ),
)
_VALUES: Final = st.recursive(
    st.one_of(
        *(st.none(), st.booleans(), st.integers(), _TEXTS),
        st.floats(allow_nan=False),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(_TEXTS, inner, max_size=3)
    ),
    max_leaves=6,
)


@every_format
@settings(max_examples=20)
@given(
    parameters=st.dictionaries(_TEXTS, _VALUES, max_size=4),
    more=st.dictionaries(_TEXTS.map(lambda text: f"x{text}"), _VALUES, max_size=2),
    path=_TEXTS,
    role=_TEXTS,
)
def test_any_value_comes_back(
    format_name: str,
    parameters: dict[str, Any],
    more: dict[str, Any],
    path: str,
    role: str,
) -> None:
    step = {"activity_id": "621ca2", "session_tag": "r0_to_dl1:01618"}
    store = open_store("memory://")
    store.write(
        fold(
            [
                {**step, "name": "r0_to_dl1", **more},
                {**step, "parameters": parameters},
                {"entity_id": "446f45", "filepath": path, **more},
                {**step, "used_id": "446f45", "used_role": role, **more},
                {**step, "generated_id": role, "generated_role": path},
                {**step, "endTime": "2020-05-18T14:18:06.362321", **more},
            ]
        )
    )

    again = exported(store, tag_lineage(store, EVERYTHING), format_name)

    assert stored_in(again) == stored_in(store)


@every_format
def test_what_a_write_does_and_where_it_was_recorded_comes_back(
    store: Store, format_name: str
) -> None:
    """Places, precision, nesting, dry runs, modes of writes and removals."""
    tagged = {"session_tag": "merge:01618"}
    parent, child = (
        {"activity_id": id_, "in_session": "7", **tagged}
        for id_ in ("621ca2", "621ca3")
    )
    folder = Folder()
    folder.add(
        {**parent, "name": "merge", "startTime": "2020-05-18T14:18:06.362321"},
        source="a1",
        place=3,
    )
    folder.add(
        {**child, "name": "move", "started_by": "621ca2", "dry_run": True},
        source="a1",
        place=4,
    )
    child, parent = (
        {name: one[name] for name in one if name != "in_session"}
        for one in (child, parent)
    )
    for record in (
        {"entity_id": "446f45", "filepath": "/DL2/a.h5"},
        {"entity_id": "6d2362", "filepath": "/DL2/b.h5"},
        {**parent, "generated_id": "446f45", "mode": "part", "generated_role": "DL2"},
        {**child, "used_id": "446f45"},
        {**child, "generated_id": "6d2362", "mode": "append"},
        {**child, "invalidated_id": "446f45", "invalidated_role": "source"},
        {**child, "invalidated_id": "9891ab", "invalidated_hash": "1f"},
    ):
        folder.add(record)
    folder.add(
        {**parent, "endTime": "2020-05-18T14:19:06.000001"}, source="a2", place=1
    )
    store.write(folder.take())

    again = exported(store, tag_lineage(store, EVERYTHING), format_name)

    assert stored_in(again) == stored_in(store)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem)
        for path in sorted(_CORPUS.glob("*.json"))
        if "_one_" not in path.stem
    ],
)
def test_a_document_of_the_corpus_is_kept(path: Path) -> None:
    """The library's own documents: every relation, bundles, languages, all types."""
    statements = read_document(path.read_bytes(), _JSON, path.name)
    store = open_store("memory://")
    read_into(store, path.read_bytes())

    written = export(tag_lineage(store, EVERYTHING), store, format_name="prov-json")

    again = read_document(written, _JSON, "export")
    assert {key(one) for one in statements} <= {key(one) for one in again}


def test_the_corpus_is_there() -> None:
    assert len(list(_CORPUS.glob("*.json"))) > 300


def key(statement: Statement) -> tuple[Any, ...]:
    """Return a statement in a form that compares: its attributes are a set."""
    attributes = [json.dumps(pair, sort_keys=True) for pair in statement.attributes]
    arguments = frozenset(statement.arguments)
    return (
        statement._replace(arguments=(), attributes=()),
        arguments,
        *sorted(attributes),
    )


def exported(store: Store, answer: Lineage, format_name: str) -> Store:
    """Return a new store with what an answer is exported as."""
    again = open_store("memory://")
    read_into(again, export(answer, store, format_name=format_name))
    return again


def read_into(store: Store, content: bytes) -> None:
    report = ingest(store, [BytesIO(content)], on_problem=fail)
    assert report.inputs == 1


def answers(store: Store, ask: Callable[..., Lineage]) -> dict[str, str]:
    """Return the JSON of what is asked of every entity."""
    return {
        entity[f.ID]: text_of(ask(store, entity[f.ID]))
        for entity in store.scan(f.ENTITIES)
    }


def text_of(answer: Lineage) -> str:
    return json.dumps(answer.to_dict())


def fail(problem: ReadError) -> None:
    raise problem
