"""A secret that a pipeline is given is in no file, no output and no store."""

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
