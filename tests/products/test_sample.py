"""Products of the sample beside those that lstosa made of the very same run."""

from pathlib import Path
from typing import Any, Final

import pytest

from provdb.store import Store
from tests.products.conftest import Write
from tests.products.prov_json import entities, reached, read, relations

_THEIRS: Final = (
    Path(__file__).parents[1] / "data/lstosa-0.10.18/calibration_to_dl2_01807_prov.json"
)
_NAME: Final = "calibration_to_dl2_01807_prov.json"
# What differs from lstosa's product, and why.
_ADDED: Final = {
    ("01804-01809", None): "lstosa keeps one session, and renames it; the activities "
    "of the calibration name another one, which is in no product of lstosa"
}
_IDS: Final = {
    "01807": "lstosa writes the id of no session here: 2020-01-1701807, which no "
    "activity names",
    "Parameters": "it has the id of its activity",
    "R0Collection": "lstosa names it by the subrun that ended last",
    "DL1Collection": "lstosa has one id for what dl1ab read and what it wrote",
    "MuonsCollection": "its id says which subruns are in it",
    "DL1CheckCollection": "its id says which subruns are in it",
    "DL2Collection": "lstosa names it by the subrun that ended last",
}
_OF_ENTITIES: Final = {
    "prov:generatedAtTime": "lstosa takes the start of the calibration for the run's",
}
_OF_ACTIVITIES: Final = {"size": "how many subruns there are"}


@pytest.fixture(scope="module")
def theirs() -> dict[str, Any]:
    """The product of lstosa 0.10.18."""
    return read(_THEIRS)


@pytest.fixture
def ours(sample: Store, write: Write, folder: Path) -> dict[str, Any]:
    """The product of the same run, from what is stored of its subruns."""
    write(sample)
    return read(folder / _NAME)


def test_every_entity_of_lstosas_product_is_there(
    ours: dict[str, Any], theirs: dict[str, Any]
) -> None:
    added = set(entities(ours).values()) - set(entities(theirs).values())

    assert set(entities(theirs).values()) <= set(entities(ours).values())
    assert added == set(_ADDED)


def test_every_relation_of_lstosas_product_is_there_and_no_other(
    ours: dict[str, Any], theirs: dict[str, Any]
) -> None:
    assert len(relations(theirs)) == 33
    assert relations(ours) == relations(theirs)


def test_entities_have_the_ids_that_lstosa_gives_but_for_what_it_mixes(
    ours: dict[str, Any], theirs: dict[str, Any]
) -> None:
    mine, yours = entities(ours), entities(theirs)

    assert {yours[id_][0] for id_ in yours.keys() - mine.keys()} == set(_IDS)


def test_entities_and_activities_say_what_they_say_in_lstosas_product(
    ours: dict[str, Any], theirs: dict[str, Any]
) -> None:
    mine = {entities(ours)[id_]: told for id_, told in ours["entity"].items()}
    yours = {entities(theirs)[id_]: told for id_, told in theirs["entity"].items()}
    steps = {told["prov:label"]: told for told in ours["activity"].values()}

    assert {
        name
        for key, told in yours.items()
        for name, value in told.items()
        if mine[key].get(name) != value
    } == set(_OF_ENTITIES)
    assert [
        {
            name: value
            for name, value in steps[told["prov:label"]].items()
            if name not in _OF_ACTIVITIES
        }
        for told in theirs["activity"].values()
    ] == list(theirs["activity"].values())


def test_every_activity_has_its_session_and_who_ran_it(ours: dict[str, Any]) -> None:
    """Lstosa loses the session of a calibration, and links no agent to anything."""
    told = ours["wasAssociatedWith"].values()
    sessions = {
        link["prov:influencee"]: link["prov:influencer"]
        for link in ours["wasInfluencedBy"].values()
    }

    assert {link["prov:activity"] for link in told} == set(ours["activity"])
    assert {link["prov:agent"] for link in told} == {"id:Anonymous"}
    assert sessions == {
        id_: f"id:{told['in_session']}" for id_, told in ours["activity"].items()
    }
    assert set(sessions.values()) <= set(ours["entity"])


def test_dl2_leads_to_raw_data_and_calibration_without_a_loop(
    ours: dict[str, Any],
) -> None:
    (merged,) = (
        id_ for id_, (name, _) in entities(ours).items() if name == "DL2MergedFile"
    )

    assert {
        "R0Collection",
        "drs4_pedestal",
        "calibrate_charge",
        "RawObservationFile",
    } <= reached(ours, merged)
    assert not [
        (used["prov:activity"], used["prov:entity"])
        for used in ours["used"].values()
        for made in ours["wasGeneratedBy"].values()
        if (used["prov:activity"], used["prov:entity"])
        == (made["prov:activity"], made["prov:entity"])
    ]


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("calibration", ["drs4_pedestal", "calibrate_charge"]),
        ("r0_to_dl1", ["r0_to_dl1", "dl1ab", "dl1_datacheck"]),
        ("dl1_to_dl2", ["dl1_to_dl2"]),
        (
            "all",
            [
                "drs4_pedestal",
                "calibrate_charge",
                "r0_to_dl1",
                "dl1ab",
                "dl1_datacheck",
                "dl1_to_dl2",
            ],
        ),
    ],
)
def test_every_view_loads_in_prov_and_has_its_steps(
    sample: Store, write: Write, folder: Path, name: str, steps: list[str]
) -> None:
    from prov.model import ProvDocument

    write(sample, views=[name])

    path = folder / f"{name}_01807_prov.json"
    document = ProvDocument.deserialize(path, format="json")
    assert len(list(document.get_records())) > 10
    labels = [told["prov:label"] for told in read(path)["activity"].values()]
    assert labels == steps
