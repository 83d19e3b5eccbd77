"""The settings of a store are the same for all who read it, and none is lost."""

import threading
from dataclasses import replace

import pytest

from provdb.errors import ConfigError, NotFound
from provdb.model import StoreSettings
from provdb.model import fields as f
from provdb.model.settings import (
    merge_settings,
    settings_document,
    settings_of,
    with_alias,
    with_rules,
    without_alias,
    without_rule,
)
from provdb.store import Store, WriteCounts, copy_store, open_store

MOUNT = ("/mnt/lst", "/fefs/aswg")
RULE = {"name": "archive", "entities": ["DL3*"], "a.b": "$c"}
CHANGED = StoreSettings(
    clock_tolerance_seconds=2.0,
    node_local=("/scratch/*",),
    aliases=(MOUNT,),
    link_rules=(RULE,),
    naming_rules=({"name": "NectarCAM", "file": r"^Nectar\.Run(?P<run>\d+)"},),
)


def test_a_store_without_settings_has_the_defaults(store: Store) -> None:
    store.initialise()

    assert store.settings() == StoreSettings()
    assert store.settings().clock_tolerance_seconds == 5.0


def test_settings_are_those_that_were_written(store: Store, store_uri: str) -> None:
    store.change_settings(CHANGED)

    with open_store(store_uri) as other:
        assert store.settings() == other.settings() == CHANGED


def test_settings_that_are_changed_are_read_again(store: Store) -> None:
    store.initialise()
    before = store.settings()

    store.change_settings(lambda known: with_alias(known, *MOUNT))

    assert before.aliases == ()
    assert store.settings().aliases == (MOUNT,)


def test_settings_back_at_their_defaults_are_the_defaults(store: Store) -> None:
    store.change_settings(CHANGED)
    store.change_settings(StoreSettings())

    assert store.settings() == StoreSettings()


def test_of_two_who_change_settings_at_once_both_are_heard(
    store: Store, store_uri: str
) -> None:
    def add(number: int) -> None:
        with open_store(store_uri) as other:
            other.change_settings(
                lambda known: with_alias(known, f"/mnt/{number}", f"/fefs/{number}")
            )

    store.initialise()
    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(store.settings().aliases) == 8


def test_settings_go_with_a_copy(store: Store, memory: Store) -> None:
    store.initialise()
    memory.change_settings(CHANGED)

    first = copy_store(memory, store)[f.SETTINGS]
    again = copy_store(memory, store)[f.SETTINGS]

    assert store.settings() == CHANGED
    assert (first, again) == (WriteCounts(added=1), WriteCounts(unchanged=1))


def test_a_copy_changes_no_setting_that_the_target_has() -> None:
    own = StoreSettings(
        clock_tolerance_seconds=9.0,
        aliases=(("/mnt/lst", "/lustre"), ("/a", "/b")),
        link_rules=({"name": "archive", "entities": ["DL2*"]},),
    )

    merged = merge_settings(own, CHANGED)

    assert merged == replace(
        own,
        node_local=CHANGED.node_local,
        naming_rules=CHANGED.naming_rules,
    )


def test_settings_come_back_from_their_document() -> None:
    assert settings_of(settings_document(CHANGED)) == CHANGED


def test_a_prefix_is_stored_in_its_canonical_spelling() -> None:
    settings = with_alias(StoreSettings(), "/mnt//lst/", "file:///fefs/aswg")

    assert settings.aliases == (MOUNT,)


def test_an_alias_that_is_there_may_be_added_again() -> None:
    settings = with_alias(StoreSettings(), *MOUNT)

    assert with_alias(settings, *MOUNT) == settings


@pytest.mark.parametrize(
    ("prefix", "target", "reason"),
    [
        pytest.param("/mnt/lst", "/lustre", "alias of /fefs/aswg", id="other target"),
        pytest.param("/fefs/aswg", "/mnt/lst", "already", id="back"),
        pytest.param("/fefs", "/mnt/lst/DL1", "already", id="back from below"),
        pytest.param("/a", "/a", "lies in the other", id="itself"),
        pytest.param("/a", "/a/b", "lies in the other", id="below itself"),
        pytest.param("/a/b", "/a", "lies in the other", id="above itself"),
        pytest.param("mnt", "/a", "not a folder below /", id="relative"),
        pytest.param("/", "/a", "not a folder below /", id="root"),
        pytest.param("/a", "/", "not a folder below /", id="to the root"),
    ],
)
def test_a_senseless_alias_is_refused(prefix: str, target: str, reason: str) -> None:
    settings = with_alias(StoreSettings(), *MOUNT)

    with pytest.raises(ConfigError, match=reason):
        with_alias(settings, prefix, target)


def test_an_alias_is_removed_by_any_spelling_of_its_prefix() -> None:
    settings = with_alias(StoreSettings(), *MOUNT)

    assert without_alias(settings, "/mnt/lst/") == StoreSettings()


def test_an_alias_that_is_not_there_is_not_removed() -> None:
    settings = with_alias(StoreSettings(), *MOUNT)

    with pytest.raises(NotFound, match="/mnt is not an alias; did you mean /mnt/lst"):
        without_alias(settings, "/mnt")


def test_a_rule_takes_the_place_of_one_with_its_name() -> None:
    first = with_rules(StoreSettings(), link_rules=[RULE, {"name": "other"}])

    changed = with_rules(first, link_rules=[{"name": "archive"}])

    assert changed.link_rules == ({"name": "archive"}, {"name": "other"})


def test_a_rule_is_removed_by_its_name() -> None:
    assert without_rule(CHANGED, "archive").link_rules == ()
    assert without_rule(CHANGED, "NectarCAM").naming_rules == ()


def test_a_rule_that_is_not_there_is_not_removed() -> None:
    with pytest.raises(NotFound, match="no rule archiv; did you mean NectarCAM or"):
        without_rule(CHANGED, "archiv")
