"""A file that carries its provenance restores all of it, wherever it is ingested."""

import json
import shutil
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from astropy.io import fits
from hypothesis import HealthCheck, given, settings

from provdb.embed import content_of, embed
from provdb.errors import Ambiguous, ReadError
from provdb.export import export
from provdb.export.prov_json import prov_json
from provdb.files import get_file
from provdb.ingest import ingest
from provdb.lineage import Lineage, impact, lineage
from provdb.model import fields as f
from provdb.model import fold, location_id
from provdb.readers.embedded import Embedded, embedded_records
from provdb.store import Store, open_store
from tests.benchmarks.night import Night, write
from tests.embed.products import FITS, FORMATS, HDF5, history_of, write_product
from tests.lineage.histories import Step, file, remember
from tests.lineage.random_histories import RandomHistory, histories
from tests.samples import stored_in

every_format = pytest.mark.parametrize("name", FORMATS)


@pytest.fixture
def there() -> Store:
    """A store somewhere else, with nothing in it."""
    return open_store("memory://")


@pytest.fixture
def product(tmp_path: Path, store: Store, name: str) -> Path:
    """A file of a format whose history is in the store, with what it says itself."""
    path = write_product(tmp_path / name)
    history_of(store, path)
    ingest(store, [path], on_problem=_fail)
    return path


@every_format
def test_the_answer_elsewhere_is_the_same_byte_for_byte(
    store: Store, there: Store, product: Path
) -> None:
    embed(store, str(product))

    ingest(there, [product], on_problem=_fail)

    assert _text(there, str(product)) == _text(store, str(product))


@every_format
def test_all_that_was_known_of_its_ancestry_is_there(
    store: Store, there: Store, product: Path
) -> None:
    embed(store, str(product))

    ingest(there, [product], on_problem=_fail)

    here, found = stored_in(store), stored_in(there)
    ids = {node.entity for node in lineage(store, str(product)).nodes}
    named = [line for line in here[f.ENTITIES] if json.loads(line)["_id"] in ids]
    assert {name: found[name] for name in found if name != f.ENTITIES} == {
        name: here[name] for name in here if name != f.ENTITIES
    } | {f.ACTIVITIES: found[f.ACTIVITIES]}
    assert [one for one in found[f.ENTITIES] if one not in here[f.ENTITIES]] == []
    assert [one for one in named if one not in found[f.ENTITIES]] == []
    assert get_file(there, "lst.json") == b"{}"


@every_format
def test_where_it_came_from_nothing_is_new(store: Store, product: Path) -> None:
    before = stored_in(store)
    embed(store, str(product))

    report = ingest(store, [product], on_problem=_fail)

    assert report.skipped == 0
    assert stored_in(store) == before


@every_format
def test_a_file_that_was_moved_leads_to_all_by_its_name_and_by_its_path(
    store: Store, there: Store, product: Path, tmp_path: Path
) -> None:
    embed(store, str(product))
    moved = tmp_path / "other home" / product.name
    moved.parent.mkdir()
    shutil.move(product, moved)

    ingest(there, [moved], on_problem=_fail)

    origin = lineage(store, product.name)
    by_path = lineage(there, str(moved))
    (link,) = (edge for edge in by_path.edges if edge.source == by_path.start)
    assert _ids(lineage(there, product.name)) == _ids(origin)
    assert by_path.start.startswith(location_id(str(moved)))
    assert _ids(by_path) == {*_ids(origin), by_path.start}
    assert (link.relation, link.target) == ("wasDerivedFrom", origin.start)
    raw = impact(there, "LST-1.1.Run01807.0000.fits.fz")
    assert by_path.start in {node.id for node in raw.nodes}


def test_two_copies_of_a_file_are_asked_for_by_their_paths(
    store: Store, there: Store, tmp_path: Path
) -> None:
    history_of(store, Path(f"/fefs/{HDF5}"))
    places = [tmp_path / folder / HDF5 for folder in "ab"]
    for place in places:
        place.parent.mkdir()
        embed(store, str(write_product(place)))

    ingest(there, places, on_problem=_fail)

    assert lineage(there, f"fefs/{HDF5}").start.startswith(location_id(f"/fefs/{HDF5}"))
    assert len({lineage(there, str(place)).start for place in places}) == 2


def test_what_a_tool_carried_into_another_product_is_no_copy(
    store: Store, there: Store, tmp_path: Path
) -> None:
    path = write_product(tmp_path / HDF5)
    history_of(store, path)
    embed(store, str(path))
    other = tmp_path / "dl3_LST-1.Run01807.h5"
    shutil.move(path, other)

    ingest(there, [other], on_problem=_fail)

    answer = lineage(there, str(other))
    (document,) = there.read(f.ENTITIES, [location_id(str(other))])
    assert location_id(str(path)) in {node.entity for node in answer.nodes}
    assert [sorted(one) for one in document[f.DERIVED_FROM]] == [["entity"]]


@pytest.mark.parametrize("name", [HDF5, FITS])
def test_what_a_tool_carried_into_a_file_of_that_name_is_no_copy(
    store: Store, there: Store, product: Path, tmp_path: Path
) -> None:
    embed(store, str(product))
    other = tmp_path / "tailcut84" / product.name
    other.parent.mkdir()
    shutil.move(product, other)
    _add_something(other)

    ingest(there, [other], on_problem=_fail)

    (document,) = there.read(f.ENTITIES, [location_id(str(other))])
    assert [sorted(one) for one in document[f.DERIVED_FROM]] == [["entity"]]
    with pytest.raises(Ambiguous):
        lineage(there, product.name)


def test_what_others_stated_is_restored_as_they_stated_it(
    store: Store, there: Store, tmp_path: Path
) -> None:
    path = write_product(tmp_path / HDF5)
    document = {
        "prefix": {"ex": "http://example.org/"},
        "entity": {
            "ex:dl2": {"prov:location": str(path), "ex:quality": "good"},
            "ex:dl1": {"prov:label": "DL1"},
        },
        "activity": {"ex:reduce": {"prov:startTime": "2020-01-17T20:00:00Z"}},
        "used": {"_:u": {"prov:activity": "ex:reduce", "prov:entity": "ex:dl1"}},
        "wasGeneratedBy": {
            "_:g": {"prov:activity": "ex:reduce", "prov:entity": "ex:dl2"}
        },
    }
    foreign = tmp_path / "theirs.json"
    foreign.write_text(json.dumps(document))
    ingest(store, [foreign], on_problem=_fail)
    embed(store, str(path))

    ingest(there, [path], on_problem=_fail)

    name = "http://example.org/dl2"
    assert _text(there, name) == _text(store, name)
    stated = export(lineage(there, name), there, format_name="prov-json")
    assert b"quality" in stated


def test_files_of_one_history_together_are_the_whole_of_it(
    store: Store, there: Store, tmp_path: Path
) -> None:
    paths = [write_product(tmp_path / f"dl2_LST-1.Run0180{n}.h5") for n in range(3)]
    raw = file("/R0/LST-1.1.Run01807.0000.fits.fz", "R0SubrunDataset")
    made = [file(str(path)) for path in paths]
    remember(store, Step(name="split", used=[raw], generated=made))
    for path in paths:
        embed(store, str(path))
    ingest(there, [tmp_path], on_problem=_fail)
    ingest(store, [tmp_path], on_problem=_fail)

    assert stored_in(there)[f.ACTIVITIES] == stored_in(store)[f.ACTIVITIES]


def test_a_failed_write_is_in_doubt_elsewhere_too(store: Store) -> None:
    raw = file("/R0/LST-1.1.Run01807.0000.fits.fz", "R0SubrunDataset")
    dl1 = file("/DL1/dl1_LST-1.Run01807.0000.h5", "DL1SubrunDataset")
    dl2 = file("/DL2/dl2_LST-1.Run01807.0000.h5", "DL2SubrunDataset")
    steps = [
        Step(name="r0_to_dl1", used=[raw], generated=[dl1], end=1),
        Step(
            name="r0_to_dl1",
            used=[raw],
            generated=[dl1],
            start=2,
            end=3,
            status="failed",
        ),
        Step(name="dl1_to_dl2", used=[dl1], generated=[dl2], start=4, end=5),
    ]
    remember(store, raw, dl1, dl2, *steps)

    there = _restored(store, dl2.id)

    assert lineage(there, dl2.id).completeness.damaged
    assert _text(there, dl2.id) == _text(store, dl2.id)


def test_writes_after_the_last_step_are_not_embedded(store: Store) -> None:
    raw = file("/R0/LST-1.1.Run01807.0000.fits.fz", "R0SubrunDataset")
    dl1 = file("/DL1/dl1_LST-1.Run01807.0000.h5", "DL1SubrunDataset")
    dl2 = file("/DL2/dl2_LST-1.Run01807.0000.h5", "DL2SubrunDataset")
    later = Step(name="r0_to_dl1", used=[raw], generated=[dl1], start=5, end=6)
    remember(
        store,
        *(raw, dl1, dl2),
        Step(name="r0_to_dl1", used=[raw], generated=[dl1], end=1),
        Step(name="dl1_to_dl2", used=[dl1], generated=[dl2], start=2, end=3),
    )
    before = content_of(store, dl2.id)

    remember(store, later)

    assert content_of(store, dl2.id).text == before.text


# Where rules cannot choose between two files, only both of them say so.
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(histories())
def test_any_history_answers_elsewhere_as_before(history: RandomHistory) -> None:
    store = remember(open_store("memory://"), *history.parts)
    asked = [one[f.ID] for one in store.scan(f.ENTITIES)]
    origins = {name: lineage(store, name) for name in asked}
    known = {
        name: answer
        for name, answer in origins.items()
        if answer.edges and not any("can be any" in one for one in answer.warnings)
    }

    restored = {name: _restored(store, name) for name in known}

    assert {name: _text(restored[name], name) for name in known} == {
        name: json.dumps(answer.to_dict()) for name, answer in known.items()
    }


def test_a_merged_product_of_a_hundred_subruns_is_small_and_quick(
    tmp_path: Path, there: Store
) -> None:
    write(Night(subruns=100), tmp_path / "prov.log")
    store = open_store("memory://")
    ingest(store, [tmp_path / "prov.log"], on_problem=_fail)
    path = write_product(tmp_path / HDF5)
    size = path.stat().st_size

    begun = time.process_time()
    done = embed(store, str(path))
    embedding = time.process_time() - begun
    ingest(there, [path], on_problem=_fail)

    assert done.activities > 300
    assert done.size < 2_000_000
    assert path.stat().st_size - size < 200_000
    assert embedding < 5
    assert _text(there, done.location) == _text(store, done.location)


def test_a_document_without_a_product_links_nothing(tmp_path: Path) -> None:
    embedded = Embedded(text=prov_json([]))

    records = embedded_records(
        embedded,
        location="/a.h5",
        file_size=None,
        source="a.h5",
        on_problem=_fail,
    )

    assert list(records) == []


def _add_something(path: Path) -> None:
    if path.suffix == ".h5":
        with h5py.File(path, "a") as opened:
            opened["dl1/more"] = np.arange(10_000)
    else:
        fits.append(path, np.arange(10_000))


def _restored(store: Store, name: str) -> Store:
    restored = open_store("memory://")
    content = content_of(store, name)
    records = embedded_records(
        Embedded(text=content.text),
        location=content.location,
        file_size=None,
        source=name,
        on_problem=_fail,
    )
    restored.write(fold(records))
    return restored


def _text(store: Store, name: str) -> str:
    return json.dumps(lineage(store, name).to_dict())


def _ids(answer: Lineage) -> set[str]:
    return {node.id for node in answer.nodes}


def _fail(problem: ReadError) -> None:
    raise problem
