"""What a line of a tree calls files that differ in stream, subrun or folder."""

import io

import pytest
from rich.console import Console

from provdb.lineage.result import Lineage, LineageEdge, LineageNode
from provdb.model import file_facts
from provdb_cli.tree import draw_tree


def _drawn(*locations: str, **facts: object) -> list[str]:
    """Return the lines below a file that was derived from others."""
    made = LineageNode("dl1", "entity", "DL1SubrunDataset", "/dl1.h5", "DL1")
    files = [
        LineageNode(
            location,
            "entity",
            "AnyFile",
            location,
            run=2032,
            subrun=int(location.partition("Run02032.")[2][:4].rstrip(".")),
            origin="raw",
            stream=file_facts(None, location).stream,
        )
        for location in locations
    ]
    answer = Lineage(
        question={"direction": "upstream"},
        start=made.id,
        nodes=(made, *files),
        edges=tuple(LineageEdge(made.id, n.id, "wasDerivedFrom") for n in files),
    )
    text = io.StringIO()
    draw_tree(Console(file=text, width=80), answer)
    return [line.strip() for line in text.getvalue().splitlines() if "─" not in line]


@pytest.mark.parametrize(
    ("files", "shown"),
    [
        pytest.param(
            [f"/R0/LST-1.{stream}.Run02032.0192.fits.fz" for stream in (1, 2, 3, 4)],
            "×4 LST-1.[1…4].Run02032.0192.fits.fz",
            id="streams",
        ),
        pytest.param(
            [f"/R0/LST-1.1.Run02032.{subrun:04d}.fits.fz" for subrun in (0, 1, 2)],
            "×3 LST-1.1.Run02032.[0000…0002].fits.fz",
            id="subruns",
        ),
        pytest.param(
            [
                f"/R0/LST-1.{stream}.Run02032.{subrun:04d}.fits.fz"
                for subrun in (0, 1)
                for stream in (1, 2)
            ],
            "×4 LST-1.[1…2].Run02032.[0000…0001].fits.fz",
            id="both",
        ),
    ],
)
def test_a_line_shows_what_differs(files: list[str], shown: str) -> None:
    assert any(shown in line for line in _drawn(*files))


def test_files_of_one_name_are_shown_with_their_folders() -> None:
    name = "calibration_filters_52.Run02032.0000.h5"

    lines = _drawn(f"/cal/v1/{name}", f"/cal/v2/{name}")

    assert [f"v{n}/{name}" in line for n, line in enumerate(lines[1:3], 1)] == [
        True
    ] * 2
