"""What a pipeline logs is in the store, and the pipeline does not notice."""

import logging
import logging.config
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from provdb.capture.handler import ProvHandler
from provdb.capture.replay import find_spools, replay
from provdb.ingest import ingest
from provdb.model import fields as f
from provdb.model import unfold
from provdb.store import Store, open_store
from tests.samples import (
    NIGHT_LOG,
    SLIDES_LOG,
    read_log,
    records_of,
    stored_without_places,
)

START = {
    "activity_id": "621ca2",
    "name": "r0_to_dl1",
    "startTime": "2020-05-18T14:18:06.362321",
    "session_tag": "r0_to_dl1:01618",
}
USAGE = {
    "activity_id": "621ca2",
    "used_id": "446f45",
    "used_role": "Observation subrun",
    "session_tag": "r0_to_dl1:01618",
}
MakeHandler = Callable[..., ProvHandler]


@pytest.fixture
def make_handler(store_uri: str, tmp_path: Path) -> Iterator[MakeHandler]:
    """Make a handler for an empty store, once of each kind, and close it."""
    made: list[ProvHandler] = []

    def make(**arguments: Any) -> ProvHandler:
        settings = {"uri": store_uri, "spool_dir": tmp_path / "spool", **arguments}
        made.append(ProvHandler(**settings))
        return made[-1]

    yield make
    for handler in made:
        handler.close()


def log_to(handler: logging.Handler, *messages: Any, **arguments: Any) -> None:
    """Log messages to one handler alone."""
    logger = logging.Logger("provLogger", level=logging.INFO)
    logger.addHandler(handler)
    for message in messages:
        logger.info(message, **arguments)


def records_in(store_uri: str) -> list[dict[str, Any]]:
    """Return the records of all documents of a store, in a stable order."""
    with open_store(store_uri) as store:
        documents = {name: list(store.scan(name)) for name in f.COLLECTIONS}
    return sorted(unfold(documents), key=repr)


def spools_in(folder: Path) -> list[Path]:
    """Return the files of a spool folder."""
    return sorted((folder / "spool").iterdir())


def test_a_record_is_in_the_store_when_the_handler_is_closed(
    make_handler: MakeHandler, store_uri: str, tmp_path: Path
) -> None:
    handler = make_handler()

    log_to(handler, START, USAGE)
    handler.close()

    assert records_in(store_uri) == sorted([START, USAGE], key=repr)
    assert spools_in(tmp_path) == []


@pytest.mark.parametrize("log", [SLIDES_LOG, NIGHT_LOG], ids=["slides", "night"])
def test_the_lines_of_lstosa_are_taken_as_they_are(
    make_handler: MakeHandler, store_uri: str, log: Path
) -> None:
    text = read_log(log)
    handler = make_handler()

    log_to(handler, *text.decode().splitlines())
    handler.close()

    with open_store("memory://") as expected, open_store(store_uri) as store:
        ingest(expected, [log])
        assert stored_without_places(store) == stored_without_places(expected)
    assert len(records_of(text)) >= 12


def test_other_messages_are_none_of_its_business(
    make_handler: MakeHandler, tmp_path: Path
) -> None:
    handler = make_handler()

    log_to(handler, "Derivation detected in dl1ab", ["a", "list"], 7, None)
    handler.close()

    assert not (tmp_path / "spool").exists()


def test_the_text_log_beside_holds_the_same_records(
    make_handler: MakeHandler, store_uri: str, tmp_path: Path
) -> None:
    values = {
        "not finite": float("nan"),
        "large": 2**70,
        "pair": (1, 2),
        "time": datetime(2020, 5, 18, tzinfo=UTC),
        "path": Path("/R0"),
        "half": "\udc80 and \x00",
        "quotes": 'it\'s "so"\n',
    }
    handler = make_handler(filename=tmp_path / "prov.log")

    log_to(handler, START, USAGE, {"activity_id": "621ca2", "parameters": values})
    handler.close()

    with open_store("memory://") as expected, open_store(store_uri) as store:
        report = ingest(expected, [tmp_path / "prov.log"])
        assert stored_without_places(store) == stored_without_places(expected)
        ingest(store, [tmp_path / "prov.log"])
        assert stored_without_places(store) == stored_without_places(expected)
    assert (report.records, report.skipped) == (3, 0)


def test_the_text_log_has_the_lines_that_lstosa_writes(
    make_handler: MakeHandler, tmp_path: Path
) -> None:
    handler = make_handler(filename=tmp_path / "prov.log")

    log_to(handler, "Derivation detected", "__PROV__2020__PROV__{'entity_id': 'a'}")
    handler.close()

    assert (tmp_path / "prov.log").read_text() == (
        "INFO provLogger Derivation detected\n"
        "INFO provLogger __PROV__2020__PROV__{'entity_id': 'a'}\n"
    )


def test_a_record_that_no_store_takes_costs_no_other(
    make_handler: MakeHandler, store_uri: str, tmp_path: Path
) -> None:
    handler = make_handler()
    good = [START | {"activity_id": f"{number:06x}"} for number in range(200)]
    bad = {"activity_id": ["not an id"], "name": "r0_to_dl1"}

    log_to(handler, *good[:100], bad, *good[100:])
    handler.close()

    (dead,) = spools_in(tmp_path)
    assert records_in(store_uri) == sorted(good, key=repr)
    assert dead.name.endswith(".dead.jsonl")
    assert "the activity_id is neither a text nor an integer" in dead.read_text()


def test_a_dead_letter_is_replayed_once_it_is_mended(
    make_handler: MakeHandler, store: Store, tmp_path: Path
) -> None:
    handler = make_handler(uri=store.uri if store.uri.startswith("sqlite") else None)
    log_to(handler, {"activity_id": ["621ca2"], "name": "r0_to_dl1"})
    handler.close()
    (dead,) = (tmp_path / "spool").glob("*.dead.jsonl")

    dead.write_text(dead.read_text().replace('["621ca2"]', '"621ca2"'))
    report = replay(find_spools([tmp_path / "spool"]), store)

    assert (report.records, report.dead) == (1, 0)
    assert spools_in(tmp_path) == []
    assert [a[f.ACTIVITY_ID] for a in store.scan(f.ACTIVITIES)] == ["621ca2"]


def test_no_secret_leaves_the_process(
    make_handler: MakeHandler, store_uri: str, tmp_path: Path
) -> None:
    handler = make_handler(
        uri="mongodb://osa:s3cr3t@127.0.0.1:9/x?serverSelectionTimeoutMS=100",
        filename=tmp_path / "prov.log",
    )

    log_to(
        handler,
        START | {"script": "run --token s3cr3t --uri mongodb://osa:s3cr3t@cp01/x"},
        {"activity_id": "621ca2", "parameters": {"db_password": "s3cr3t"}},
        "__PROV__2020__PROV__{'activity_id': 'a', 'api_key': 's3cr3t'}",
    )
    handler.flush()

    (spool,) = spools_in(tmp_path)
    assert "s3cr3t" not in spool.read_text() + (tmp_path / "prov.log").read_text()
    assert "s3cr3t" not in repr(handler)
    assert spool.stat().st_mode & 0o077 == 0


def test_what_is_full_is_counted_and_said_once(
    make_handler: MakeHandler, capsys: pytest.CaptureFixture[str], store_uri: str
) -> None:
    handler = make_handler(max_spool_bytes=400)

    log_to(handler, *[START | {"activity_id": str(number)} for number in range(10)])
    dropped = handler.dropped
    handler.close()

    assert dropped + len(records_in(store_uri)) == 10
    assert dropped > 0
    assert capsys.readouterr().err.splitlines() == [
        f"provdb: a record is lost, for it cannot be kept in {handler._spool_dir}: "
        "the spool has 400 bytes, its limit",
    ]


def test_a_spool_that_cannot_be_made_stops_nothing(
    make_handler: MakeHandler, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    handler = make_handler(spool_dir=tmp_path / "file" / "spool")

    log_to(handler, START, USAGE)
    handler.close()

    assert handler.dropped == 2
    assert capsys.readouterr().err.count("a record is lost") == 1


def test_wrong_settings_stop_nothing(
    make_handler: MakeHandler,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("PROVDB_TIMEZONE", "Europe/Madrit")
    handler = make_handler()

    log_to(handler, START)
    handler.close()

    assert "did you mean Europe/Madrid?" in capsys.readouterr().err


def test_the_logger_yaml_of_lstosa_needs_another_class_alone(
    store_uri: str, tmp_path: Path
) -> None:
    configuration = yaml.safe_load(f"""
        version: 1
        formatters:
          simple: {{format: "%(levelname)s %(name)s %(message)s"}}
        handlers:
          provHandler:
            class: provdb.ProvHandler
            level: INFO
            formatter: simple
            filename: {tmp_path}/prov.log
            uri: {store_uri}
            spool_dir: {tmp_path}/spool
        loggers:
          provLogger: {{level: INFO, handlers: [provHandler], propagate: false}}
        disable_existing_loggers: false
        PREFIX: __PROV__
        HASH_TYPE: md5
    """)
    lines = read_log(SLIDES_LOG).decode().splitlines()

    logging.config.dictConfig(configuration)
    logger = logging.getLogger("provLogger")
    for line in lines:
        logger.info(line.partition(" provLogger ")[2])
    logger.handlers[0].close()
    logger.handlers.clear()

    with open_store("memory://") as expected, open_store(store_uri) as store:
        ingest(expected, [SLIDES_LOG])
        assert stored_without_places(store) == stored_without_places(expected)
    assert (tmp_path / "prov.log").read_text().splitlines() == lines
