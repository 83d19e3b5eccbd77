"""A folder of everything: one lineage from DL3 to R0, across four packages."""

import shutil
from pathlib import Path

import pytest

from provdb.ingest import ingest
from provdb.lineage import WalkOptions, impact, lineage
from provdb.model import location_id
from provdb.store import Store, open_store
from tests.readers.dl3 import write_dl3
from tests.readers.reading import activities_of, roots_of
from tests.samples import CTAPIPE, LSTCHAIN_DL1, LSTCHAIN_DL2, NIGHT_LOG


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Logs of lstosa and ctapipe, files of lstchain, and two DL3 files."""
    folder = tmp_path_factory.mktemp("data")
    for place in ("logs", "lstchain", "DL3"):
        (folder / place).mkdir()
    shutil.copy(NIGHT_LOG, folder / "logs")
    shutil.copytree(CTAPIPE, folder / "ctapipe")
    shutil.copy(LSTCHAIN_DL1, folder / "lstchain")
    shutil.copy(LSTCHAIN_DL2, folder / "lstchain")
    write_dl3(folder / "DL3" / "dl3_LST-1.Run01807.fits")
    write_dl3(folder / "DL3" / "dl3_LST-1.Run01999.fits", run=1999)
    (folder / "lstchain_standard_config.json").write_text('{"picture_thresh": 8}')
    (folder / "notes.md").write_text("# Notes\n")
    return folder


@pytest.fixture(scope="module")
def mixed(folder: Path) -> Store:
    """The store that has read the folder."""
    store = open_store("memory://")
    report = ingest(store, [folder])
    counts = {name: found.inputs for name, found in report.formats.items()}
    assert counts == {"config": 1, "ctapipe": 2, "fits": 2, "hdf5": 4, "lstosa": 1}
    assert (report.others, report.unread, report.skipped) == (1, 0, 0)
    return store


def test_the_lineage_of_dl3_reaches_every_raw_subrun(mixed: Store) -> None:
    answer = lineage(mixed, "dl3_LST-1.Run01807.fits")

    raw = answer.files_of_level("R0")
    assert {node.subrun for node in raw if node.run == 1807} == set(range(11))
    assert {"dl1_to_dl2", "dl1ab", "r0_to_dl1", "drs4_pedestal"} <= {
        *activities_of(answer)
    }


def test_only_the_step_that_no_header_names_is_inferred(mixed: Store) -> None:
    answer = lineage(mixed, "dl3_LST-1.Run01807.fits")

    (inferred,) = (edge for edge in answer.edges if edge.rule is not None)
    assert (inferred.relation, inferred.rule) == ("wasDerivedFrom", "dl3_from_dl2")
    assert inferred.source.startswith(answer.start.partition("@")[0])


def test_without_inferred_links_the_lineage_ends_at_dl3(mixed: Store) -> None:
    options = WalkOptions(rules=())

    answer = lineage(mixed, "dl3_LST-1.Run01807.fits", options=options)

    assert len(answer.nodes) == 1


def test_a_dl3_file_of_another_run_is_linked_to_nothing(mixed: Store) -> None:
    assert len(lineage(mixed, "dl3_LST-1.Run01999.fits").nodes) == 1


def test_the_dl3_file_is_in_the_impact_of_every_raw_subrun(
    mixed: Store, folder: Path
) -> None:
    answer = impact(mixed, "LST-1.1.Run01807.0003.fits.fz")

    dl3 = location_id(str(folder / "DL3" / "dl3_LST-1.Run01807.fits"))
    assert dl3 in {node.entity for node in answer.nodes}


def test_a_file_of_ctapipe_that_was_moved_here_leads_to_its_raw_data(
    mixed: Store, folder: Path
) -> None:
    answer = lineage(mixed, str(folder / "ctapipe" / "dl1_LST-1.Run01807.h5"))

    assert activities_of(answer) == ["ctapipe-merge", *["ctapipe-process"] * 3]
    assert roots_of(answer) >= {
        f"/fefs/aswg/cta/LST-1.1.Run01807.000{n}.toy" for n in range(3)
    }
    assert not any(edge.rule for edge in answer.edges)


def test_a_file_of_lstchain_leads_to_its_models(mixed: Store, folder: Path) -> None:
    answer = lineage(mixed, str(folder / "lstchain" / "dl2_LST-1.Run01807.h5"))

    assert "/fefs/aswg/lst/models" in roots_of(answer)
    assert activities_of(answer) == ["lstchain_dl1_to_dl2"]
