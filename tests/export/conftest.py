"""Golden files of drawn lineages, and the browser that pages are looked at in.

``pytest tests/export --update-golden`` writes the golden files anew; look at what
changed before you commit it.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from provdb.ingest import ingest
from provdb.lineage import Lineage, impact, lineage
from provdb.store import open_store
from tests.benchmarks.night import Night, write

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_GOLDEN: Final = Path(__file__).with_name("golden")
# No sandbox: containers run as root. Nothing of its own goes over the network.
_FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture
def is_golden(pytestconfig: pytest.Config) -> Callable[[str, str], bool]:
    """What says whether a text is that of a golden file, and shows a difference."""
    is_updated = pytestconfig.getoption("--update-golden", default=False)

    def is_golden(name: str, text: str) -> bool:
        path = _GOLDEN / name
        if is_updated:
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), f"{name} differs"
        return True

    return is_golden


@pytest.fixture(scope="session")
def nights(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Lineage]:
    """What gives the lineage of the DL3 of a night, or the impact of its pedestal."""
    asked: dict[tuple[int, str], Lineage] = {}

    def night(subruns: int, *, question: str = "lineage") -> Lineage:
        if (subruns, question) not in asked:
            log = tmp_path_factory.mktemp("night") / "prov.log"
            write(Night(subruns=subruns), log)
            with open_store("memory://") as store:
                ingest(store, [log])
                asked[subruns, "lineage"] = lineage(store, "dl3_LST-1.Run01807.fits")
                asked[subruns, "impact"] = impact(
                    store, "drs4_pedestal.Run01804.0000.h5"
                )
        return asked[subruns, question]

    return night


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator["Browser"]:
    """A Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=list(_FLAGS))
        yield opened
        opened.close()
