"""Generated nights, each read once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from provdb.ingest import ingest
from provdb.store import Store, open_store
from tests.benchmarks.night import Night, write


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(Night(runs=2, subruns=3), id="merged"),
        pytest.param(Night(runs=2, subruns=3, dl2_claims_merged=True), id="claimed"),
        pytest.param(
            Night(runs=2, subruns=3, dl2_claims_merged=True, merge=False),
            id="written by every dl1_to_dl2",
        ),
    ],
)
def night(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A store with a generated night up to DL3; only to be read."""
    path: Path = tmp_path_factory.mktemp("night") / "prov.log"
    write(request.param, path)
    with open_store("memory://") as store:
        ingest(store, [path])
        yield store
