"""Telescopes, streams and folders are kept apart where files are shown as one."""

import pytest

from provdb.lineage import collapse, lineage
from provdb.lineage.result import Lineage, LineageEdge, LineageNode
from provdb.lineage.telescopes import telescopes
from provdb.lineage.tree import tree
from provdb.model.settings import with_rules
from provdb.store import Store
from tests.lineage.histories import Step, file, remember, stored


def _raw(telescope: int, stream: int) -> LineageNode:
    path = f"/R0/20240110/LST-{telescope}.{stream}.Run02032.0192.fits.fz"
    return LineageNode(
        f"{telescope}.{stream}",
        "entity",
        "RawStream",
        path,
        "R0",
        run=2032,
        subrun=192,
        origin="raw",
        telescope=f"LST-{telescope}",
        stream=stream,
    )


def _derived(*sources: LineageNode) -> Lineage:
    made = LineageNode("dl1", "entity", "DL1SubrunDataset", "/dl1.h5", "DL1")
    return Lineage(
        question={"direction": "upstream"},
        start=made.id,
        nodes=(made, *sources),
        edges=tuple(LineageEdge("dl1", s.id, "wasDerivedFrom") for s in sources),
    )


def test_the_streams_of_a_subrun_are_one_line() -> None:
    answer = _derived(*(_raw(1, stream) for stream in (1, 2, 3, 4)))

    rows = list(tree(answer))

    assert [len(row.files) for row in rows] == [1, 4]


def test_telescopes_have_a_line_each() -> None:
    answer = _derived(*(_raw(telescope, 1) for telescope in (1, 2, 4)))

    rows = list(tree(answer))

    assert [len(row.files) for row in rows] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("folders", "shown"),
    [
        pytest.param(("/cal/v1", "/cal/v2"), ["v1/", "v2/"], id="last folder"),
        pytest.param(("/v1/pro", "/v2/pro"), ["v1/pro/", "v2/pro/"], id="one above"),
    ],
)
def test_files_of_one_name_have_a_line_each_with_their_folder(
    folders: tuple[str, ...], shown: list[str]
) -> None:
    files = [
        LineageNode(
            folder,
            "entity",
            "CoefficientsCalibrationFile",
            f"{folder}/calibration_filters_52.Run03199.0000.h5",
            run=3199,
            subrun=0,
            origin="external",
        )
        for folder in folders
    ]

    rows = list(tree(_derived(*files)))
    collapsed = list(tree(collapse(_derived(*files), to="run")))

    assert [row.folder for row in rows] == ["", *shown]
    assert [row.folder for row in collapsed] == ["", *shown]


def test_telescopes_that_rules_of_the_store_name_are_kept_apart(store: Store) -> None:
    rule = {
        "name": "magic",
        "file": r"^\d{8}_M(?P<telescope>\d)_(?P<run>\d{8})\.(?P<subrun>\d{3})_Y_",
        "telescope": r"MAGIC-\g<telescope>",
        "level": "DL1",
    }
    store.change_settings(lambda known: with_rules(known, naming_rules=[rule]))
    files = {
        number: file(f"/m/20240110_M{number}_05012345.001_Y_Crab.root")
        for number in (1, 2)
    }
    merged = file("/m/merged.h5")
    remember(
        store,
        *(
            Step(name="star", generated=[one], tag="star:05012345")
            for one in files.values()
        ),
        Step(
            name="merge", used=list(files.values()), generated=[merged], start=5, end=6
        ),
    )

    answer = lineage(store, merged.id)

    assert {node.telescope for node in answer.nodes} == {"MAGIC-1", "MAGIC-2", None}
    assert set(telescopes(answer).values()) == {"MAGIC-1", "MAGIC-2"}
    assert [len(row.files) for row in tree(answer)] == [1, 1, 1]


def test_steps_of_telescopes_are_collapsed_apart() -> None:
    steps = [
        Step(
            name="r0_to_dl1",
            used=[file(f"/R0/LST-{telescope}.1.Run00001.{subrun:04d}.fits.fz")],
            generated=[file(f"/DL1/dl1_LST-{telescope}.Run00001.{subrun:04d}.h5")],
            tag="r0_to_dl1:00001",
        )
        for telescope in (1, 2)
        for subrun in (0, 1)
    ]
    made = [entity for step in steps for entity in step.generated]
    stereo = file("/DL1/dl1_stereo.h5")
    merge = Step(name="stereo", used=made, generated=[stereo], tag="stereo:1")

    answer = lineage(stored(*steps, merge), stereo.id)
    collapsed = collapse(answer, to="run")

    sizes = [node.size for node in collapsed.nodes if node.name == "r0_to_dl1"]
    assert sizes == [2, 2]
