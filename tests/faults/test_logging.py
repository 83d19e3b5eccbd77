"""The handler as logging configures it, and the text log that it keeps beside."""

from typing import Final

import pytest

from provdb.ingest import ingest
from provdb.store import open_store
from tests.faults.conftest import NewSpools
from tests.faults.kit import NOBODY, Spools
from tests.samples import SLIDES_LOG, stored_without_places

_YAML: Final = """
version: 1
disable_existing_loggers: false
formatters:
  simple:
    format: "%(levelname)s %(name)s %(message)s"
handlers:
  provHandler:
    class: provdb.capture.handler.ProvHandler
    level: INFO
    formatter: simple
    filename: prov.log
    uri: URI
    spool_dir: SPOOL
    close_timeout_seconds: 20
loggers:
  provLogger:
    level: INFO
    handlers: [provHandler]
    propagate: false
"""
_CONFIGURE: Final = f'''
import logging.config, os, yaml

def configure():
    text = """{_YAML}"""
    text = text.replace("URI", os.environ["FAULTS_URI"])
    text = text.replace("SPOOL", os.environ["FAULTS_SPOOL"])
    logging.config.dictConfig(yaml.safe_load(text))

configure()
'''
_VALUES: Final = """
from tests.faults.records import Sent, record
from datetime import datetime, timezone
from pathlib import Path

values = [
    None, True, 0, -1, 2**63, 2**70, 1.5, -0.0, float("inf"), float("nan"), 1e300,
    "", "a'b\\"c", "line\\nbreak", "tab\\t", "\\u2028 \\x85 \\x1c", "\\udc80", "a\\0b",
    b"\\xff", (1, 2), {1, 2}, set(), frozenset(), [], {}, {"a.b": {"$c": 1}}, {1: 2},
    {(1, 2): 3}, 1 + 2j, ..., Path("/fefs"), datetime(2020, 5, 18, tzinfo=timezone.utc),
    [[[(1, {"a": {2}})]]], "__PROV__t__PROV__{'a': 1}", "ΔE/E", "PROV_",
    {"password": "x"},
]
logger.info({"session_id": 1, "name": "01618", "startTime": "2020-05-18T14:18:06",
             "system": {"node": "cp15"}})
for number, value in enumerate(values):
    logger.info({"entity_id": f"e{number}", "value": value})
for number in range(12):
    logger.info(record(Sent("w", number)))
"""


@pytest.mark.parametrize("is_ingested_first", [False, True], ids=["after", "before"])
def test_the_text_log_holds_the_very_same(
    spools: Spools, new_spools: NewSpools, is_ingested_first: bool
) -> None:
    ended = spools.run(_CONFIGURE + _VALUES)
    live = spools.stored()
    text_log = spools.folder / "prov.log"
    with open_store("memory://") as store:
        ingest(store, [text_log])
        read = stored_without_places(store)
    with open_store("memory://") as first, open_store(spools.uri) as second:
        order = [first, second] if is_ingested_first else [second, first]
        for each in order:
            ingest(each, [text_log])
        again = [stored_without_places(each) for each in order]

    assert (ended.status, ended.stderr, spools.left()) == (0, "", [])
    assert live == read
    assert again == [live, live]


def test_a_later_run_adds_nothing_to_what_its_text_log_gave(spools: Spools) -> None:
    spools.environ = {"FAULTS_URI": NOBODY}
    spools.run(_CONFIGURE + _VALUES + "os._exit(0)")
    with open_store(spools.uri) as store:
        ingest(store, [spools.folder / "prov.log"])
    before = spools.stored()

    assert spools.outcome() == ([], [], [])
    assert spools.stored() == before


def test_lines_of_lstosa_are_stored_as_from_their_log(spools: Spools) -> None:
    ended = spools.run(
        _CONFIGURE
        + f"""
for line in open({str(SLIDES_LOG)!r}):
    logger.info(line.rstrip("\\n").partition("provLogger ")[2])
"""
    )
    with open_store("memory://") as store:
        ingest(store, [SLIDES_LOG])
        expected = stored_without_places(store)
    with open_store("memory://") as store:
        ingest(store, [spools.folder / "prov.log"])
        read = stored_without_places(store)

    assert (ended.status, ended.stderr, spools.left()) == (0, "", [])
    assert spools.stored() == expected
    assert read == expected


def test_being_configured_again_loses_nothing(spools: Spools) -> None:
    ended = spools.run(
        _CONFIGURE
        + """
import time
from tests.faults.records import Sent, record
for number in range(3):
    for each in range(12):
        logger.info(record(Sent(f"w{number}", each)))
    begun = time.monotonic()
    configure()
    print(time.monotonic() - begun < 2)
"""
    )

    assert (ended.status, ended.stdout, ended.stderr) == (0, "True\n" * 3, "")
    assert spools.left() == []
    assert spools.stored_count() == 6


def test_a_text_log_that_cannot_be_written_costs_no_record(spools: Spools) -> None:
    ended = spools.run(
        """
writer = Writer("w", filename="/proc/nowhere/prov.log")
writer.log(60)
print(writer.handler.dropped)
"""
    )

    assert (ended.status, ended.stdout) == (0, "0\n")
    assert len(ended.complaints) == 1
    assert "text log" in ended.stderr
    assert (len(spools.taken), spools.missing(), spools.left()) == (60, [], [])


def test_without_a_spool_the_text_log_is_still_written(spools: Spools) -> None:
    ended = spools.run(
        'Writer("w", filename="prov.log").log(12)',
        environ={"FAULTS_SPOOL": "/dev/null"},
    )

    assert ended.status == 0
    assert len(ended.complaints) == 1
    assert len((spools.folder / "prov.log").read_text().splitlines()) == 12


@pytest.mark.parametrize(
    "variables",
    [
        pytest.param({"PROVDB_TIMEZONE": "Mars/Base"}, id="zone"),
        pytest.param({"PROVDB_CONFIG": "/nowhere/provdb.toml"}, id="config file"),
        pytest.param({"FAULTS_URI": " "}, id="empty uri"),
        pytest.param({"FAULTS_URI": "nonsense"}, id="no uri"),
    ],
)
def test_wrong_settings_stop_no_pipeline(
    spools: Spools, variables: dict[str, str]
) -> None:
    ended = spools.run(
        'Writer("w", close_timeout_seconds=0.5).log(12)', environ=variables
    )

    assert ended.status == 0
    assert 1 <= len(ended.complaints) <= 3
    assert len(spools.taken) == 12
    assert spools.outcome() == ([], [], [])
