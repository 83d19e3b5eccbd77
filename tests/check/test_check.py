"""What is wrong with captured provenance: each kind, and nothing where all is well."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

import provdb
from provdb.capture.definition import get_definition, parse_definition
from provdb.check import KINDS, Finding, check
from provdb.model import fold
from provdb.store import Store
from tests.lineage.histories import File, Step, collection, file, remember, undescribed

_LST = Path(__file__).parents[2] / "examples/lst_definition.yaml"
_DEFINITION = parse_definition(
    """
activities:
  r0_to_dl1:
    usage:
      - {role: Observation subrun, entityName: R0SubrunDataset, value: raw}
      - {role: Pedestal file, entityName: PedestalFile, value: pedestal}
    generation:
      - {role: DL1 subrun dataset, entityName: DL1SubrunDataset, value: result}
  dl1ab:
    usage:
      - {role: DL1, entityName: DL1SubrunDataset, value: dl1, overwrite: true}
entities:
  R0SubrunDataset: {type: File}
  PedestalFile: {type: File}
  DL1SubrunDataset: {type: File}
"""
)
_RAW = file("/R0/LST-1.1.Run01618.0008.fits.fz", "R0SubrunDataset")
# It names no run: like a catalogue, it may be from anywhere.
_PEDESTAL = file("/cal/drs4_pedestal.fits", "PedestalFile")
_DL1 = file("/DL1/dl1_LST-1.Run01618.0008.h5", "DL1SubrunDataset")


def _step(**options: Any) -> Step:
    whole: dict[str, Any] = {
        "name": "r0_to_dl1",
        "used": [
            _RAW.link(role="Observation subrun"),
            _PEDESTAL.link(role="Pedestal file"),
        ],
        "generated": [_DL1.link(role="DL1 subrun dataset")],
    }
    return Step(**{**whole, **options})


def _with_session(store: Store, *steps: Step | File) -> Store:
    remember(store, *steps)
    sessions = [
        {"session_id": step.session, "session_tag": step.session_tag, "system": {}}
        for step in steps
        if isinstance(step, Step)
    ]
    store.write(fold(sessions))
    return store


def _said(findings: Iterable[Finding]) -> list[tuple[str, str | None, str, int]]:
    return [(one.kind, one.step, one.detail, one.count) for one in findings]


def test_nothing_is_wrong_with_what_is_whole(store: Store) -> None:
    _with_session(store, _step())

    report = check(store, definition=_DEFINITION)

    assert (report.activities, report.entities) == (1, 3)
    assert report.findings == ()


def test_an_empty_store_has_nothing_wrong(memory: Store) -> None:
    memory.initialise()

    assert check(memory, definition=_DEFINITION).to_dict() == {
        "activities": 0,
        "entities": 0,
        "findings": [],
    }


@pytest.mark.parametrize(
    ("step", "finding"),
    [
        pytest.param(
            _step(used=[_RAW.link(role="Observation subrun")]),
            ("missing role", "r0_to_dl1", "used: Pedestal file", 1),
            id="missing usage",
        ),
        pytest.param(
            _step(generated=[]),
            ("missing role", "r0_to_dl1", "generated: DL1 subrun dataset", 1),
            id="missing generation",
        ),
        pytest.param(
            _step(
                generated=[
                    _DL1.link(role="DL1 subrun dataset"),
                    _DL1.link(role="Extra"),
                ]
            ),
            ("undeclared role", "r0_to_dl1", "generated: Extra", 1),
            id="undeclared role",
        ),
        pytest.param(
            _step(
                used=[
                    file("/R0/x.fits", "RawFile").link(role="Observation subrun"),
                    _PEDESTAL.link(role="Pedestal file"),
                ]
            ),
            ("undeclared entity", "r0_to_dl1", "used: RawFile", 1),
            id="undeclared entity",
        ),
        pytest.param(
            _step(name="r0_to_dl2"),
            ("undeclared activity", "r0_to_dl2", "not in the definition", 1),
            id="undeclared activity",
        ),
        pytest.param(
            _step(end=None), ("no end", "r0_to_dl1", "running", 1), id="no end"
        ),
        pytest.param(
            _step(
                used=[
                    undescribed("0dd0").link(role="Observation subrun"),
                    _PEDESTAL.link(role="Pedestal file"),
                ]
            ),
            ("dangling link", "r0_to_dl1", "used: Observation subrun", 1),
            id="undescribed entity",
        ),
    ],
)
def test_each_fault_of_an_activity_is_found(
    memory: Store, step: Step, finding: tuple[str, str | None, str, int]
) -> None:
    _with_session(memory, step)

    assert _said(check(memory, definition=_DEFINITION).findings) == [finding]


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_a_step_that_did_not_complete_may_lack_roles(
    memory: Store, status: str
) -> None:
    _with_session(memory, _step(generated=[], status=status))

    assert check(memory, definition=_DEFINITION).findings == ()


def test_what_is_changed_in_place_is_generated_in_the_role_in_which_it_is_used(
    memory: Store,
) -> None:
    changed = _DL1.link(role="DL1")
    step = Step(name="dl1ab", used=[changed], generated=[changed], start=2, end=3)
    _with_session(memory, _step(), step)

    assert check(memory, definition=_DEFINITION).findings == ()


def test_one_fault_of_many_activities_is_one_finding_with_the_first_as_example(
    store: Store,
) -> None:
    steps = [_step(generated=[], id=f"62{number}") for number in range(3)]
    _with_session(store, *steps)
    first = min(document["_id"] for document in store.scan("activities"))

    (finding,) = check(store, definition=_DEFINITION).findings

    assert (finding.count, finding.example) == (3, first)
    assert finding.session_tag == "r0_to_dl1:01807"


def test_without_a_definition_only_the_provenance_itself_is_looked_at(
    memory: Store,
) -> None:
    _with_session(memory, _step(generated=[], name="anything"))

    assert check(memory).findings == ()


def test_one_id_of_two_activities_of_a_tag_is_found(store: Store) -> None:
    """Ids of lstosa have 24 bits."""
    _with_session(store, _step(id="621ca2"), _step(id="621ca2", start=3, end=4))

    assert _said(check(store).findings) == [
        ("id collision", "r0_to_dl1", "activity_id 621ca2", 2)
    ]


def test_statements_without_their_start_are_found(memory: Store) -> None:
    remember(memory, _RAW)
    memory.write(fold([{"activity_id": "621ca2", "used_id": _RAW.id}]))

    assert _said(check(memory).findings) == [
        ("no start", None, "activity_id 621ca2", 1)
    ]


def test_an_activity_of_a_session_that_no_record_describes_is_found(
    memory: Store,
) -> None:
    remember(memory, _step())

    assert _said(check(memory).findings) == [
        ("unknown session", "r0_to_dl1", "no record of the session", 1)
    ]


@pytest.mark.parametrize(
    ("entity", "detail"),
    [
        pytest.param(
            _DL1.derived(undescribed("0dd0")),
            "DL1SubrunDataset: derived from 0dd0",
            id="progenitor",
        ),
        pytest.param(
            collection("c011").holding(undescribed("0dd0")),
            "DL1Collection: member 0dd0",
            id="member",
        ),
    ],
)
def test_an_entity_that_comes_from_what_nobody_describes_is_found(
    memory: Store, entity: File, detail: str
) -> None:
    remember(memory, entity)

    assert _said(check(memory).findings) == [("dangling link", None, detail, 1)]


def test_the_demo_is_as_the_definition_of_the_lst_says_but_for_one_role() -> None:
    """No step of it uses interleaved pedestal events."""
    store = provdb.open_store("memory://")
    provdb.store_demo(store)

    report = check(store, definition=get_definition(_LST))

    assert _said(report.findings) == [
        ("missing role", "r0_to_dl1", "used: Interleaved pedestal events file", 10)
    ]
    assert {finding.kind for finding in report.findings} <= set(KINDS)
