"""What names say stands in the documents of entities, where it is known."""

from typing import Any

import pytest

from provdb.model import fold

_ALWAYS = {"level", "run", "subrun"}
_NAMED = {"telescope", "stream", "particle", "data_kind", "date", "simulation_run"}


def _named(**record: Any) -> dict[str, Any]:
    (document,) = fold([{"entity_id": "a1", **record}])["entities"]
    return {name: document[name] for name in _ALWAYS | _NAMED if name in document}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param(
            {"filepath": "/R0/20240110/LST-2.4.Run02032.0192.fits.fz"},
            {
                "level": "R0", "run": 2032, "subrun": 192, "telescope": "LST-2",
                "stream": 4, "data_kind": "events", "date": "2024-01-10",
            },
            id="all that a name says",
        ),
        pytest.param(
            {"filepath": "/here/a.h5"},
            {"level": None, "run": None, "subrun": None},
            id="a name that says nothing",
        ),
        pytest.param(
            {"filepath": "/mc/dl1_gamma_20deg_run1000.h5"},
            {
                "level": "DL1", "run": None, "subrun": None, "simulation_run": 1000,
                "particle": "gamma", "data_kind": "simulated_events",
            },
            id="a simulation has no run of an observation",
        ),
        pytest.param(
            {"filepath": "/here/a.h5", "data_level": "DL2", "observation_run": 12},
            {"level": "DL2", "run": 12, "subrun": None, "data_kind": "events"},
            id="what a file says of itself",
        ),
        pytest.param(
            {"filepath": "/mc/dl2_Protons_merged.h5", "observation_run": 12},
            {
                "level": "DL2", "run": None, "subrun": None, "simulation_run": 12,
                "particle": "proton", "data_kind": "simulated_events",
            },
            id="what a simulated file says of itself",
        ),
        pytest.param(
            {"filepath": "/here/dl1_LST-1.Run00000.h5", "observation_run": 12},
            {
                "level": "DL1", "run": 0, "subrun": None, "telescope": "LST-1",
                "data_kind": "events",
            },
            id="run 0 is a run",
        ),
    ],
)  # fmt: skip  # A name and what it says, not a line for each field.
def test_a_document_says_what_its_names_say(
    record: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert _named(**record) == expected
