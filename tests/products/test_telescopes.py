"""Runs of one number of several telescopes are told apart, run by run."""

from pathlib import Path
from typing import Any

import pytest

from provdb.compare import diff
from provdb.errors import NotFound
from provdb.products import write_products
from provdb.sessions import list_sessions
from provdb.store import Store
from tests.lineage.histories import Step, file, stored

_DRAWN: dict[str, Any] = {"has_graphs": False, "on_problem": lambda _: None}


def _steps(telescope: int, *, tag: str = "21000", **options: Any) -> list[Step]:
    dl1 = [
        file(f"/DL1/dl1_LST-{telescope}.Run{tag}.{subrun:04d}.h5", "DL1SubrunDataset")
        for subrun in (0, 1)
    ]
    raw = [
        file(f"/R0/LST-{telescope}.1.Run{tag}.{subrun:04d}.fits.fz", "R0SubrunDataset")
        for subrun in (0, 1)
    ]
    dl2 = file(f"/DL2/dl2_LST-{telescope}.Run{tag}.h5", "DL2MergedFile")
    common = {"session": f"s{tag}", **options}
    return [
        *(
            Step(
                name="r0_to_dl1", used=[r0], generated=[made], start=1 + number,
                end=2 + number, tag=f"r0_to_dl1:{tag}", **common,
            )
            for number, (r0, made) in enumerate(zip(raw, dl1, strict=True))
        ),
        Step(
            name="dl1_to_dl2", used=dl1, generated=[dl2], start=8, end=9,
            tag=f"dl1_to_dl2:{tag}", **common,
        ),
    ]  # fmt: skip  # A step a line or two.


@pytest.fixture
def three() -> Store:
    """A store with a run of one number of three telescopes, and another run of one."""
    return stored(
        *_steps(1), *_steps(2), *_steps(4), *_steps(1, tag="21001", session="other")
    )


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.json"))


def test_each_telescope_has_products_of_its_own(three: Store, tmp_path: Path) -> None:
    write_products(three, 21000, tmp_path, views=["dl1_to_dl2"], **_DRAWN)

    assert _files(tmp_path) == [
        f"dl1_to_dl2_LST-{telescope}_21000_prov.json" for telescope in (1, 2, 4)
    ]


def test_products_of_one_telescope_hold_nothing_of_another(
    three: Store, tmp_path: Path
) -> None:
    write_products(three, 21000, tmp_path, telescope="LST2", views=["all"], **_DRAWN)

    (path,) = tmp_path.glob("*.json")
    assert path.name == "all_LST-2_21000_prov.json"
    assert "LST-2" in path.read_text()
    assert "LST-1" not in path.read_text()


def test_a_run_of_one_telescope_has_products_without_its_name(
    three: Store, tmp_path: Path
) -> None:
    write_products(three, 21001, tmp_path, telescope="LST-1", views=["all"], **_DRAWN)

    assert _files(tmp_path) == ["all_21001_prov.json"]


def test_a_telescope_without_the_run_is_not_found(three: Store, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="known are LST-1, LST-2, LST-4"):
        write_products(three, 21000, tmp_path, telescope="LST-3", **_DRAWN)

    assert list(tmp_path.iterdir()) == []


def test_sessions_of_a_telescope_are_listed(three: Store) -> None:
    everything = [row["session_tag"] for row in list_sessions(three)]
    of_two = [row["session_tag"] for row in list_sessions(three, telescope="LST-2")]

    assert set(of_two) == {tag for tag in everything if tag.endswith(":21000")}


@pytest.mark.parametrize(
    ("a", "b", "telescope", "counts"),
    [
        pytest.param("run:21000", "run:21001", None, (9, 3), id="all"),
        pytest.param("run:21000", "run:21001", "LST-1", (3, 3), id="one"),
        pytest.param("run:21000/LST-2", "run:21000/LST4", None, (3, 3), id="each"),
    ],
)
def test_runs_of_telescopes_are_compared(
    three: Store, a: str, b: str, telescope: str | None, counts: tuple[int, int]
) -> None:
    assert diff(three, a, b, telescope=telescope).activities == counts


def test_a_side_without_the_telescope_is_not_found(three: Store) -> None:
    with pytest.raises(NotFound, match="is of LST-2"):
        diff(three, "run:21000", "run:21001", telescope="LST-2")
