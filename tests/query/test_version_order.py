"""Versions of software are ordered as versions."""

import pytest

from provdb.query.version_order import satisfies, version_key


@pytest.mark.parametrize(
    "ordered",
    [
        ["main", "unknown", "0.9.2", "0.10", "0.10.18", "0.11.10"],
        ["0.10.dev5", "0.10a1.dev1", "0.10a1", "0.10b2", "0.10rc1", "0.10"],
        ["0.10", "0.10+local", "0.10.post1", "0.10.1"],
        ["1.1.1", "1.1.1w", "1.1.2"],
        ["v0.9", "v0.10", "1!0.1"],
    ],
)
def test_versions_are_in_the_order_of_releases(ordered: list[str]) -> None:
    assert sorted(reversed(ordered), key=version_key) == ordered


@pytest.mark.parametrize(
    ("version", "bounds", "is_within"),
    [
        ("0.10.0", {"$gte": "0.10"}, True),
        ("0.10.0", {"$lte": "0.10"}, True),
        ("0.10.0", {"$gt": "0.10"}, False),
        ("0.10rc1", {"$gte": "0.10"}, False),
        ("0.11.10", {"$gte": "0.9", "$lte": "0.12"}, True),
        ("0.9.2", {"$lt": "0.10"}, True),
        ("3.11.4 | packaged by conda", {"$gte": "3.11"}, True),
        ("main", {"$lt": "9"}, False),
    ],
)
def test_a_version_is_within_bounds(
    version: str, bounds: dict[str, str], is_within: bool
) -> None:
    assert satisfies(version, bounds) is is_within
