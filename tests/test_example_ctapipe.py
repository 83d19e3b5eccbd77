"""The example of three tools of ctapipe's kind: logs as theirs, and one lineage."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

import provdb

_ROOT: Final = Path(__file__).parents[1]
_SOURCES: Final = [str(_ROOT), str(_ROOT / "cli"), str(_ROOT / "schemas")]
_DL2: Final = "dl2_LST-1.Run01807.h5"


@pytest.fixture
def night(tmp_path: Path) -> Path:
    """The folder that the tools work in."""
    return tmp_path / "night"


@pytest.fixture
def said(tmp_path: Path, night: Path, store_uri: str) -> str:
    """What the example prints."""
    return subprocess.run(
        [sys.executable, str(_ROOT / "examples" / "ctapipe_chain.py"), str(night)],
        capture_output=True,
        text=True,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHONPATH": os.pathsep.join(_SOURCES),
            "PROVDB_URI": store_uri,
            "PROVDB_SPOOL_DIR": str(tmp_path / "spool"),
        },
        timeout=120,
        check=True,
    ).stdout


def test_the_lineage_goes_through_all_tools(
    said: str, night: Path, store_uri: str
) -> None:
    with provdb.connect(store_uri) as db:
        answer = db.lineage(str(night / _DL2))

    nodes = {(node.kind, node.name, node.location) for node in answer.nodes}
    assert said.splitlines() == [
        str(night / f"LST-1.1.Run01807.{subrun:04d}.fits.fz") for subrun in range(3)
    ]
    assert sorted(str(name) for kind, name, _ in nodes if kind == "activity") == [
        "ctapipe-apply-models",
        "ctapipe-merge",
        "ctapipe-process",
    ]
    assert {location for _, _, location in nodes} >= {
        str(night / "process.json"),
        str(night / "energy_regressor.pkl"),
    }


def test_the_configuration_is_in_the_store(said: str, store_uri: str) -> None:
    with provdb.connect(store_uri) as db:
        parameters = [
            activity["parameters"]
            for activity in db.store.scan("activities")
            if activity["name"] == "ctapipe-process"
        ]

    assert (
        parameters
        == [{"ProcessorTool": {"ImageProcessor": {"cleaner": "TailcutsImageCleaner"}}}]
        * 3
    )


def test_each_tool_has_the_log_that_ctapipe_writes(said: str, night: Path) -> None:
    log = (night / "dl2_LST-1.Run01807.provenance.log").read_text(encoding="utf-8")

    (activity,) = json.loads(log)
    assert activity["activity_name"] == "ctapipe-apply-models"
    assert activity["output"] == [
        {"url": str(night / _DL2), "role": "DL2/Event", "reference_meta": None}
    ]
