"""All entities of a store follow its naming rules, whichever way they came in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from provdb.capture.dead_letters import DeadLetters
from provdb.capture.delivery import Delivery
from provdb.capture.spool import PLAIN, spool_line
from provdb.errors import ConfigError
from provdb.ingest import ingest
from provdb.model import Document, StoreSettings, fold, location_id, with_names
from provdb.model import fields as f
from provdb.model.naming_rules import naming_rules
from provdb.model.settings import with_rules, without_rule
from provdb.query import find
from provdb.store import (
    Store,
    copy_store,
    migrate_store,
    migration_size,
    open_store,
    rename_entities,
)
from tests.old_stores import OLD_LOGS, fill_old_store
from tests.samples import stored_without_places, together

MAGIC: Final = {
    "name": "magic",
    "file": r"^\d{8}_M(?P<telescope>\d)_(?P<run>\d{8})\.(?P<subrun>\d{3})_Y_",
    "telescope": r"MAGIC-\g<telescope>",
    "level": "DL1",
}
RUN_WISE: Final = {"name": "run-wise", "file": r"^dl1_", "data_kind": "images"}
PATH: Final = "/m/2024/01/10/20240110_M2_05012345.001_Y_CrabNebula-W0.40.root"
LST: Final = "/fefs/DL1/20240110/dl1_LST-1.Run21000.0000.h5"
MAGIC_NAMES: Final = {
    f.LEVEL: "DL1",
    f.RUN: 5012345,
    f.SUBRUN: 1,
    f.TELESCOPE: "MAGIC-2",
    f.DATA_KIND: "events",
    f.DATE: "2024-01-10",
}
ACTIVITY: Final = {"activity_id": "a1", "session_tag": "star:05012345"}
RECORDS: Final[list[dict[str, Any]]] = [
    {"entity_id": location_id(PATH), "filepath": PATH, "name": "Calibrated"},
    {"entity_id": location_id(PATH), "filepath": PATH, "size": 7},
    {"entity_id": location_id(LST), "filepath": LST, "name": "DL1SubrunDataset"},
    {**ACTIVITY, "name": "star", "startTime": "2024-01-11T10:00:00"},
    {**ACTIVITY, "used_id": location_id(PATH), "used_role": "events"},
    {**ACTIVITY, "endTime": "2024-01-11T10:01:00"},
]


def _set_rules(store: Store) -> None:
    store.change_settings(lambda known: with_rules(known, naming_rules=[MAGIC]))
    rename_entities(store)


def _names(store: Store, path: str = PATH) -> Document:
    (document,) = store.read(f.ENTITIES, [location_id(path)])
    return {name: document[name] for name in MAGIC_NAMES if name in document}


def _from_a_log(store: Store, folder: Path) -> None:
    _set_rules(store)
    log = folder / "prov.log"
    log.write_text("".join(f"{record}\n" for record in RECORDS))
    ingest(store, [log])


def _from_a_spool(store: Store, folder: Path) -> None:
    _set_rules(store)
    path = folder / "cp15-1-20240111T100000000.jsonl"
    lines = [
        spool_line(b"cp15-1-%d" % number, PLAIN, orjson.dumps(record))
        for number, record in enumerate(RECORDS)
    ]
    path.write_bytes(b"".join(lines))
    shipping = Delivery(path, store, dead_letters=DeadLetters(path))
    while shipping.step(limit=2):
        pass


def _in_pieces(store: Store, folder: Path) -> None:
    _set_rules(store)
    for record in reversed(RECORDS):
        store.write(fold([record]))


def _before_the_rules(store: Store, folder: Path) -> None:
    store.write(fold(RECORDS))
    _set_rules(store)


def _by_a_migration(store: Store, folder: Path) -> None:
    store.write(fold(RECORDS))
    store.change_settings(lambda known: with_rules(known, naming_rules=[MAGIC]))
    migrate_store(store)


def _by_a_copy(store: Store, folder: Path) -> None:
    with open_store("memory://") as source:
        source.write(fold(RECORDS))
        source.change_settings(lambda known: with_rules(known, naming_rules=[MAGIC]))
        copy_store(source, store)


def _over_a_copy(store: Store, folder: Path) -> None:
    store.write(fold(RECORDS))
    with open_store("memory://") as source:
        _set_rules(source)
        copy_store(source, store)


@pytest.mark.parametrize(
    "bring_in",
    [
        pytest.param(_from_a_log, id="log"),
        pytest.param(_from_a_spool, id="live"),
        pytest.param(_in_pieces, id="pieces"),
        pytest.param(_before_the_rules, id="rules later"),
        pytest.param(_by_a_migration, id="migration"),
        pytest.param(_by_a_copy, id="copy"),
        pytest.param(_over_a_copy, id="rules of a copy"),
    ],
)
def test_documents_follow_the_rules_whichever_way_they_came_in(
    store: Store, tmp_path: Path, bring_in: Callable[[Store, Path], None]
) -> None:
    documents = fold(RECORDS)
    rules = naming_rules([MAGIC])
    renamed = [with_names(entity, rules) for entity in documents[f.ENTITIES]]

    bring_in(store, tmp_path)

    assert _names(store) == MAGIC_NAMES
    assert stored_without_places(store) == together({**documents, f.ENTITIES: renamed})
    assert not store.has_outdated_names()


def test_what_the_rules_of_a_store_read_can_be_asked_for(store: Store) -> None:
    _set_rules(store)
    store.write(fold(RECORDS))

    found = list(find(store, "telescope:MAGIC-2 level:DL1 run:5012345 date:20240110"))

    assert [row["location"] for row in found] == [PATH]


def test_without_its_rules_a_store_reads_names_as_before(store: Store) -> None:
    _set_rules(store)
    store.write(fold(RECORDS))

    store.change_settings(lambda known: without_rule(known, "magic"))
    changed = rename_entities(store)

    assert changed == 1
    assert stored_without_places(store) == together(fold(RECORDS))


def test_documents_that_are_written_again_change_nothing(store: Store) -> None:
    _set_rules(store)
    store.write(fold(RECORDS))

    counts = store.write(fold(RECORDS))

    assert (counts[f.ENTITIES].unchanged, counts[f.ENTITIES].changed) == (2, 0)


def test_who_knows_earlier_rules_writes_by_those_of_the_store(
    store: Store, store_uri: str
) -> None:
    """A process reads the settings once in some seconds only."""
    store.initialise()
    with open_store(store_uri) as other:
        other.settings()
        _set_rules(store)

        other.write(fold(RECORDS))

    assert _names(store) == MAGIC_NAMES


def test_who_renames_by_earlier_rules_ends_by_those_of_the_store(
    store: Store, store_uri: str
) -> None:
    store.write(fold(RECORDS))
    with open_store(store_uri) as other:
        other.settings()
        _set_rules(store)

        other.rename([location_id(PATH)])

    assert _names(store) == MAGIC_NAMES


def test_entities_with_names_by_earlier_rules_are_known(store: Store) -> None:
    store.write(fold(RECORDS))
    before = store.has_outdated_names()

    store.change_settings(lambda known: with_rules(known, naming_rules=[MAGIC]))
    changed = store.has_outdated_names(), migration_size(store)
    migrate_store(store)

    assert (before, changed) == (False, (True, 2))
    assert (store.has_outdated_names(), migration_size(store)) == (False, 0)


def test_an_interrupted_renaming_is_ended_by_a_migration(store: Store) -> None:
    store.write(fold(RECORDS))
    store.change_settings(lambda known: with_rules(known, naming_rules=[MAGIC]))

    def interrupt(entities: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rename_entities(store, on_progress=interrupt)
    changed = migrate_store(store)

    assert changed[f.ENTITIES] == 0
    assert not store.has_outdated_names()
    assert _names(store) == MAGIC_NAMES


def test_rules_that_change_while_entities_are_renamed_are_not_confirmed(
    store: Store, store_uri: str
) -> None:
    store.write(fold(RECORDS))
    store.change_settings(lambda known: with_rules(known, naming_rules=[MAGIC]))
    with open_store(store_uri) as other:

        def change(entities: int) -> None:
            other.change_settings(
                lambda known: with_rules(known, naming_rules=[RUN_WISE])
            )

        rename_entities(store, on_progress=change)

        assert other.has_outdated_names()


def test_settings_that_are_replaced_do_not_hide_outdated_names(store: Store) -> None:
    _set_rules(store)
    store.write(fold(RECORDS))

    store.change_settings(StoreSettings())

    assert store.has_outdated_names()


def test_a_migration_of_an_old_store_reads_names_by_its_rules(
    store_uri: str, memory: Store
) -> None:
    fill_old_store(store_uri)
    memory.change_settings(lambda known: with_rules(known, naming_rules=[RUN_WISE]))
    rename_entities(memory)
    ingest(memory, OLD_LOGS)

    with open_store(store_uri) as store:
        store.change_settings(lambda known: with_rules(known, naming_rules=[RUN_WISE]))
        migrate_store(store)

        kinds = [entity.get(f.DATA_KIND) for entity in store.scan(f.ENTITIES)]
        assert "images" in kinds
        assert list(store.scan(f.ENTITIES)) == list(memory.scan(f.ENTITIES))


def test_a_copy_of_outdated_names_is_up_to_date(store: Store, memory: Store) -> None:
    """The source lost its rules, and its entities still say what these said."""
    _set_rules(memory)
    memory.write(fold(RECORDS))
    memory.change_settings(lambda known: without_rule(known, "magic"))

    copy_store(memory, store)

    assert not store.has_outdated_names()
    assert stored_without_places(store) == together(fold(RECORDS))


def test_a_wrong_rule_is_refused_before_anything_changes(store: Store) -> None:
    _set_rules(store)

    with pytest.raises(ConfigError, match="the naming rule a is wrong: a pattern"):
        store.change_settings(
            lambda known: with_rules(known, naming_rules=[{"name": "a", "file": "("}])
        )

    assert store.settings().naming_rules == (MAGIC,)


def test_a_level_that_a_rule_makes_up_is_none(store: Store) -> None:
    made_up = {"name": "stages", "file": r"_(?P<level>[a-z]+)\.root$"}
    store.change_settings(lambda known: with_rules(known, naming_rules=[made_up]))
    path = "/m/20240110_star.root"

    store.write(fold([{"entity_id": location_id(path), "filepath": path}]))

    assert _names(store, path)[f.LEVEL] is None
