"""A secret that a pipeline is given is in no file, no output and no store."""

from itertools import chain
from pathlib import Path
from typing import Final

import pytest

from tests.faults.conftest import NewSpools
from tests.faults.kit import Spools

_SECRET: Final = "hunter2"
_LOG: Final = """
import logging, os, sys
from provdb.capture.handler import ProvHandler

handler = ProvHandler(
    os.environ["FAULTS_URI"], os.environ["FAULTS_SPOOL"], filename="prov.log",
    close_timeout_seconds=1,
)
logger.addHandler(handler)
logger.setLevel(logging.DEBUG)
print(repr(handler))
arguments = ["r0_to_dl1", "--password", "hunter2", "--token=hunter2",
             "--uri", "mongodb://osa:hunter2@cp01/provdb"]
logger.info({"session_id": 1, "name": "01618", "startTime": "2020-05-18T14:18:06",
             "system": {"arguments": arguments,
                        "environment": {"MONGO_PASSWORD": "hunter2",
                                        "API_KEY": "hunter2",
                                        "URL": "https://u:hunter2@cp01/x"}}})
logger.info({"activity_id": "a", "name": "r0_to_dl1", "in_session": 1,
             "startTime": "2020-05-18T14:18:06"})
logger.info({"activity_id": "a", "parameters": {
    "db_password": "hunter2", "nested": [{"secret": "hunter2"}],
    "text": "connect to mongodb://osa:hunter2@cp01/provdb?x=1",
    "large": "x" * 9_000_000, "token": "hunter2"}})
logger.info("__PROV_2020-05-18T14:18:30_PROV__{'activity_id': 'b', "
            "'parameters': {'password': 'hunter2', 'uri': 'http://u:hunter2@h/'}}")
logger.info({"entity_id": "e", "value": {"auth_token": "hunter2", "bad": {1, 2}}})
"""
_RUN: Final = """
import logging, os
import provdb

logger = logging.getLogger("provdb")
logger.addHandler(provdb.ProvHandler(filename="prov.log", close_timeout_seconds=20))
connect = "mongodb://osa:hunter2@cp01/provdb"

class NoLogin(Exception):
    pass

properties = {
    "db_password": "hunter2", "observation_run": "01618", "source": connect,
    "nested": {"api_key": "hunter2", "list": [{"secret": b"hunter2"}]},
}
try:
    with provdb.session("r0_to_dl1:01618", **properties):
        with provdb.activity(
            "r0_to_dl1", token="hunter2", uri=connect, db={"pwd": "hunter2"},
            arguments=["--db-password", "hunter2", "--token=hunter2"], run=1618,
        ) as step:
            step.used(f"https://u:hunter2@cp01/LST-1.1.Run01618.fits.fz")
            step.generated("/DL1/dl1.h5", attributes={"access_key": "hunter2"})
            logger.error({"activity_id": ["no", "id"],
                          "parameters": {"token": "hunter2", "uri": connect}})
            raise NoLogin(f"no login at {connect}: password=hunter2, try again")
except NoLogin:
    print("no login")
"""
_ARGUMENTS: Final = (
    "--db-password",
    "hunter2",
    "--token=hunter2",
    "mongodb://osa:hunter2@cp01/provdb",
)
_VARIABLES: Final = {
    "DB_PASSWORD": "hunter2",
    "SLURM_JWT": "hunter2",
    "SLURM_JOB_ID": "17",
    "SLURM_JOB_NAME": "r0_to_dl1 --password=hunter2",
    "SLURM_JOB_COMMENT": "hunter2",
    "CONDA_DEFAULT_ENV": "https://u:hunter2@cp01/lst",
}


@pytest.fixture(params=["local", pytest.param("guarded", marks=pytest.mark.mongo)])
def guarded_spools(
    request: pytest.FixtureRequest, new_spools: NewSpools, tmp_path: Path
) -> Spools:
    """Pipelines for a local store, and for a server that wants the secret."""
    uri = f"sqlite:///{tmp_path}/provdb.db"
    if request.param == "guarded":
        uri = request.getfixturevalue("guarded_uri")
    return new_spools(uri)


@pytest.mark.parametrize("end", ["", "os._exit(0)"], ids=["stored", "left"])
def test_secrets_of_a_pipeline_are_nowhere(guarded_spools: Spools, end: str) -> None:
    spools = guarded_spools
    settings = {
        "PROVDB_URI": spools.uri,
        "PROVDB_SPOOL_DIR": str(spools.spool_dir),
    }

    ended = spools.run(_RUN + end, *_ARGUMENTS, environ=_VARIABLES | settings)
    at_once = files_with_secret(spools)
    status = spools.provdb("spool", "status", str(spools.spool_dir))
    replayed = spools.replay()

    said = [ended.stderr, status.stdout, status.stderr, replayed.stderr]
    assert (ended.status, at_once, files_with_secret(spools)) == (0, [], [])
    assert [text for text in said if _SECRET in text] == []
    assert len(spools.dead()) == 1
    stored = b"\n".join(chain.from_iterable(spools.stored().values()))
    assert b"no login at mongodb://osa:***@cp01" in stored
    assert b'"17"' in stored
    assert _SECRET.encode() not in stored


@pytest.mark.parametrize("is_stored", [True, False], ids=["stored", "left"])
def test_secrets_of_records_are_nowhere(
    local_store_uri: str, new_spools: NewSpools, is_stored: bool
) -> None:
    spools = new_spools(local_store_uri)
    end = {True: "", False: "os._exit(0)"}[is_stored]

    ended = spools.run(_LOG + end)
    status = spools.provdb("spool", "status", str(spools.spool_dir))
    replayed = spools.replay()

    assert ended.status == 0
    assert _SECRET not in ended.stdout + ended.stderr
    assert _SECRET not in status.stdout + replayed.stderr
    assert files_with_secret(spools) == []
    assert spools.stored()


@pytest.mark.parametrize(
    "uri",
    [
        pytest.param("mongodb://osa:hunter2@127.0.0.1:9/provdb", id="away"),
        pytest.param("mongodb://osa:hun/ter2hunter2@cp01/x", id="not quoted"),
        pytest.param("mongodb://osa:hunter2@127.0.0.1:9/x?nonsense=1", id="option"),
        pytest.param("mongodb://osa:hunter2@127.0.0.1:port/x", id="port"),
        pytest.param("mysql://osa:hunter2@cp01/x", id="scheme"),
        pytest.param("mongodb://cp01/x?authMechanismPassword=hunter2", id="in option"),
        pytest.param(
            "mongodb://osa@127.0.0.1:9/x?tlsCertificateKeyFilePassword=hunter2",
            id="of a key",
        ),
    ],
)
def test_the_secret_of_a_store_that_is_not_reached_is_nowhere(
    new_spools: NewSpools, uri: str
) -> None:
    spools = new_spools(uri)

    ended = spools.run(_LOG.replace("mongodb://osa:hunter2@cp01", "mongodb://cp01"))
    status = spools.provdb("spool", "status", str(spools.spool_dir))

    assert ended.status == 0
    assert "Traceback" not in ended.stderr
    assert _SECRET not in ended.stdout + ended.stderr
    assert _SECRET not in status.stdout + status.stderr
    assert files_with_secret(spools) == []


def files_with_secret(spools: Spools) -> list[Path]:
    return [
        path
        for path in spools.folder.parent.rglob("*")
        if path.is_file() and _SECRET.encode() in path.read_bytes()
    ]
