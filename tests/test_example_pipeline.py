"""The example pipeline runs in parallel processes, and its products have a lineage."""

import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from provdb.capture.definition import get_definition, parse_definition
from provdb.lineage import WalkOptions, impact, lineage
from provdb.model import fields as f
from provdb.store import Store, open_store
from tests.mongod import with_database

_ROOT = Path(__file__).parents[1]
_EXAMPLE = _ROOT / "examples" / "pipeline"
_README = (_ROOT / "README.md").read_text(encoding="utf-8")
_PRODUCT = "dl2_LST-1.Run01618.txt"


def _run(folder: Path, *, variables: Mapping[str, str]) -> str:
    """Run the pipeline, and return what it says on stderr."""
    sources = [str(_ROOT / source) for source in (".", "cli", "schemas")]
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PROVDB_")}
    done = subprocess.run(
        [sys.executable, str(_EXAMPLE / "pipeline.py"), str(folder / "data")],
        env={
            **kept,
            "HOME": str(folder),
            "PYTHONPATH": os.pathsep.join(sources),
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stderr


@pytest.fixture(scope="module")
def local_uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file for a store."""
    return f"sqlite://{tmp_path_factory.mktemp('store')}/provdb.db"


@pytest.fixture(scope="module")
def server_uri(
    mongo_uri: str, mongo_client: MongoClient[dict[str, Any]]
) -> Iterator[str]:
    """A database on the server, dropped afterwards."""
    name = f"provdb_test_{uuid.uuid4().hex}"
    yield with_database(mongo_uri, name)
    mongo_client.drop_database(name)


@pytest.fixture(
    scope="module",
    params=["local_uri", pytest.param("server_uri", marks=pytest.mark.mongo)],
)
def captured(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A store with what the pipeline recorded, once of each kind; only to be read."""
    uri: str = request.getfixturevalue(request.param)
    said = _run(tmp_path_factory.mktemp("night"), variables={"PROVDB_URI": uri})
    assert said == ""
    with open_store(uri) as store:
        yield store


def test_merged_file_comes_from_the_raw_data_of_every_subrun(captured: Store) -> None:
    answer = lineage(captured, _PRODUCT, options=WalkOptions(leaf_level="R0"))

    assert answer.warnings == ()
    assert [(leaf.run, leaf.subrun) for leaf in answer.leaves] == [
        (1618, subrun) for subrun in range(4)
    ]


def test_pedestal_is_in_the_merged_file_and_overwritten_versions_are_told_apart(
    captured: Store,
) -> None:
    answer = impact(captured, "drs4_pedestal.Run01611.0000.txt")

    steps = [node.name for node in answer.nodes if node.kind == "activity"]
    assert {name: steps.count(name) for name in steps} == {
        "r0_to_dl1": 4,
        "dl1ab": 4,
        "dl1_to_dl2": 4,
        "merge_dl2": 1,
    }
    assert answer.warnings == ()


def test_every_step_is_there_once_with_its_parameters(captured: Store) -> None:
    activities = list(captured.scan(f.ACTIVITIES))

    cleaned = [document for document in activities if document[f.NAME] == "dl1ab"]
    assert len(activities) == 1 + 4 * 3 + 1
    assert {document[f.STATUS] for document in activities} == {"completed"}
    assert sorted(document[f.SUBRUN] for document in cleaned) == [0, 1, 2, 3]
    assert {document[f.PARAMETERS]["threshold"] for document in cleaned} == {4}
    assert {document[f.SESSION_TAG] for document in cleaned} == {"dl1ab:01618"}


def test_the_configuration_is_copied_and_data_is_not(captured: Store) -> None:
    files = list(captured.scan(f.FILES))

    assert {name[f.LOCATION] for file in files for name in file[f.NAMES]} == {
        str(_EXAMPLE / "config.json")
    }


def test_each_process_is_a_session_with_its_environment(captured: Store) -> None:
    sessions = [
        session
        for session in captured.scan(f.SESSIONS)
        if session[f.SESSION_TAG] == "dl1ab:01618"
    ]

    environments = {session[f.EXECUTIONS][0][f.ENVIRONMENT] for session in sessions}
    assert (len(sessions), len(environments)) == (4, 1)
    assert {session[f.PROPERTIES]["observation_date"] for session in sessions} == {
        "20191123"
    }


def test_dry_execution_of_a_step_records_it_and_writes_nothing(tmp_path: Path) -> None:
    uri = f"sqlite://{tmp_path}/dry.db"
    code = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[1]); import pipeline\n"
        "pipeline.set_up_capture()\n"
        "path = pathlib.Path(sys.argv[2])\n"
        "print(pipeline.drs4_pedestal(path / 'LST-1.1.Run01611.json', path / 'p.txt'))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(_EXAMPLE), str(tmp_path)],
        env={
            **os.environ,
            "PYTHONPATH": str(_ROOT),
            "PROVDB_URI": uri,
            "PROVDB_DRY_RUN": "1",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    with open_store(uri) as store:
        (activity,) = store.scan(f.ACTIVITIES)
    assert (done.stdout, done.stderr) == ("None\n", "")
    assert not (tmp_path / "p.txt").exists()
    assert (len(activity[f.USED]), len(activity[f.GENERATED])) == (1, 1)
    assert activity[f.DRY_RUN] is True


def test_definition_has_no_mistake() -> None:
    assert len(get_definition(_EXAMPLE / "definition.yaml").activities) == 5


def test_definition_in_the_readme_has_no_mistake() -> None:
    blocks = re.findall(r"```yaml\n(activities:.*?)```", _README, re.DOTALL)

    problems = [parse_definition(block).problems for block in blocks]

    assert problems == [()]
