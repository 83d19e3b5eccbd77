"""What the real logs of lstosa say, and generated nights: the raw data of each file."""

import re
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from provdb.ingest import ingest
from provdb.lineage import Lineage, WalkOptions, impact, lineage
from provdb.model import fields as f
from provdb.store import Store, open_store
from tests.lineage.logs import (
    RUN_WISE,
    SAMPLES,
    SLIDES,
    SUBRUN_WISE,
    called_for,
    products,
    raw_data,
    subruns_of,
)

_RAW = WalkOptions(leaf_level="R0")


@pytest.fixture(scope="module")
def subrun_wise() -> Store:
    """The log of a night of two runs with ten subruns each."""
    return _read(SUBRUN_WISE)


@pytest.fixture(scope="module")
def run_wise() -> Store:
    """The product log of a run, where subruns are collections."""
    return _read(RUN_WISE)


def test_every_product_of_a_night_leads_to_the_subruns_that_its_name_calls_for(
    subrun_wise: Store,
) -> None:
    raw = raw_data(subrun_wise)
    files = products(subrun_wise)

    found = {d[f.LOCATION]: _raw_data_behind(subrun_wise, d) for d in files}

    assert len(files) == 86
    assert found == {place: called_for(place, raw) for place in found}


def test_every_product_of_a_generated_night_leads_to_the_subruns_of_its_name(
    night: Store,
) -> None:
    raw = raw_data(night)
    files = products(night)

    found = {d[f.LOCATION]: _raw_data_behind(night, d) for d in files}

    assert {d[f.LEVEL] for d in files} == {"DL1", "DL2", "DL3"}
    assert found == {place: called_for(place, raw) for place in found}


def test_every_product_of_a_run_wise_log_leads_to_the_raw_data_of_the_run(
    run_wise: Store,
) -> None:
    files = products(run_wise)

    leaves = [lineage(run_wise, d[f.ID], options=_RAW).leaves for d in files]

    assert len(files) == 7
    assert {(leaf.name, leaf.run) for (leaf,) in leaves} == {("R0Collection", 1807)}


def test_the_slides_hold_no_product_and_their_raw_subrun_is_used_by_one_step() -> None:
    store = _read(SLIDES)

    answer = impact(store, "LST-1.1.Run01618.0008.fits.fz")

    assert products(store) == []
    assert [node.name for node in answer.nodes] == ["R0SubrunDataset", "r0_to_dl1"]


@pytest.mark.parametrize(
    ("name", "run"),
    [
        pytest.param("PedestalFile", 1804, id="pedestal"),
        pytest.param("CoefficientsCalibrationFile", 1809, id="charge"),
    ],
)
def test_a_calibration_file_leads_to_its_raw_calibration_run(
    subrun_wise: Store, run_wise: Store, night: Store, name: str, run: int
) -> None:
    stores = (subrun_wise, run_wise, night)

    found = [_raw_data_behind(store, _named(store, name)) for store in stores]

    assert found == [{(run, None)}] * 3


def test_the_lineage_of_a_subrun_names_files_of_no_other_subrun(
    subrun_wise: Store,
) -> None:
    answer = lineage(subrun_wise, "dl2_LST-1.Run01807.0007.h5")

    places = [node.location or "" for node in answer.nodes]
    named = {found for place in places for found in re.findall(r"1807\.(\d+)", place)}
    assert named == {"0007"}
    assert not [place for place in places if "Run01808" in place]


def test_the_impact_of_a_raw_subrun_has_what_its_run_merged_and_no_other_subrun(
    subrun_wise: Store,
) -> None:
    answer = impact(subrun_wise, "LST-1.1.Run01808.0003.fits.fz")

    names = {node.location.rpartition("/")[2] for node in answer.nodes if node.location}
    assert names == {
        "LST-1.1.Run01808.0003.fits.fz",
        "dl1_LST-1.Run01808.0003.h5",
        "muons_LST-1.Run01808.0003.fits",
        "datacheck_dl1_LST-1.Run01808.0003.h5",
        "datacheck_dl1_LST-1.Run01808.h5",
        "datacheck_dl1_LST-1.Run01808.pdf",
        "dl2_LST-1.Run01808.0003.h5",
        "dl2_LST-1.Run01808.h5",
    }


def test_nothing_in_a_real_night_is_cut_warned_of_or_of_unknown_origin(
    subrun_wise: Store,
) -> None:
    answers = [lineage(subrun_wise, d[f.ID]) for d in products(subrun_wise)]

    assert {answer.truncated for answer in answers} == {False}
    assert {answer.warnings for answer in answers} == {()}
    assert {
        (node.level, node.origin)
        for answer in answers
        for node in answer.nodes
        if node.id in answer.roots
    } == {("R0", "raw"), (None, "external"), (None, "gap")}


def test_overlapping_times_in_a_run_wise_log_are_marked_and_counted(
    run_wise: Store,
) -> None:
    """Its activities begin with their first subrun and end with their last one."""
    answer = lineage(run_wise, "dl2_LST-1.Run01807.h5")

    contested = [edge for edge in answer.edges if edge.is_contested]
    assert len(contested) == 2
    assert answer.completeness.contested == 2


@pytest.mark.mongo
@pytest.mark.parametrize("ask", [lineage, impact], ids=["lineage", "impact"])
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_both_stores_give_the_same_answers_byte_for_byte(
    mongo_store_uri: str, path: Any, ask: Callable[..., Lineage]
) -> None:
    local = _read(path)
    ids = [document[f.ID] for document in local.scan(f.ENTITIES)]
    with open_store(mongo_store_uri) as server:
        ingest(server, [path])

        answers = {one: _json(ask(server, one, options=_RAW)) for one in ids}

    assert answers == {one: _json(ask(local, one, options=_RAW)) for one in ids}


def _read(path: Any) -> Store:
    store = open_store("memory://")
    ingest(store, [path])
    return store


def _named(store: Store, name: str) -> dict[str, Any]:
    (found,) = (d for d in store.scan(f.ENTITIES) if d.get(f.NAME) == name)
    return found


def _raw_data_behind(store: Store, document: dict[str, Any]) -> set[Any]:
    return subruns_of(lineage(store, document[f.ID], options=_RAW).leaves)


def _json(answer: Lineage) -> bytes:
    return orjson.dumps(answer.to_dict())
