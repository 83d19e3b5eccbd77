"""Runs whose products are written, and what their products say."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from provdb.ingest import ingest
from provdb.products import Product, write_products
from provdb.store import Store, open_store
from tests.samples import NIGHT_LOG

Write = Callable[..., list[Product]]


@pytest.fixture(scope="module")
def sample() -> Iterator[Store]:
    """A store with the night of lstosa's samples; only to be read."""
    with open_store("memory://") as opened:
        ingest(opened, [NIGHT_LOG])
        yield opened


@pytest.fixture
def problems() -> list[str]:
    """What was told to be wrong."""
    return []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the products, which is not there yet."""
    return tmp_path / "log"


@pytest.fixture
def write(folder: Path, problems: list[str]) -> Write:
    """What writes the products of a run, without graphs."""

    def write(store: Store, run: int = 1807, **options: Any) -> list[Product]:
        given = {"has_graphs": False, "on_problem": problems.append, **options}
        return write_products(store, run, folder, **given)

    return write
