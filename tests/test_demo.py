"""The simulated night: captured as a real one, the same each time, and kept apart."""

import logging
from pathlib import Path

import pytest

from provdb.capture.definition import get_definition
from provdb.demo import DEMO_CALIBRATION, DEMO_PRODUCT, store_demo
from provdb.lineage import WalkOptions, impact, lineage
from provdb.model import fields as f
from provdb.store import Store, open_store
from tests.capture.recorder import Recorder

_ROOT = Path(__file__).parents[1]
_EXAMPLE = _ROOT / "examples" / "lst_definition.yaml"


def test_simulating_the_night_again_changes_nothing(store: Store) -> None:
    first = store_demo(store)
    before = {name: list(store.scan(name)) for name in f.COLLECTIONS}

    again = store_demo(store)

    assert again == first
    assert {name: list(store.scan(name)) for name in f.COLLECTIONS} == before


def test_the_night_has_every_step_of_every_subrun(store: Store) -> None:
    store_demo(store)

    activities = list(store.scan(f.ACTIVITIES))
    names = [document[f.NAME] for document in activities]
    assert {name: names.count(name) for name in names} == {
        "drs4_pedestal": 1,
        "calibrate_charge": 1,
        "r0_to_dl1": 10,
        "dl1ab": 10,
        "dl1_datacheck": 10,
        "dl1_to_dl2": 10,
        "merge_dl2": 2,
        "dl2_to_dl3": 2,
    }
    assert {document[f.STATUS] for document in activities} == {"completed"}


def test_its_dl3_file_comes_from_the_subruns_of_its_run(store: Store) -> None:
    store_demo(store)

    answer = lineage(store, DEMO_PRODUCT, options=WalkOptions(leaf_level="R0"))

    assert [(leaf.run, leaf.subrun) for leaf in answer.leaves] == [
        (1807, subrun) for subrun in range(5)
    ]


def test_its_calibration_is_in_both_runs(store: Store) -> None:
    store_demo(store)

    answer = impact(store, DEMO_CALIBRATION, options=WalkOptions(leaf_level="DL3"))

    assert [leaf.run for leaf in answer.leaves] == [1807, 1808]


def test_the_definition_is_an_example_and_has_no_mistake() -> None:
    definition = get_definition(_EXAMPLE)

    assert _EXAMPLE.samefile(_ROOT / "provdb" / "demo" / "definition.yaml")
    assert len(definition.activities) == 8


def test_the_night_is_not_recorded_among_what_the_process_records(
    capsys: pytest.CaptureFixture[str],
) -> None:
    recorded = Recorder()
    logger = logging.getLogger("provdb")
    logger.addHandler(recorded)

    store_demo(open_store("memory://"))

    logger.removeHandler(recorded)
    assert recorded.records == []
    assert capsys.readouterr().err == ""
